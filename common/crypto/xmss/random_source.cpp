#include "common/crypto/xmss/random_source.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <limits>

#include "absl/status/statusor.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/keccak/shake128.h"

namespace lean::xmss {
namespace {

absl::StatusOr<uint32_t> RandomElement(RandomSource& random) {
  while (true) {
    std::array<uint8_t, 4> bytes;
    if (absl::Status status = random.Fill(absl::MakeSpan(bytes)); !status.ok()) return status;
    const uint32_t word = (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24) >> 1;
    if (word < crypto::Fp::kModulus) return word;
  }
}

}  // namespace

absl::Status SystemRandomSource::Fill(absl::Span<uint8_t> out) {
  while (!out.empty()) {
    const size_t count = std::min<size_t>(out.size(), std::numeric_limits<int>::max());
    if (RAND_priv_bytes(out.data(), static_cast<int>(count)) != 1) {
      return absl::InternalError("the system's random generator failed");
    }
    out.remove_prefix(count);
  }
  return absl::OkStatus();
}

absl::Status SeededRandomSource::Fill(absl::Span<uint8_t> out) {
  std::array<uint8_t, 16> input;
  for (size_t i = 0; i < 8; ++i) {
    input[i] = static_cast<uint8_t>(seed_ >> (8 * i));
    input[8 + i] = static_cast<uint8_t>(call_ >> (8 * i));
  }
  ++call_;
  crypto::Shake128(input, out);
  return absl::OkStatus();
}

absl::Status FillRandomElements(RandomSource& random, absl::Span<uint32_t> words) {
  for (uint32_t& word : words) {
    const absl::StatusOr<uint32_t> element = RandomElement(random);
    if (!element.ok()) return element.status();
    word = *element;
  }
  return absl::OkStatus();
}

}  // namespace lean::xmss
