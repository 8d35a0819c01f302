// The message hash in lanes.
#ifndef LEAN_COMMON_CRYPTO_XMSS_MESSAGE_LANES_H_
#define LEAN_COMMON_CRYPTO_XMSS_MESSAGE_LANES_H_

#include <array>
#include <cstdint>

#include "common/bytes/bytes.h"
#include "common/crypto/xmss/lanes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {

class MessageLanes {
 public:
  explicit MessageLanes(size_t randomness_len) : randomness_len_(randomness_len) {}

  // Everything but the randomness.
  void Set(size_t lane, const FieldParameter& parameter, uint64_t slot, const std::array<Fp, kMessageLen>& digits);

  Row& randomness(size_t word) { return input_[word]; }

  // Hashes in every lane; the input stays for another try.
  void Compress();

  // The canonical hash of a lane, after Compress.
  std::array<uint32_t, kMessageHashLen> Hash(size_t lane) const;

 private:
  size_t randomness_len_;
  Block<24> input_{};
  Block<24> state_{};
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_MESSAGE_LANES_H_
