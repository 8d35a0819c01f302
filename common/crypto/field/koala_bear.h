// The field of leanSig's Poseidon2: integers modulo p = 2^31 - 2^24 + 1 ("KoalaBear").
#ifndef LEAN_COMMON_CRYPTO_FIELD_KOALA_BEAR_H_
#define LEAN_COMMON_CRYPTO_FIELD_KOALA_BEAR_H_

#include <cstdint>
#include <optional>

namespace lean::crypto {

// An element in Montgomery form with R = 2^32: raw() is value * R mod p, always below p. Plain data of 4 bytes, zero
// unless set; arrays of Fp are what the vector kernels load. Arithmetic takes the same time whatever the values are.
class Fp {
 public:
  static constexpr uint32_t kModulus = 0x7f000001;
  // 1/p mod 2^32: the reduction subtracts a multiple of p, so the inverse is not negated.
  static constexpr uint32_t kModulusInverse = 0x81000001;

  constexpr Fp() = default;

  // Any integer; it is reduced modulo p.
  static constexpr Fp FromUint64(uint64_t value) { return FromRaw(Reduce((value % kModulus) * kRSquared)); }
  // A word of an encoding: none if it is not below p.
  static constexpr std::optional<Fp> FromCanonical(uint32_t value) {
    if (value >= kModulus) return std::nullopt;
    return FromRaw(Reduce(uint64_t{value} * kRSquared));
  }
  // `raw` must be below p.
  static constexpr Fp FromRaw(uint32_t raw) {
    Fp result;
    result.raw_ = raw;
    return result;
  }

  constexpr uint32_t canonical() const { return Reduce(raw_); }
  constexpr uint32_t raw() const { return raw_; }

  friend constexpr Fp operator+(Fp a, Fp b) {
    const uint32_t sum = a.raw_ + b.raw_;
    const uint32_t reduced = sum - kModulus;
    return FromRaw(Select(reduced, sum));
  }
  friend constexpr Fp operator-(Fp a, Fp b) {
    const uint32_t difference = a.raw_ - b.raw_;
    return FromRaw(Select(difference, difference + kModulus));
  }
  friend constexpr Fp operator*(Fp a, Fp b) { return FromRaw(Reduce(uint64_t{a.raw_} * b.raw_)); }
  constexpr Fp& operator+=(Fp other) { return *this = *this + other; }
  constexpr Fp& operator-=(Fp other) { return *this = *this - other; }
  constexpr Fp& operator*=(Fp other) { return *this = *this * other; }
  friend constexpr bool operator==(Fp, Fp) = default;

 private:
  static constexpr uint64_t kRSquared = static_cast<uint64_t>((static_cast<unsigned __int128>(1) << 64) % kModulus);

  // `value` unless its sign bit is set (it went below zero), else `fallback`; without a branch.
  static constexpr uint32_t Select(uint32_t value, uint32_t fallback) {
    const uint32_t negative = ~((value >> 31) - 1);
    return value ^ ((value ^ fallback) & negative);
  }
  // value / R mod p, for value < p * 2^32.
  static constexpr uint32_t Reduce(uint64_t value) {
    const uint32_t multiple = static_cast<uint32_t>(value) * kModulusInverse;
    const uint32_t high =
        static_cast<uint32_t>(value >> 32) - static_cast<uint32_t>((uint64_t{multiple} * kModulus) >> 32);
    return Select(high, high + kModulus);
  }

  uint32_t raw_ = 0;
};

static_assert(sizeof(Fp) == 4);

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_FIELD_KOALA_BEAR_H_
