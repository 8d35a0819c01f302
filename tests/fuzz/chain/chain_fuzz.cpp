// Blocks, votes and ticks in any order, right ones and wrong ones, on a small registry: LeanChain accepts and computes
// what the model does, with and without pruning, and accepts what its own builders build.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "beacon/chain/state_transition.h"
#include "tests/beacon/chain/chain_testing.h"
#include "tests/fuzz/chain/chain_model.h"
#include "tests/fuzz/fuzzing.h"

namespace lean::fuzz {
namespace {

using beacon::ChainErrorKind;
using beacon::ImportMode;
using beacon::LeanChain;

constexpr size_t kMostSteps = 96;
constexpr size_t kMostBlocks = 40;

std::optional<ModelState> Simplified(const std::optional<State>& state, size_t validators, const Checkpoint& block) {
  if (!state.has_value()) return std::nullopt;
  ModelState simple{.block = block,
                    .justified = state->latest_justified,
                    .finalized = state->latest_finalized,
                    .history = state->historical_block_hashes.ToVector(),
                    .justified_slots = {},
                    .tallies = {}};
  for (size_t i = 0; i < state->justified_slots.size(); ++i) {
    simple.justified_slots.push_back(state->justified_slots[i]);
  }
  for (size_t i = 0; i < state->justifications_roots.size(); ++i) {
    std::vector<bool>& tally = simple.tallies[state->justifications_roots[i]];
    for (size_t v = 0; v < validators; ++v) {
      tally.push_back(state->justifications_validators[i * validators + v]);
    }
  }
  return simple;
}

bool Equal(const ModelState& a, const ModelState& b) {
  return a.justified == b.justified && a.finalized == b.finalized && a.history == b.history &&
         a.justified_slots == b.justified_slots && a.tallies == b.tallies;
}

class Run {
 public:
  explicit Run(ByteSpan bytes)
      : input_(bytes),
        validators_(1 + input_.Below(7)),
        prunes_(input_.Chance(2)),
        chain_(beacon::MakeChain(validators_)),
        model_(validators_, chain_.head().root) {
    blocks_.push_back(chain_.head());
    states_.push_back(chain_.head_state());
    archive_.Keep(chain_, chain_.head().root);
  }

  void Go() {
    for (size_t step = 0; step < kMostSteps && !input_.empty(); ++step) {
      if (!Step()) return;
      Compare();
    }
  }

 private:
  // False: the run has come to what pruning excludes.
  bool Step() {
    switch (input_.Below(8)) {
      case 0:
      case 1:
        return Import(MakeBlock());
      case 2:
        Build();
        break;
      case 3:
      case 4:
        Vote({.validator_id = input_.Below(validators_), .data = MakeData(nullptr)});
        break;
      case 5:
        VoteByDuty();
        break;
      case 6: {
        const uint64_t interval = chain_.time_intervals() + 1 + input_.Below(input_.Chance(8) ? 60 : 8);
        chain_.OnInterval(interval);
        model_.OnInterval(interval);
        break;
      }
      default: {
        if (!input_.Chance(4)) return true;
        const uint64_t interval =
            chain_.time_intervals() - std::min<uint64_t>(chain_.time_intervals(), input_.Below(9));
        chain_.SetTimeBack(interval);
        model_.SetTimeBack(interval);
      }
    }
    return !prunes_ || Prune();
  }

  // Mostly a block of the tree, at its slot.
  Checkpoint MakeCheckpoint() {
    const uint8_t choice = input_.Byte();
    if (choice == 255) return {.root = Root{}, .slot = input_.Below(8)};
    Checkpoint checkpoint = blocks_[choice % blocks_.size()];
    if (choice == 254) checkpoint.slot += input_.Below(3);
    if (choice == 253) checkpoint.root.data[0] ^= 1;
    return checkpoint;
  }

  AttestationData MakeData(const Checkpoint* parent) {
    AttestationData data{.slot = chain_.current_slot(), .head = {}, .target = {}, .source = {}};
    const uint8_t shift = input_.Byte();
    if (shift >= 250) data.slot += shift - 250;
    if (shift < 64) data.slot -= std::min<uint64_t>(data.slot, shift % 8);
    data.head = MakeCheckpoint();
    data.target = MakeCheckpoint();
    // Mostly the source that counts.
    data.source = input_.Chance(4) ? MakeCheckpoint() : model_.justified();
    if (parent != nullptr && !input_.Chance(3)) data.source = model_.StateOf(parent->root).justified;
    if (data.source.root.IsZero() && data.source.slot == 0) data.source = blocks_[0];
    return data;
  }

  struct Made {
    beacon::SignedBlockPtr block;
    Root root;
    bool state_root_is_right = true;
    std::optional<State> state;
  };

  Made MakeBlock() {
    Made made;
    SignedBlockWithAttestation signed_block;
    Block& block = signed_block.message.block;
    const size_t parent = input_.Chance(3) ? input_.Byte() % blocks_.size() : blocks_.size() - 1;
    block.parent_root = blocks_[parent].root;
    block.slot = blocks_[parent].slot + 1 + (input_.Chance(3) ? input_.Below(6) : 0);
    if (input_.Chance(64)) block.slot = blocks_[parent].slot;
    block.proposer_index = (block.slot + (input_.Chance(64) ? 1 : 0)) % validators_;
    std::vector<Attestation> votes;
    const AttestationData common = MakeData(&blocks_[parent]);
    const size_t count = input_.Below(validators_ + 3);
    for (size_t i = 0; i < count; ++i) {
      const uint8_t choice = input_.Byte();
      const bool is_common = choice < 200;
      votes.push_back(
          {.validator_id = is_common ? (choice + i) % validators_ : choice % (validators_ + (choice == 254)),
           .data = is_common ? common : MakeData(&blocks_[parent])});
    }
    block.body.attestations = *Attestations::FromVector(std::move(votes));
    const Root body_root = ssz::HashTreeRoot(block.body);
    const absl::StatusOr<State> state = beacon::ProcessSlotsAndBlock(*states_[parent], block, body_root);
    // The transition itself, whatever the store says.
    const std::optional<ModelState> expected =
        Transition(model_.StateOf(block.parent_root), validators_, block, Root{});
    const std::optional<ModelState> simple =
        Simplified(state.ok() ? std::optional(*state) : std::nullopt, validators_, {});
    Require(expected.has_value() == simple.has_value() && (!expected.has_value() || Equal(*expected, *simple)));
    made.state_root_is_right = !input_.Chance(64);
    if (state.ok()) {
      made.state = *state;
      block.state_root = ssz::HashTreeRoot(*state);
      if (!made.state_root_is_right) block.state_root.data[3] ^= 1;
    }
    made.root = ssz::HashTreeRoot(block);
    signed_block.message.proposer_attestation = {.validator_id = block.proposer_index, .data = common};
    if (input_.Chance(8)) signed_block.message.proposer_attestation.data.head.root = made.root;
    const size_t signatures = block.body.attestations.size() + (input_.Chance(64) ? 0 : 1);
    signed_block.signature = *BlockSignatures::FromVector(std::vector<SignatureBytes>(signatures));
    made.block = std::make_shared<const SignedBlockWithAttestation>(std::move(signed_block));
    return made;
  }

  bool Import(const Made& made) {
    if (blocks_.size() >= kMostBlocks) return true;
    const bool as_history = input_.Chance(8);
    const bool is_new = !model_.Has(made.root);
    const absl::StatusOr<beacon::ChainEvents> events =
        archive_.OnBlock(chain_, made.block, as_history ? ImportMode::kHistory : ImportMode::kLive);
    // What finality has abandoned may be gone, which the model does not know.
    if (prunes_ && beacon::KindOf(events.status()) == ChainErrorKind::kTooOld) return true;
    const bool accepted = model_.OnBlock(*made.block, made.root, made.state_root_is_right, as_history);
    Require(events.ok() == accepted);
    if (!accepted || !is_new) return true;
    Require(!events->already_known && made.state.has_value());
    blocks_.push_back({.root = made.root, .slot = made.block->message.block.slot});
    states_.push_back(std::make_shared<const State>(*made.state));
    return !prunes_ || Prune();
  }

  // The chain accepts the block that it builds.
  void Build() {
    if (blocks_.size() >= kMostBlocks) return;
    archive_.GiveHead(chain_);
    const uint64_t slot = chain_.current_slot() + input_.Below(2);
    absl::StatusOr<beacon::ProposalSnapshot> snapshot = chain_.PrepareProposal(slot);
    if (!snapshot.ok()) return;
    const absl::StatusOr<beacon::BuiltBlock> built =
        beacon::BuildBlock(*snapshot, slot, beacon::ProposerOf(slot, validators_));
    Require(built.ok());
    // Its proposer's vote is for its slot, so it is early in the slot before.
    if (slot > chain_.current_slot()) return;
    const Made made{.block = beacon::SignBlock(*built),
                    .root = built->root,
                    .state_root_is_right = true,
                    .state = *beacon::ProcessSlotsAndBlock(*snapshot->view.head_state, built->block,
                                                           ssz::HashTreeRoot(built->block.body))};
    const absl::StatusOr<beacon::ChainEvents> events = archive_.OnBlock(chain_, made.block);
    Require(events.ok());
    const bool is_new = !model_.Has(made.root);
    Require(model_.OnBlock(*made.block, made.root, /*state_root_is_right=*/true, /*as_history=*/false));
    if (!is_new) return;
    blocks_.push_back({.root = made.root, .slot = slot});
    states_.push_back(std::make_shared<const State>(*made.state));
  }

  void Vote(const Attestation& vote) {
    Require(chain_.OnVote(beacon::SignVote(vote.validator_id, vote.data)).ok() == model_.OnVote(vote));
  }

  // The chain accepts the votes that it builds.
  void VoteByDuty() {
    archive_.GiveHead(chain_);
    const absl::StatusOr<beacon::VoteSnapshot> snapshot = chain_.PrepareVote(chain_.current_slot());
    if (!snapshot.ok()) return;
    const AttestationData data = beacon::BuildVote(*snapshot, chain_.current_slot());
    const size_t count = input_.Below(validators_ + 1);
    for (uint64_t validator = 0; validator < count; ++validator) {
      Require(chain_.OnVote(beacon::SignVote(validator, data)).ok());
      Require(model_.OnVote({.validator_id = validator, .data = data}));
    }
  }

  bool Prune() {
    // Two thirds have voted against each other, or the head is on a branch that finality has abandoned: what is dropped
    // may count in the model.
    if (!model_.Descends(model_.justified().root, model_.finalized().root)) return false;
    chain_.Prune({.states = 2, .blocks = 4});
    return true;
  }

  void Compare() const {
    Require(chain_.time_intervals() == model_.time());
    Require(chain_.justified() == model_.justified());
    Require(chain_.finalized() == model_.finalized());
    Require(chain_.head() == model_.head());
    Require(chain_.safe_target() == model_.safe_target());
    CompareVotes(chain_.known_votes(), model_.known());
    CompareVotes(chain_.pending_votes(), model_.pending());
    for (const beacon::ForkChoiceNode& node : chain_.ForkChoiceNodes()) {
      Require(model_.Has(node.root) && node.weight == model_.WeightOf(node.root));
      Require(!node.canonical || model_.Descends(model_.head().root, node.root));
    }
  }

  static void CompareVotes(const beacon::VoteMap& votes, const std::map<uint64_t, AttestationData>& expected) {
    Require(votes.size() == expected.size());
    for (const auto& [validator, data] : expected) {
      Require(votes.Find(validator) != nullptr && votes.Find(validator)->message.data == data);
    }
  }

  Input input_;
  const size_t validators_;
  const bool prunes_;
  LeanChain chain_;
  ChainModel model_;
  beacon::StateArchive archive_;
  std::vector<Checkpoint> blocks_;  // that both have accepted
  std::vector<beacon::StatePtr> states_;
};

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lean::fuzz::Run(lean::ByteSpan(data, size)).Go();
  return 0;
}
