// Shows how far the making of keys has come.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_PROGRESS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>

namespace lean::validator {

// One line that rewrites itself on a terminal, a line for every tenth elsewhere. Not thread-safe.
class KeyProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  KeyProgress(std::ostream& out, bool terminal, size_t key_count)
      : out_(out), terminal_(terminal), key_count_(key_count) {}

  // The key of validator `index` begins.
  void Begin(uint64_t index, Time now);
  // `fraction` of it is done, 0 to 1.
  void Update(double fraction, Time now);
  // It is done and saved.
  void End(Time now);
  // Whatever line is being rewritten is left behind.
  void Abandon();

 private:
  std::ostream& out_;
  const bool terminal_;
  const size_t key_count_;
  size_t key_number_ = 0;  // from 1
  uint64_t index_ = 0;
  Time begin_;
  int shown_percent_ = -1;
  size_t line_width_ = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEY_PROGRESS_H_
