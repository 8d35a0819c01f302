// What the fuzz targets share.
#ifndef LEAN_TESTS_FUZZ_FUZZING_H_
#define LEAN_TESTS_FUZZ_FUZZING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"

namespace lean::fuzz {

// Ends the process, which libFuzzer reports with the input.
inline void Require(bool condition) {
  if (!condition) std::abort();
}

// Reads decisions from the fuzzer's bytes. Behind their end all are zero.
class Input {
 public:
  explicit Input(ByteSpan bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }
  // Below `limit`, which is 1 to 256.
  size_t Below(size_t limit) { return Byte() % limit; }
  bool Chance(size_t one_in) { return Below(one_in) == one_in - 1; }
  // Bytes with their length in front, at most what is left.
  absl::string_view Text() {
    const size_t size = std::min<size_t>(Byte() | size_t{Byte()} << 8, rest_.size());
    const absl::string_view text(reinterpret_cast<const char*>(rest_.data()), size);
    rest_.remove_prefix(size);
    return text;
  }
  absl::string_view Rest() const { return {reinterpret_cast<const char*>(rest_.data()), rest_.size()}; }

 private:
  ByteSpan rest_;
};

inline absl::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace lean::fuzz

#endif  // LEAN_TESTS_FUZZ_FUZZING_H_
