// Starts signing processes, kills them, and counts the signatures that they have released.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_WATCHER_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_WATCHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/bytes.h"
#include "tests/validator_client/signing/records/victims/victim_signing.h"

namespace lean::validator {

// The messages of one process.
struct VictimEnd {
  bool killed = false;  // by a signal
  bool opened = false;
  bool deleted = false;  // a keymanager has reported it
  bool done = false;
  uint64_t released = 0;
  uint64_t refused = 0;
  uint64_t failed = 0;
  uint64_t operations = 0;  // after kDone
  std::chrono::microseconds lifetime{0};
};

// Lives in the process of the test, so nothing that it has seen is lost with a victim. One watcher for each set of
// keys.
class VictimWatcher {
 public:
  // Checks that a signature is that of the root; may be empty.
  using Verify = std::function<bool(const VictimMessage& released)>;

  // `program`: the victim's program, in the folder of the built programs.
  explicit VictimWatcher(Verify verify = {}, std::string program = "signing_records_victim")
      : verify_(std::move(verify)), program_(std::move(program)) {}

  // Runs the program with these arguments to its end, or kills it after `kill_after`.
  VictimEnd Watch(const std::vector<std::string>& arguments,
                  std::optional<std::chrono::microseconds> kill_after = std::nullopt);

  uint64_t highest_released_slot() const { return highest_released_slot_; }
  // By index and slot of the leaf.
  const std::map<std::pair<uint64_t, uint64_t>, Root>& roots() const { return roots_; }
  size_t leaves() const { return roots_.size(); }      // that have signed
  uint64_t signatures() const { return signatures_; }  // released signatures, including repeated ones
  uint64_t conflicts() const { return conflicts_; }    // signatures of a second root with the same leaf
  uint64_t bad_signatures() const { return bad_signatures_; }

 private:
  void Take(const VictimMessage& message, VictimEnd& end);

  const Verify verify_;
  const std::string program_;
  std::map<std::pair<uint64_t, uint64_t>, Root> roots_;
  uint64_t highest_released_slot_ = 0;
  uint64_t signatures_ = 0;
  uint64_t conflicts_ = 0;
  uint64_t bad_signatures_ = 0;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SIGNING_RECORDS_VICTIMS_VICTIM_WATCHER_H_
