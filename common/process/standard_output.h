// Where std::cout and std::cerr of a program go.
#ifndef LEAN_COMMON_PROCESS_STANDARD_OUTPUT_H_
#define LEAN_COMMON_PROCESS_STANDARD_OUTPUT_H_

#include <functional>
#include <ostream>
#include <streambuf>
#include <string>

#include "absl/strings/string_view.h"

namespace lean {

// While it lives, what is written to a stream goes to `write`, which returns whether it took it; the stream goes bad
// when it did not. One thread.
class RedirectedStream : public std::streambuf {
 public:
  using Write = std::function<bool(absl::string_view text)>;

  RedirectedStream(std::ostream& stream, Write write);
  RedirectedStream(const RedirectedStream&) = delete;
  RedirectedStream& operator=(const RedirectedStream&) = delete;
  ~RedirectedStream() override;  // hands over what is left, and gives the stream its own buffer back

 protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  std::ostream& stream_;
  const Write write_;
  std::streambuf* const before_;
  std::string text_;  // not handed over yet
};

// Writes to a descriptor without control characters (WithoutControls) but line ends and tabs: what a command prints may
// quote a file or a peer. Waits for the reader. False: the descriptor takes nothing more.
bool WriteChecked(int descriptor, absl::string_view text);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STANDARD_OUTPUT_H_
