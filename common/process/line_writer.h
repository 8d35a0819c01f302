// Text for a descriptor that may have no reader, from threads that must not wait for one.
#ifndef LEAN_COMMON_PROCESS_LINE_WRITER_H_
#define LEAN_COMMON_PROCESS_LINE_WRITER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_LINE_WRITER_H_
