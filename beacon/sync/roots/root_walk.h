// Fetches a chain by roots only: backward from its head to a known block, then returns it in order. Pure.
#ifndef LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_
#define LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

struct RootWalkOptions {
  // Bytes of held blocks. Beyond it the blocks with the highest slots are dropped, except for their roots, and
  // requested again after the blocks below them were taken. One block is always held.
  size_t max_bytes_held = size_t{64} << 20;
  // Blocks of one request for dropped blocks, whose roots are known.
  size_t request_bytes = size_t{8} << 20;
  size_t roots_per_request = 16;
};

// A block names only its parent, so that the walk backward takes one request per block.
class RootWalk {
 public:
  using Known = std::function<bool(const Root&)>;

  // `floor`: the slot of our finalized block, below which the chain must not leave ours.
  RootWalk(const Checkpoint& head, uint64_t floor, const RootWalkOptions& options)
      : options_(options), floor_(floor), lowest_slot_(head.slot + 1), wanted_(head.root) {}

  // The roots to request now; none: a request is open, or held blocks have to be taken first.
  std::vector<Root> Next();
  // The answer: requested blocks in any order, possibly fewer. NotFound: the next block is missing. OutOfRange: the
  // chain leaves ours below the floor. InvalidArgument: its slots do not descend.
  absl::Status Answered(const std::vector<SignedBlockPtr>& blocks, const Known& known);
  // The request failed: it may be repeated.
  void Failed() { asked_.clear(); }

  // Takes the next blocks in order, as many as fit and at least one; none before a known block is reached, and while
  // they are fetched again.
  std::vector<SignedBlockPtr> Take(size_t max_bytes);

  // Whether the walk has reached a known block.
  bool connected() const { return connected_; }
  // Whether all blocks were taken.
  bool finished() const { return connected_ && path_.empty(); }
  // Slot of the lowest block so far.
  uint64_t lowest_slot() const { return lowest_slot_; }
  size_t bytes_held() const { return bytes_held_; }

 private:
  struct Step {
    Root root;
    size_t bytes = 0;
    SignedBlockPtr block;  // null: dropped
  };

  absl::Status AnsweredBackward(const SignedBlockPtr& block, const Known& known);
  void LetGo();

  const RootWalkOptions options_;
  const uint64_t floor_;
  uint64_t lowest_slot_;
  Root wanted_;              // the next root of the walk backward
  std::vector<Root> asked_;  // open request
  bool connected_ = false;
  std::vector<Step> path_;  // from the head down; the blocks at the end are held
  size_t held_ = 0;
  size_t bytes_held_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_
