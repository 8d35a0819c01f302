// Real key files of lifetime 2^8 for tests: made in milliseconds from a seed.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_

#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/random_source.h"
#include "validator_client/commands/keys/keys_new.h"

namespace lean::validator {

// Keys for slots 0 to 63 in DIR/validator_N.key, listed in DIR/keystores.yaml.
inline absl::Status MakeTestKeystores(const std::string& dir, std::vector<uint64_t> indices, uint64_t seed = 1,
                                      uint32_t log_lifetime = 8) {
  xmss::SeededRandomSource random(seed);
  const std::atomic<bool> cancelled{false};
  std::ostringstream out;
  return MakeKeys({.output_dir = dir, .indices = std::move(indices), .log_lifetime = log_lifetime, .active_slots = 64},
                  random, cancelled, out, false);
}

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_TEST_KEYSTORES_H_
