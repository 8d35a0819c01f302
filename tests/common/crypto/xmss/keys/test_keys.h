// Throw-away keys for tests.
#ifndef LEAN_TESTS_COMMON_CRYPTO_XMSS_KEYS_TEST_KEYS_H_
#define LEAN_TESTS_COMMON_CRYPTO_XMSS_KEYS_TEST_KEYS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/scheme.h"
#include "common/secrets/random_source.h"

namespace lean::xmss {

inline absl::StatusOr<SecretKey> MakeKey(const Scheme& scheme, SlotRange active, uint64_t seed) {
  SeededRandomSource random(seed);
  return GenerateKey(scheme, active, random);
}

inline Root MessageOf(uint8_t byte) {
  Root message;
  message.data.fill(byte);
  return message;
}

}  // namespace lean::xmss

#endif  // LEAN_TESTS_COMMON_CRYPTO_XMSS_KEYS_TEST_KEYS_H_
