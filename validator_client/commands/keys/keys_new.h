// `lean-validator keys new`: creates secret keys and their list.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_NEW_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_NEW_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

// Shows the progress of all keys together: one line that rewrites itself on a terminal, a line for every tenth
// elsewhere. Not thread-safe.
class KeyProgress {
 public:
  using Time = SteadyTime;

  // The first of `key_count` keys begins.
  KeyProgress(std::ostream& out, bool terminal, size_t key_count, Time now)
      : out_(out), terminal_(terminal), key_count_(key_count), begin_(now) {}

  // `fraction` (0 to 1) of the current key is done.
  void Update(double fraction, Time now);
  // The current key is saved. After the last key, writes a line with the total time.
  void EndKey(Time now);
  // Ends the line that is being rewritten.
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

struct KeysNewOptions {
  std::string output_dir;  // made with mode 0700 if it is not there
  std::vector<uint64_t> indices;
  uint32_t log_lifetime = 32;
  uint64_t active_slots = 0;  // 0: the whole lifetime, or the 2^18 slots that a chain can have
  unsigned threads = 1;
  KeyProtection protection = {};
};

// For each index, writes DIR/validator_N.json, or validator_N.key if plain (0600, with its tree cache beside it), then
// DIR/keystores.yaml, which `lean-validator run --keystores` and `lean-beacon genesis --pubkeys-from` read. Writes the
// progress to `out`, in place if it is a `terminal`. After any error, including Cancelled, removes the files that this
// call has created. AlreadyExists: one of the files exists; this is checked before any key is made. PermissionDenied:
// the folder is accessible to group or others. Cancelled: `cancelled` has become true.
absl::Status MakeKeys(const KeysNewOptions& options, RandomSource& random, const std::atomic<bool>& cancelled,
                      std::ostream& out, bool terminal);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_NEW_H_
