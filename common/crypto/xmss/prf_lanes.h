// The PRF in lanes: constant time in the key.
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_LANES_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_LANES_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/lanes.h"
#include "common/crypto/xmss/prf_input.h"
#include "common/crypto/xmss/prf_key.h"

namespace lean::xmss {

// SHAKE128 of inputs that fit one block and differ in a number each. What it holds is wiped at destruction.
class PrfLanes {
 public:
  explicit PrfLanes(const PrfInput& input);
  PrfLanes(const PrfLanes&) = delete;
  PrfLanes& operator=(const PrfLanes&) = delete;
  ~PrfLanes();

  // Sets a big-endian number of `width` bytes at `position` of the input, the same in every lane.
  void SetNumber(size_t position, size_t width, uint64_t value);

  // Output for first_value, first_value + 1, … at `position` in the lanes of `rows`, a row for each element.
  void Expand(size_t position, size_t width, uint64_t first_value, absl::Span<Row> rows);

 private:
  std::array<uint8_t, 8 * 21> block_{};  // the input, padded
  alignas(64) KeccakState state_{};
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_LANES_H_
