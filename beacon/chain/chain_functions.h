// The pure functions of blocks that cost most. LeanChain calls them through this struct, so that a simulation of many
// nodes can compute each result once for all of them.
#ifndef LEAN_BEACON_CHAIN_CHAIN_FUNCTIONS_H_
#define LEAN_BEACON_CHAIN_CHAIN_FUNCTIONS_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/state_transition.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {

struct ChainFunctions {
  // hash_tree_root of the block's body.
  std::function<Root(const SignedBlockPtr& block)> body_root = [](const SignedBlockPtr& block) {
    return ssz::HashTreeRoot(block->message.block.body);
  };
  // StateTransition, from the post-state of the block's parent. `id` is the block's root.
  std::function<absl::StatusOr<StatePtr>(const State& parent, const SignedBlockWithAttestation& block, const Root& id,
                                         const Root& body_root, const TransitionWatch& watch)>
      transition = [](const State& parent, const SignedBlockWithAttestation& block, const Root&, const Root& body_root,
                      const TransitionWatch& watch) -> absl::StatusOr<StatePtr> {
    ASSIGN_OR_RETURN(State post_state, StateTransition(parent, block.message.block, body_root, watch));
    return std::make_shared<const State>(std::move(post_state));
  };
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_CHAIN_FUNCTIONS_H_
