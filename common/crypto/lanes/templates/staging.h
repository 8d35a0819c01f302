// Converts between the words of callers, one value after the other, and vectors, which hold one word of all lanes.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_STAGING_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_STAGING_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/templates/arithmetic.h"

namespace lean::crypto::lanes {
namespace {

// Words of up to kLanes values; lanes that are not written hold zeros.
template <typename Lane, size_t kWords>
class Staging {
 public:
  using Vector = typename Lane::Vector;

  LEAN_LANES_INLINE void Put(size_t lane, size_t word, uint32_t value) { words_[word][lane] = value; }
  LEAN_LANES_INLINE void Put(size_t lane, size_t first_word, const uint32_t* values, size_t count) {
    for (size_t i = 0; i < count; ++i) words_[first_word + i][lane] = values[i];
  }
  LEAN_LANES_INLINE void Take(size_t lane, uint32_t* values, size_t count) const {
    for (size_t i = 0; i < count; ++i) values[i] = words_[i][lane];
  }
  LEAN_LANES_INLINE Vector Load(size_t word) const {
    Vector vector;
    __builtin_memcpy(&vector, words_[word], sizeof(vector));
    return vector;
  }
  LEAN_LANES_INLINE Vector LoadMontgomery(size_t word) const { return ToMontgomery<Lane>(Load(word)); }
  LEAN_LANES_INLINE void Store(size_t word, Vector vector) { __builtin_memcpy(words_[word], &vector, sizeof(vector)); }
  LEAN_LANES_INLINE void StoreCanonical(size_t word, Vector montgomery) {
    Store(word, FromMontgomery<Lane>(montgomery));
  }
  // The asm keeps the compiler from dropping the stores.
  LEAN_LANES_INLINE void Wipe() {
    __builtin_memset(words_, 0, sizeof(words_));
    asm volatile("" : : "r"(words_) : "memory");
  }

 private:
  alignas(sizeof(typename Lane::Vector)) uint32_t words_[kWords][Lane::kLanes] = {};
};

// Writes a node from word 0 on, zeros after hash_len included.
template <typename Lane, size_t kWords>
void TakeNode(const Staging<Lane, kWords>& staging, size_t lane, size_t hash_len, uint32_t* node, size_t stride) {
  staging.Take(lane, node, hash_len);
  for (size_t i = hash_len; i < stride; ++i) node[i] = 0;
}

template <typename Lane>
constexpr size_t LanesUsed(size_t count) {
  return count < Lane::kLanes ? count : Lane::kLanes;
}

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_STAGING_H_
