// Random containers for property tests, built from the containers' own field declarations.
#ifndef LEAN_TESTS_COMMON_SSZ_GENERATORS_H_
#define LEAN_TESTS_COMMON_SSZ_GENERATORS_H_

#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "common/containers/containers.h"
#include "rapidcheck.h"

namespace lean::ssz_test {

// How to draw a T.
template <typename T>
struct Draw;

template <>
struct Draw<uint64_t> {
  static uint64_t Value() {
    return *rc::gen::oneOf(
        rc::gen::arbitrary<uint64_t>(),
        rc::gen::element<uint64_t>(0, 1, std::numeric_limits<uint32_t>::max(), std::numeric_limits<uint64_t>::max()));
  }
};

template <size_t N>
struct Draw<Bytes<N>> {
  // From a seed: shrinking thousands of bytes one by one would take forever. Seed 0 is all zeros.
  static Bytes<N> Value() {
    Bytes<N> bytes;
    const auto seed = *rc::gen::arbitrary<uint32_t>();
    if (seed == 0) return bytes;
    std::minstd_rand random(seed);
    for (uint8_t& byte : bytes.data) byte = static_cast<uint8_t>(random());
    return bytes;
  }
};

template <typename T>
std::vector<T> DrawVector(size_t most) {
  std::vector<T> elements(*rc::gen::inRange<size_t>(0, most + 1));
  for (T& element : elements) element = Draw<T>::Value();
  return elements;
}

template <>
struct Draw<ssz::Bits> {
  static ssz::Bits Value() {
    ssz::Bits bits;
    for (const bool bit : *rc::gen::arbitrary<std::vector<bool>>()) bits.PushBack(bit);
    // Lengths around the borders of bytes and chunks.
    bits.Resize(bits.size() + *rc::gen::element<size_t>(0, 0, 8, 255, 256, 257));
    return bits;
  }
};

template <typename T, uint64_t Limit>
struct Draw<ssz::List<T, Limit>> {
  static ssz::List<T, Limit> Value() { return *ssz::List<T, Limit>::FromVector(DrawVector<T>(6)); }
};

template <typename T, uint64_t Limit>
struct Draw<ssz::SharedList<T, Limit>> {
  static ssz::SharedList<T, Limit> Value() { return *ssz::SharedList<T, Limit>::FromVector(DrawVector<T>(6)); }
};

template <uint64_t Limit>
struct Draw<ssz::RootList<Limit>> {
  static ssz::RootList<Limit> Value() { return *ssz::RootList<Limit>::FromVector(DrawVector<Root>(40)); }
};

template <uint64_t Limit>
struct Draw<ssz::Bitlist<Limit>> {
  static ssz::Bitlist<Limit> Value() { return *ssz::Bitlist<Limit>::FromBits(Draw<ssz::Bits>::Value()); }
};

template <ssz::Container T>
struct Draw<T> {
  static T Value() {
    T value;
    ssz::ForEachField<T>([&](const auto& field) {
      using M = typename std::remove_cvref_t<decltype(field)>::Type;
      value.*field.member = Draw<M>::Value();
    });
    return value;
  }
};

}  // namespace lean::ssz_test

#endif  // LEAN_TESTS_COMMON_SSZ_GENERATORS_H_
