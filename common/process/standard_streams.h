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

// Keeps lines in a bounded buffer, which a thread of its own writes. Nobody waits for that thread: it holds all that it
// needs, and where the descriptor takes nothing it is left behind at the end. Thread-safe.
class LineWriter {
 public:
  // What is written where lines are missing; told how many.
  using Note = std::function<std::string(uint64_t dropped)>;

  // The descriptor stays the caller's, and open. At most `max_bytes` wait to be written.
  LineWriter(int descriptor, size_t max_bytes, Note note);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  // Gives what waits kEndPatience to be written.
  ~LineWriter();

  // Never waits. `lines` end with a line's end. What does not fit is dropped and counted, as is everything that follows
  // until half of the buffer is free; then the note tells how many it were.
  void Write(absl::string_view lines);

  // Waits until everything is written or given up, but no longer than `limit`. False: something still waits.
  bool Flush(std::chrono::milliseconds limit);

  // Lines that were dropped, or that the descriptor refused, since the start.
  uint64_t dropped() const;

  static constexpr std::chrono::milliseconds kEndPatience{300};

 private:
  class Queue;

  const std::shared_ptr<Queue> queue_;
};

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

// Gives standard input, output and error /dev/null where a process was started without them: the next file that it
// opens would become one of them, and a lock file or a database get the log. A program that links this has it done
// before its libraries are initialised, one of which opens files; main calls it to learn how it went. False: there is
// no /dev/null.
bool OpenStandardDescriptors();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_STANDARD_STREAMS_H_
