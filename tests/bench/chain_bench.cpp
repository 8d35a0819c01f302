// The chain at the largest set of validators: what a slot costs, and that it does not cost more as the chain grows.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/chain/fork_choice.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/chain/state_transition.h"
#include "benchmark/benchmark.h"
#include "tests/beacon/chain/chain_testing.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kValidators = kValidatorRegistryLimit;

// The next block of a chain, without votes.
void AddEmptyBlock(LeanChain& chain) {
  const uint64_t slot = chain.current_slot() + 1;
  chain.OnInterval(slot * kChainIntervalsPerSlot);
  Block block{.slot = slot,
              .proposer_index = ProposerOf(slot, kValidators),
              .parent_root = chain.head().root,
              .state_root = {},
              .body = {}};
  block.state_root =
      ssz::HashTreeRoot(ProcessSlotsAndBlock(*chain.head_state(), block, ssz::HashTreeRoot(block.body)).value());
  const Checkpoint id{.root = ssz::HashTreeRoot(block), .slot = slot};
  SignedBlockWithAttestation signed_block;
  signed_block.message.proposer_attestation = {
      .validator_id = block.proposer_index,
      .data = {.slot = slot, .head = id, .target = chain.justified(), .source = chain.justified()}};
  signed_block.message.block = std::move(block);
  (void)signed_block.signature.push_back({});
  if (!chain.OnBlock(std::make_shared<const SignedBlockWithAttestation>(std::move(signed_block))).ok()) std::abort();
}

// A chain of `slots` blocks in which nobody voted, so that nothing was finalized and nothing could be pruned: the most
// that history can weigh.
LeanChain MakeLongChain(uint64_t slots) {
  LeanChain chain = MakeChain(kValidators);
  for (uint64_t slot = 1; slot <= slots; ++slot) AddEmptyBlock(chain);
  return chain;
}

void VoteByAll(LeanChain& chain, uint64_t slot) {
  const AttestationData data = BuildVote(chain.PrepareVote(slot).value(), slot);
  for (uint64_t validator = 0; validator < kValidators; ++validator) {
    if (!chain.OnVote(SignVote(validator, data)).ok()) std::abort();
  }
}

// One slot of fork choice: 4096 votes move from the last head to the new one, with safe target and head computed.
void BM_ForkChoiceSlot(benchmark::State& state) {
  LeanChain chain = MakeLongChain(static_cast<uint64_t>(state.range(0)));
  VoteByAll(chain, chain.current_slot());
  chain.OnInterval(chain.time_intervals() + 3);
  for (auto _ : state) {
    state.PauseTiming();
    AddEmptyBlock(chain);
    const uint64_t slot = chain.current_slot();
    VoteByAll(chain, slot);
    state.ResumeTiming();
    chain.OnInterval(slot * kChainIntervalsPerSlot + 3);
  }
  state.SetLabel(std::to_string(chain.imported_blocks()) + " blocks, nothing finalized");
}
BENCHMARK(BM_ForkChoiceSlot)->Arg(100)->Arg(10'000)->Arg(100'000)->Iterations(50)->Unit(benchmark::kMicrosecond);

// Votes of a third of the validators go from the head to the tree's first block, or back: the longest way there is.
void BM_ForkChoiceOldVotes(benchmark::State& state) {
  const auto blocks = static_cast<uint64_t>(state.range(0));
  const auto root_of = [](uint64_t slot) {
    Root root;
    std::memcpy(root.data.data(), &slot, sizeof(slot));
    root.data[31] = 1;
    return root;
  };
  ForkChoice fork_choice(root_of(0), Root(), 0);
  for (uint64_t slot = 1; slot <= blocks; ++slot) {
    if (!fork_choice.AddBlock(root_of(slot), root_of(slot - 1), slot)) std::abort();
  }
  for (uint64_t validator = 0; validator < kValidators; ++validator) fork_choice.MoveVote(validator, root_of(blocks));
  fork_choice.UpdateHead(root_of(0));
  uint64_t to = 0;
  for (auto _ : state) {
    for (uint64_t validator = 0; validator < kValidators / 3; ++validator) fork_choice.MoveVote(validator, root_of(to));
    benchmark::DoNotOptimize(fork_choice.UpdateHead(root_of(0)));
    to = blocks - to;
  }
}
BENCHMARK(BM_ForkChoiceOldVotes)->Arg(10'000)->Arg(kHistoricalRootsLimit)->Unit(benchmark::kMillisecond);

// A chain with a full round of votes for its head, which is what the next block carries.
LeanChain MakeVotedChain(uint64_t slots) {
  LeanChain chain = MakeLongChain(slots);
  VoteByAll(chain, chain.current_slot());
  chain.OnInterval((chain.current_slot() + 1) * kChainIntervalsPerSlot);
  return chain;
}

void BM_BuildBlock(benchmark::State& state) {
  const LeanChain chain = MakeVotedChain(static_cast<uint64_t>(state.range(0)));
  size_t votes = 0;
  for (auto _ : state) votes = Build(chain, chain.current_slot()).block.body.attestations.size();
  state.SetLabel(std::to_string(votes) + " votes");
}
BENCHMARK(BM_BuildBlock)->Arg(4)->Arg(10'000)->Unit(benchmark::kMillisecond);

// Only the part of it that holds the read lock.
void BM_PrepareProposal(benchmark::State& state) {
  LeanChain chain = MakeVotedChain(static_cast<uint64_t>(state.range(0)));
  VoteByAll(chain, chain.current_slot());
  for (auto _ : state) benchmark::DoNotOptimize(chain.PrepareProposal(chain.current_slot()));
}
BENCHMARK(BM_PrepareProposal)->Arg(4)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void BM_OnFullBlock(benchmark::State& state) {
  const uint64_t slots = static_cast<uint64_t>(state.range(0));
  LeanChain chain = MakeVotedChain(slots);
  const SignedBlockPtr first = SignBlock(Build(chain, chain.current_slot()));
  // A chain takes a block only once, so this one is refused at the very end, for its state root: all of the work but
  // entering it.
  SignedBlockWithAttestation wrong = *first;
  wrong.message.block.state_root.data[0] ^= 1;
  wrong.message.proposer_attestation.data.head = chain.head();
  const auto block = std::make_shared<const SignedBlockWithAttestation>(std::move(wrong));
  for (auto _ : state) {
    if (chain.OnBlock(block).ok()) std::abort();
  }
  state.SetLabel(std::to_string(first->message.block.body.attestations.size()) + " votes");
}
BENCHMARK(BM_OnFullBlock)->Arg(4)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lean::beacon
