// A chain fetched by its blocks' roots alone: from its head backward to a block that is known, then handed out in
// order. Pure.
#ifndef LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_
#define LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"

namespace lean::beacon {

struct RootWalkOptions {
  // Of the blocks that are held and not handed out. Beyond it those of the highest slots are let go of, down to their
  // roots, and asked for again when what is below them was handed out. One block is always held.
  size_t max_bytes_held = size_t{64} << 20;
  // Of one request for such blocks, several of which are asked for together since their roots are known.
  size_t request_bytes = size_t{8} << 20;
  size_t roots_per_request = 16;
};

// Each block names its parent's root only, so that the way backward is one request for each block.
class RootWalk {
 public:
  using Known = std::function<bool(const Root&)>;

  // `floor`: the slot of our finalized block, below which the chain must not leave ours.
  RootWalk(const Checkpoint& head, uint64_t floor, const RootWalkOptions& options)
      : options_(options), floor_(floor), lowest_slot_(head.slot + 1), wanted_(head.root) {}

  // What to ask for now; none: an answer is waited for, or what is held is to be taken first.
  std::vector<Root> Next();
  // The answer: blocks that were asked for, in any order; possibly fewer. NotFound: not the one that is needed next.
  // OutOfRange: the chain leaves ours below the floor. InvalidArgument: its slots do not descend.
  absl::Status Answered(const std::vector<SignedBlockPtr>& blocks, const Known& known);
  // There is no answer: it may be asked for again.
  void Failed() { asked_.clear(); }

  // The next blocks in order, as many as fit and one at least; none before a known block was reached, and while they
  // are to be fetched again.
  std::vector<SignedBlockPtr> Take(size_t max_bytes);

  // A known block was reached.
  bool connected() const { return connected_; }
  // All blocks were handed out.
  bool finished() const { return connected_ && path_.empty(); }
  // Of the lowest block that has come so far.
  uint64_t lowest_slot() const { return lowest_slot_; }
  size_t bytes_held() const { return bytes_held_; }

 private:
  struct Step {
    Root root;
    size_t bytes = 0;
    SignedBlockPtr block;  // null: let go of
  };

  absl::Status AnsweredBackward(const SignedBlockPtr& block, const Known& known);
  void LetGo();

  const RootWalkOptions options_;
  const uint64_t floor_;
  uint64_t lowest_slot_;
  Root wanted_;              // backward: the next one
  std::vector<Root> asked_;  // an answer is waited for
  bool connected_ = false;
  std::vector<Step> path_;  // from the head down; those at the end are held
  size_t held_ = 0;
  size_t bytes_held_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_ROOT_WALK_H_
