#include "tests/beacon/chain/chain_testing.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "beacon/chain/state_transition.h"

namespace lean::beacon {

StatePtr MakeGenesisState(size_t validator_count) {
  std::vector<Validator> validators(validator_count);
  for (size_t i = 0; i < validator_count; ++i) {
    validators[i].index = i;
    validators[i].pubkey.data[0] = static_cast<uint8_t>(i);
    validators[i].pubkey.data[1] = static_cast<uint8_t>(i >> 8);
  }
  State state;
  state.config.genesis_time = 1'700'000'000;
  state.latest_block_header.body_root = ssz::HashTreeRoot(BlockBody());
  state.validators = Validators::FromVector(std::move(validators)).value();
  return std::make_shared<const State>(std::move(state));
}

LeanChain MakeChain(size_t validator_count) {
  StatePtr state = MakeGenesisState(validator_count);
  Block block;
  block.state_root = ssz::HashTreeRoot(*state);
  return LeanChain::FromAnchor(std::move(state), std::make_shared<const Block>(std::move(block))).value();
}

SignedVotePtr SignVote(uint64_t validator, const AttestationData& data) {
  return std::make_shared<const SignedAttestation>(
      SignedAttestation{.message = {.validator_id = validator, .data = data}, .signature = {}});
}

SignedBlockPtr SignBlock(const BuiltBlock& built) { return SignBlock(built, built.proposer_attestation.data); }

SignedBlockPtr SignBlock(const BuiltBlock& built, const AttestationData& proposer_vote) {
  SignedBlockWithAttestation block;
  block.message.block = built.block;
  block.message.proposer_attestation = Attestation{.validator_id = built.block.proposer_index, .data = proposer_vote};
  std::vector<SignatureBytes> signatures = built.signatures;
  signatures.emplace_back();
  block.signature = BlockSignatures::FromVector(std::move(signatures)).value();
  return std::make_shared<const SignedBlockWithAttestation>(std::move(block));
}

BuiltBlock Build(const LeanChain& chain, uint64_t slot) {
  const uint64_t validators = chain.head_state()->validators.size();
  return BuildBlock(chain.PrepareProposal(slot).value(), slot, ProposerOf(slot, validators)).value();
}

SignedBlockPtr RunSlot(LeanChain& chain, uint64_t slot) { return RunSlot(chain, slot, chain.validator_count()); }

SignedBlockPtr RunSlot(LeanChain& chain, uint64_t slot, uint64_t present) {
  const uint64_t validators = chain.validator_count();
  chain.OnInterval(IntervalOf(slot));
  SignedBlockPtr block;
  if (ProposerOf(slot, validators) < present) {
    block = SignBlock(Build(chain, slot));
    chain.OnBlock(block).value();
  }
  chain.OnInterval(IntervalOf(slot, 1));
  const AttestationData data = BuildVote(chain.PrepareVote(slot).value(), slot);
  for (uint64_t validator = 0; validator < present; ++validator) {
    if (validator != ProposerOf(slot, validators)) chain.OnVote(SignVote(validator, data)).value();
  }
  chain.OnInterval(IntervalOf(slot, 3));
  return block;
}

LeanChain ChainFrom(const LeanChain& chain, const Root& anchor, absl::Span<const Checkpoint> known_roots,
                    AnchorHistory history) {
  return LeanChain::FromAnchor(chain.StateOf(anchor), chain.BlockOf(anchor), known_roots, history).value();
}

absl::StatusOr<ChainEvents> StateArchive::OnBlock(LeanChain& chain, const SignedBlockPtr& block, ImportMode mode) {
  absl::StatusOr<ChainEvents> events = chain.OnBlock(block, mode);
  while (const std::optional<Root> needed = NeededState(events.status())) {
    if (!states_.contains(*needed) || !chain.AddState(states_[*needed])) return events;
    ++given_;
    events = chain.OnBlock(block, mode);
  }
  if (events.ok()) Keep(chain, ssz::HashTreeRoot(block->message.block));
  return events;
}

void StateArchive::Keep(const LeanChain& chain, const Root& root) {
  if (StatePtr state = chain.StateOf(root)) states_[root] = std::move(state);
}

void StateArchive::GiveHead(LeanChain& chain) {
  if (chain.head_state() != nullptr || !states_.contains(chain.head().root)) return;
  chain.AddState(states_[chain.head().root]);
  ++given_;
}

AttestationData ReferenceVote(const VoteSnapshot& view, uint64_t slot) {
  const absl::StatusOr<Checkpoint> target = ReferenceVoteTarget(view);
  return AttestationData{.slot = slot,
                         .head = view.head,
                         .target = target.ok() && target->slot >= view.justified.slot ? *target : view.justified,
                         .source = view.justified};
}

VoteSnapshot ViewAfter(const ProposalSnapshot& snapshot, const BuiltBlock& built) {
  VoteSnapshot view = snapshot.view;
  const State post = StateTransition(*view.head_state, built.block, ssz::HashTreeRoot(built.block.body)).value();
  view.head = Checkpoint{.root = built.root, .slot = built.block.slot};
  view.head_state = std::make_shared<const State>(post);
  if (post.latest_justified.slot > view.justified.slot) view.justified = post.latest_justified;
  if (post.latest_finalized.slot > view.finalized.slot) view.finalized = post.latest_finalized;
  return view;
}

}  // namespace lean::beacon
