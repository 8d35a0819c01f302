// Standard input, output and error of a program: text for a descriptor that may have no reader, from threads that must
// not wait for one, where std::cout and std::cerr go, and a start without these descriptors.
#ifndef LEAN_COMMON_PROCESS_STANDARD_STREAMS_H_
#define LEAN_COMMON_PROCESS_STANDARD_STREAMS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <streambuf>
#include <string>

#include "absl/strings/string_view.h"

namespace lean {

// Keeps lines in a bounded buffer, which a separate thread writes. No other thread waits for that thread. It owns all
// that it needs, so it can be abandoned at the end if the descriptor accepts nothing. Thread-safe.
class LineWriter {
 public:
  // Creates the text that replaces missing lines, from their number.
  using Note = std::function<std::string(uint64_t dropped)>;

  // Writes to a duplicate of the descriptor, so the caller may close its own at any time: the thread may outlive it,
  // and must not write to another file that gets the same number. At most `max_bytes` wait to be written.
  LineWriter(int descriptor, size_t max_bytes, Note note);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  // Waits up to kEndPatience until the buffer is written.
  ~LineWriter();

  // Does not block. `lines` end with a newline. Lines that do not fit are dropped and counted, and so are all further
  // lines until half of the buffer is free. Then the note reports their number.
  void Write(absl::string_view lines);

  // Waits up to `limit` until everything is written or dropped. False: some lines still wait.
  bool Flush(std::chrono::milliseconds limit);

  // The number of lines that were dropped or that the descriptor refused since the start.
  uint64_t dropped() const;

  static constexpr std::chrono::milliseconds kEndPatience{300};

 private:
  class Queue;

  const std::shared_ptr<Queue> queue_;
};

// While it lives, text that is written to the stream goes to `write`. If that returns false, the stream becomes bad.
// For one thread.
class RedirectedStream : public std::streambuf {
 public:
  using Write = std::function<bool(absl::string_view text)>;

  RedirectedStream(std::ostream& stream, Write write);
  RedirectedStream(const RedirectedStream&) = delete;
  RedirectedStream& operator=(const RedirectedStream&) = delete;
  ~RedirectedStream() override;  // writes the rest and restores the stream's own buffer

 protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  std::ostream& stream_;
  const Write write_;
  std::streambuf* const before_;
  std::string text_;  // not passed to write_ yet
};

// Writes to a descriptor and removes control characters (WithoutControls) except newlines and tabs, because the output
// of a command may quote a file or a peer. Waits for the reader. False: the descriptor accepts nothing more.
bool WriteChecked(int descriptor, absl::string_view text);

// Opens /dev/null for those of standard input, output and error with which the process was not started. Otherwise the
// next file that it opens would become one of them, and the log would go into a lock file or a database. In a program
// that links this, it runs before the libraries are initialised, because one of them opens files; main calls it to
// learn the result. False: there is no /dev/null.
bool OpenStandardDescriptors();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STANDARD_STREAMS_H_
