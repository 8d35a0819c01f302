// The source of randomness for key generation: the system's generator in production, a seeded one in tests.
#ifndef LEAN_COMMON_SECRETS_RANDOM_SOURCE_H_
#define LEAN_COMMON_SECRETS_RANDOM_SOURCE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace lean {

class RandomSource {
 public:
  virtual ~RandomSource() = default;

  // Fills `out`. After an error its content must not be used.
  virtual absl::Status Fill(absl::Span<uint8_t> out) = 0;
};

// OpenSSL's private generator (RAND_priv_bytes), seeded by the kernel. Internal: the generator failed.
class SystemRandomSource : public RandomSource {
 public:
  absl::Status Fill(absl::Span<uint8_t> out) override;
};

// A reproducible stream for tests and test networks only: SHAKE128(seed, number of the call).
class SeededRandomSource : public RandomSource {
 public:
  explicit SeededRandomSource(uint64_t seed) : seed_(seed) {}

  absl::Status Fill(absl::Span<uint8_t> out) override;

 private:
  uint64_t seed_;
  uint64_t call_ = 0;
};

}  // namespace lean

#endif  // LEAN_COMMON_SECRETS_RANDOM_SOURCE_H_
