// Simple Serialize: bytes and roots of containers. Written here because no C++ library of Debian has SSZ, and because
// states have to share unchanged subtrees.
#ifndef LEAN_COMMON_SSZ_SSZ_H_
#define LEAN_COMMON_SSZ_SSZ_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/ssz/codec.h"
#include "common/status/status_macros.h"

namespace lean::ssz {

template <typename T>
std::vector<uint8_t> Serialize(const T& value) {
  std::vector<uint8_t> bytes(Codec<T>::Size(value));
  Codec<T>::Encode(value, bytes.data());
  return bytes;
}

// The same, for interfaces that take bytes as a string: protobuf and the database.
template <typename T>
std::string SerializeToString(const T& value) {
  std::string bytes(Codec<T>::Size(value), '\0');
  Codec<T>::Encode(value, reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

// InvalidArgument, naming the field: `bytes` is not exactly one canonical encoding of a T. Memory is bounded by
// bytes.size().
template <typename T>
absl::StatusOr<T> Deserialize(ByteSpan bytes) {
  T value;
  RETURN_IF_ERROR(Codec<T>::Decode(bytes, value));
  return value;
}

template <typename T>
Root HashTreeRoot(const T& value) {
  return Codec<T>::HashTreeRoot(value);
}

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_SSZ_H_
