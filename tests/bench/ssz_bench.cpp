// What hashing and coding cost: one node of a Merkle tree, a state after one more block, the largest block.
#include <cstdint>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/containers/containers.h"
#include "common/crypto/sha.h"

namespace lean {
namespace {

// Any root, different for each seed.
Root SomeRoot(uint64_t seed) { return crypto::HashPair(ssz::HashTreeRoot(seed), Root{}); }

void HashPair(benchmark::State& state) {
  Root root = SomeRoot(1);
  const Root sibling = SomeRoot(2);
  for (auto _ : state) benchmark::DoNotOptimize(root = crypto::HashPair(root, sibling));
  state.SetBytesProcessed(state.iterations() * 64);
}
BENCHMARK(HashPair);

// A layer of a tree; items are pairs.
void HashPairs(benchmark::State& state) {
  std::vector<Root> children(static_cast<size_t>(2 * state.range(0)), SomeRoot(1));
  std::vector<Root> parents(children.size() / 2);
  for (auto _ : state) {
    crypto::HashPairs(children, absl::MakeSpan(parents));
    benchmark::DoNotOptimize(parents.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(HashPairs)->Arg(4096);

// A chain of `slots` blocks with `validators` validators, three roots being voted on.
State StateAtSlot(uint64_t slots, size_t validators) {
  State state;
  state.slot = slots;
  std::vector<Root> hashes(slots);
  ssz::Bits justified(slots);
  for (uint64_t slot = 0; slot < slots; ++slot) {
    hashes[slot] = SomeRoot(slot);
    justified.Set(slot, slot % 3 == 0);
  }
  state.historical_block_hashes = *HistoricalBlockHashes::FromVector(hashes);
  state.justified_slots = *JustifiedSlots::FromBits(justified);
  std::vector<Validator> registry(validators);
  for (size_t i = 0; i < validators; ++i) registry[i].index = i;
  state.validators = *Validators::FromVector(std::move(registry));
  state.justifications_roots = *JustificationsRoots::FromVector({SomeRoot(1), SomeRoot(2), SomeRoot(3)});
  state.justifications_validators = *JustificationsValidators::FromBits(ssz::Bits(3 * validators));
  return state;
}

// Copies a state, changes it as a block does (header, one more slot, votes of all validators), and hashes the copy.
void StateAfterBlock(benchmark::State& bench) {
  constexpr size_t kValidators = 4096;
  const auto slots = static_cast<uint64_t>(bench.range(0));
  const State before = StateAtSlot(slots - 1, kValidators);
  uint64_t round = 0;
  for (auto _ : bench) {
    State after = before;
    ++after.slot;
    after.latest_block_header.parent_root = SomeRoot(++round);
    benchmark::DoNotOptimize(after.historical_block_hashes.push_back(SomeRoot(round)));
    benchmark::DoNotOptimize(after.justified_slots.push_back(true));
    ssz::Bits votes = after.justifications_validators.ToBits();
    for (size_t i = 0; i < kValidators; ++i) votes.Set(i, (i + round) % 2 == 0);
    benchmark::DoNotOptimize(after.justifications_validators.Assign(votes));
    benchmark::DoNotOptimize(ssz::HashTreeRoot(after));
  }
}
BENCHMARK(StateAfterBlock)->Arg(1 << 10)->Arg(1 << 14)->Arg(1 << 18)->Unit(benchmark::kMicrosecond);

// The same without votes: the cost of the long lists alone.
void StateAfterEmptyBlock(benchmark::State& bench) {
  const State before = StateAtSlot(static_cast<uint64_t>(bench.range(0)) - 1, 4096);
  uint64_t round = 0;
  for (auto _ : bench) {
    State after = before;
    ++after.slot;
    after.latest_block_header.parent_root = SomeRoot(++round);
    benchmark::DoNotOptimize(after.historical_block_hashes.push_back(SomeRoot(round)));
    benchmark::DoNotOptimize(after.justified_slots.push_back(true));
    benchmark::DoNotOptimize(ssz::HashTreeRoot(after));
  }
}
BENCHMARK(StateAfterEmptyBlock)->Arg(1 << 10)->Arg(1 << 14)->Arg(1 << 18)->Unit(benchmark::kMicrosecond);

void StateFromScratch(benchmark::State& bench) {
  const std::vector<uint8_t> bytes = ssz::Serialize(StateAtSlot(static_cast<uint64_t>(bench.range(0)), 4096));
  for (auto _ : bench) benchmark::DoNotOptimize(ssz::HashTreeRoot(*ssz::Deserialize<State>(bytes)));
  bench.SetBytesProcessed(bench.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(StateFromScratch)->Arg(1 << 10)->Arg(1 << 18)->Unit(benchmark::kMillisecond);

SignedBlockWithAttestation LargestBlock() {
  SignedBlockWithAttestation block;
  std::vector<Attestation> votes(kMaxVotesInBody);
  for (size_t i = 0; i < votes.size(); ++i) votes[i].validator_id = i;
  block.message.block.body.attestations = *Attestations::FromVector(std::move(votes));
  std::vector<SignatureBytes> signatures(kMaxVotesInBody + 1);
  for (size_t i = 0; i < signatures.size(); ++i) signatures[i].data.fill(static_cast<uint8_t>(i));
  block.signature = *BlockSignatures::FromVector(std::move(signatures));
  return block;
}

void LargestBlockSerialize(benchmark::State& bench) {
  const SignedBlockWithAttestation block = LargestBlock();
  size_t size = 0;
  for (auto _ : bench) benchmark::DoNotOptimize(size = ssz::Serialize(block).size());
  bench.SetBytesProcessed(bench.iterations() * static_cast<int64_t>(size));
}
BENCHMARK(LargestBlockSerialize)->Unit(benchmark::kMillisecond);

void LargestBlockDeserialize(benchmark::State& bench) {
  const std::vector<uint8_t> bytes = ssz::Serialize(LargestBlock());
  for (auto _ : bench) benchmark::DoNotOptimize(ssz::Deserialize<SignedBlockWithAttestation>(bytes));
  bench.SetBytesProcessed(bench.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(LargestBlockDeserialize)->Unit(benchmark::kMillisecond);

// With every signature's bytes, and of the block alone, which is what names it.
void LargestBlockSignedRoot(benchmark::State& bench) {
  const SignedBlockWithAttestation block = LargestBlock();
  for (auto _ : bench) benchmark::DoNotOptimize(ssz::HashTreeRoot(block));
}
BENCHMARK(LargestBlockSignedRoot)->Unit(benchmark::kMillisecond);

void LargestBlockRoot(benchmark::State& bench) {
  const SignedBlockWithAttestation block = LargestBlock();
  for (auto _ : bench) benchmark::DoNotOptimize(ssz::HashTreeRoot(block.message.block));
}
BENCHMARK(LargestBlockRoot)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lean
