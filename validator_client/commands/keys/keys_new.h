// `lean-validator keys new`: makes secret keys and the list that names them.
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
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

// Shows the progress of all keys together: one line that rewrites itself on a terminal, a line for every tenth
// elsewhere. Not thread-safe.
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

struct KeysNewOptions {
  std::string output_dir;  // made with mode 0700 if it is not there
  std::vector<uint64_t> indices;
  uint32_t log_lifetime = 32;
  uint64_t active_slots = 0;  // 0: the whole lifetime, or the 2^18 slots that a chain can have
  unsigned threads = 1;
  KeyProtection protection = {};
};

// Writes DIR/validator_N.json, or validator_N.key if plain (0600, with its tree cache beside it), for each index, then
// DIR/keystores.yaml, which `lean-validator run --keystores` and `lean-beacon genesis --pubkeys-from` read. Progress
// goes to `out`, in place if it is a `terminal`. On any error, `cancelled` included, the files that this call made are
// removed again. AlreadyExists: one of them is there, found before any key is made. PermissionDenied: the folder is
// open to group or others. Cancelled: `cancelled` has become true.
absl::Status MakeKeys(const KeysNewOptions& options, RandomSource& random, const std::atomic<bool>& cancelled,
                      std::ostream& out, bool terminal);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_NEW_H_
