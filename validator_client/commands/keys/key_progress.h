// Shows how far the making of keys has come.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_PROGRESS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <ostream>

namespace lean::validator {

// Of all keys together: one line that rewrites itself on a terminal, a line for every tenth elsewhere. Not thread-safe.
class KeyProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The first of `key_count` keys begins.
  KeyProgress(std::ostream& out, bool terminal, size_t key_count, Time now)
      : out_(out), terminal_(terminal), key_count_(key_count), begin_(now) {}

  // `fraction` of the key in work is done, 0 to 1.
  void Update(double fraction, Time now);
  // The key in work is done and saved. After the last one a line says how long all took.
  void EndKey(Time now);
  // Leaves the line that is being rewritten.
  void Abandon();

 private:
  std::ostream& out_;
  const bool terminal_;
  const size_t key_count_;
  const Time begin_;
  size_t keys_done_ = 0;
  int shown_percent_ = -1;
  size_t line_width_ = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEY_PROGRESS_H_
