// The chain by the rules of leanSpec 050fa4a (State.state_transition and Store), written down once more as simply as
// they can be said: plain lists, whole walks, nothing incremental and nothing dropped. For comparison with LeanChain.
#ifndef LEAN_TESTS_FUZZ_CHAIN_CHAIN_MODEL_H_
#define LEAN_TESTS_FUZZ_CHAIN_CHAIN_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/containers/containers.h"

namespace lean::fuzz {

// What a state holds besides its registry and its hashes.
struct ModelState {
  Checkpoint block;  // whose post-state it is
  Checkpoint justified;
  Checkpoint finalized;
  std::vector<Root> history;                  // by slot, zero for empty slots
  std::vector<bool> justified_slots;          // by slot
  std::map<Root, std::vector<bool>> tallies;  // of roots that are being voted on, by validator
};

// The post-state of a block whose state root and parent are right. nullopt: the block is invalid.
std::optional<ModelState> Transition(const ModelState& parent, size_t validators, const Block& block, const Root& root);

class ChainModel {
 public:
  ChainModel(size_t validators, const Root& genesis);

  // Whether the call is accepted. A refused one changes nothing. `root` is the block's, and `state_root_is_right` says
  // whether its state root is that of the state it leads to.
  bool OnBlock(const SignedBlockWithAttestation& block, const Root& root, bool state_root_is_right, bool as_history);
  bool OnVote(const Attestation& vote);
  void OnInterval(uint64_t interval);
  void SetTimeBack(uint64_t interval);

  const Checkpoint& head() const { return head_; }
  const Checkpoint& safe_target() const { return safe_target_; }
  const Checkpoint& justified() const { return justified_; }
  const Checkpoint& finalized() const { return finalized_; }
  uint64_t time() const { return time_; }
  const std::map<uint64_t, AttestationData>& known() const { return known_; }
  const std::map<uint64_t, AttestationData>& pending() const { return pending_; }
  bool Has(const Root& root) const { return blocks_.contains(root); }
  const ModelState& StateOf(const Root& root) const { return blocks_.at(root).state; }
  bool Descends(const Root& root, const Root& ancestor) const;
  // Validators whose known vote is for the block or one above it.
  uint64_t WeightOf(const Root& root) const { return Weight(root, known_); }

 private:
  using Votes = std::map<uint64_t, AttestationData>;
  struct ModelBlock {
    Root parent;
    uint64_t slot = 0;
    ModelState state;
  };

  // `importing`: a block that counts as known although it is not; may be null.
  bool IsValidVote(const AttestationData& data, bool from_gossip, const Checkpoint* importing) const;
  std::optional<uint64_t> SlotOf(const Root& root, const Checkpoint* importing) const;
  uint64_t Weight(const Root& root, const Votes& votes) const;
  Checkpoint Walk(const Votes& votes, uint64_t min_score) const;
  void AddPending(const Attestation& vote);
  void AcceptPending();

  const size_t validators_;
  std::map<Root, ModelBlock> blocks_;
  uint64_t time_ = 0;  // intervals since genesis
  Checkpoint head_;
  Checkpoint safe_target_;
  Checkpoint justified_;
  Checkpoint finalized_;
  Votes known_;
  Votes pending_;
};

}  // namespace lean::fuzz

#endif  // LEAN_TESTS_FUZZ_CHAIN_CHAIN_MODEL_H_
