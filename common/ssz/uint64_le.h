// Little-endian integers of SSZ on machines of any byte order.
#ifndef LEAN_COMMON_SSZ_UINT64_LE_H_
#define LEAN_COMMON_SSZ_UINT64_LE_H_

#include <cstdint>

namespace lean::ssz {

// Writes 8 bytes.
inline void StoreUint64(uint64_t value, uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(value >> (8 * i));
}

// Reads 8 bytes.
inline uint64_t LoadUint64(const uint8_t* in) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value |= static_cast<uint64_t>(in[i]) << (8 * i);
  return value;
}

}  // namespace lean::ssz

#endif  // LEAN_COMMON_SSZ_UINT64_LE_H_
