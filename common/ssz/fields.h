// How a container declares its fields, once; coding, hashing and the tests' JSON all follow from it:
//
//   struct Checkpoint {
//     Root root;
//     uint64_t slot = 0;
//     static constexpr auto Fields() {
//       return std::make_tuple(ssz::Field("root", &Checkpoint::root), ssz::Field("slot", &Checkpoint::slot));
//     }
//   };
#ifndef LEAN_COMMON_SSZ_FIELDS_H_
#define LEAN_COMMON_SSZ_FIELDS_H_

#include <cstddef>
#include <tuple>

namespace lean::ssz {

// A member and its name in the specification (snake_case).
template <typename C, typename M>
struct Field {
  using Type = M;

  constexpr Field(const char* name, M C::*member) : name(name), member(member) {}

  const char* name;
  M C::*member;
};

// A struct with a description of its fields, in the specification's order.
template <typename T>
concept Container = requires {
  T::Fields();
};

// Calls visit(field) for each field of T, in order.
template <Container T, typename Visit>
constexpr void ForEachField(Visit&& visit) {
  std::apply([&visit](const auto&... field) { (visit(field), ...); }, T::Fields());
}

template <Container T>
inline constexpr size_t kFieldCount = std::tuple_size_v<decltype(T::Fields())>;

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_FIELDS_H_
