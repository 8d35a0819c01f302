// A chain of its own whose blocks and votes have real signatures, for others to import.
#ifndef LEAN_TESTS_BEACON_SERVICES_SUPPORT_SIGNED_CHAIN_H_
#define LEAN_TESTS_BEACON_SERVICES_SUPPORT_SIGNED_CHAIN_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/services/support/test_network.h"

namespace lean::beacon {

class SignedChain {
 public:
  // `network` outlives it.
  explicit SignedChain(const TestNetwork& network) : network_(network), chain_(network.Chain()) {}

  // The slot's block on the head, not imported.
  SignedBlockPtr Build(uint64_t slot) {
    chain_.OnInterval(slot * kChainIntervalsPerSlot);
    return network_.SignBlock(BuildBlock(chain_.PrepareProposal(slot).value(), slot, slot % network_.size()).value());
  }

  void Import(const SignedBlockPtr& block) { chain_.OnBlock(block).value(); }

  // Votes of all but the proposer; for `head`, or for the chain's own.
  void Vote(uint64_t slot, const std::vector<uint64_t>& validators, const std::optional<Checkpoint>& head = {}) {
    AttestationData data = BuildVote(chain_.PrepareVote(slot).value(), slot);
    if (head.has_value()) data.head = *head;
    for (const uint64_t validator : validators) chain_.OnVote(network_.Vote(validator, data)).value();
  }

  // A slot in which everyone takes part. Returns the block.
  SignedBlockPtr RunSlot(uint64_t slot) {
    SignedBlockPtr block = Build(slot);
    Import(block);
    EndSlot(slot);
    return block;
  }

  // Everyone but the proposer votes, and the votes are accepted.
  void EndSlot(uint64_t slot) {
    std::vector<uint64_t> voters;
    for (uint64_t validator = 0; validator < network_.size(); ++validator) {
      if (validator != slot % network_.size()) voters.push_back(validator);
    }
    Vote(slot, voters);
    chain_.OnInterval(slot * kChainIntervalsPerSlot + 3);
  }

  LeanChain& chain() { return chain_; }
  const LeanChain& chain() const { return chain_; }

  static Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }

 private:
  const TestNetwork& network_;
  LeanChain chain_;
};

// A chain with an orphan whose root is named by a vote in a later canonical block: the blocks of slots 1 to 3, an
// orphan at slot 4 that nobody but the last validator votes for, and canonical blocks from slot 5 on.
struct OrphanedVote {
  OrphanedVote(const TestNetwork& network, uint64_t last_slot) : source(network) {
    for (uint64_t slot = 1; slot <= 3; ++slot) canonical.push_back(source.RunSlot(slot));
    orphan = source.Build(4);
    const SignedBlockPtr winner = source.Build(5);
    source.Import(orphan);
    source.Import(winner);
    std::vector<uint64_t> others;
    for (uint64_t validator = 0; validator + 1 < network.size(); ++validator) others.push_back(validator);
    source.Vote(5, {network.size() - 1}, Checkpoint{.root = SignedChain::RootOf(orphan), .slot = 4});
    source.Vote(5, others, Checkpoint{.root = SignedChain::RootOf(winner), .slot = 5});
    source.chain().OnInterval(5 * kChainIntervalsPerSlot + 3);
    canonical.push_back(winner);
    for (uint64_t slot = 6; slot <= last_slot; ++slot) canonical.push_back(source.RunSlot(slot));
  }

  SignedChain source;
  SignedBlockPtr orphan;
  std::vector<SignedBlockPtr> canonical;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_SUPPORT_SIGNED_CHAIN_H_
