// What XMSS spends its time on, by instruction set: Poseidon2 in lanes and alone, SHAKE128 derivation, and the kernels
// built on them. Times are for one permutation, derivation, chain step, leaf, … whatever goes together.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/poseidon2/poseidon2.h"
#include "common/crypto/sha.h"

namespace lean::crypto::lanes {
namespace {

constexpr size_t kHashLen = 8;
constexpr size_t kHeight = 32;

std::string NameOf(Isa isa) { return isa == Isa::kPortable ? "portable" : isa == Isa::kAvx2 ? "avx2" : "avx512"; }

// `count` things in each iteration.
void SetItems(benchmark::State& state, size_t count) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
  state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations() * static_cast<int64_t>(count)),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void PermuteStates(benchmark::State& state, void (*permute)(uint32_t*, size_t), size_t width, size_t count) {
  std::vector<uint32_t> states(width * count, 1);
  for (auto _ : state) {
    permute(states.data(), count);
    benchmark::ClobberMemory();
  }
  SetItems(state, count);
}

void Derive(benchmark::State& state, const Kernels& kernels) {
  const std::array<uint8_t, 53> prefix = {};
  std::vector<uint32_t> nodes(kChains * kNodeStride);
  uint64_t counter = 0;
  for (auto _ : state) {
    kernels.derive(prefix.data(), prefix.size(), counter += kChains, kChains, kHashLen, nodes.data());
    benchmark::ClobberMemory();
  }
  SetItems(state, kChains);
}

void ChainSteps(benchmark::State& state, const Kernels& kernels) {
  constexpr size_t kSteps = 7;
  const std::array<uint32_t, kParameterWords> parameter = {1, 2, 3, 4, 5};
  std::vector<uint32_t> nodes(kChains * kNodeStride);
  std::vector<ChainJob> jobs;
  for (uint8_t chain = 0; chain < kChains; ++chain) {
    jobs.push_back({parameter.data(), &nodes[chain * kNodeStride], 1, chain, 0, kSteps});
  }
  for (auto _ : state) {
    kernels.walk_chains(kHashLen, jobs.data(), jobs.size());
    benchmark::ClobberMemory();
  }
  SetItems(state, kChains * kSteps);
}

void Leaves(benchmark::State& state, const Kernels& kernels) {
  const std::array<uint8_t, 32> key = {};
  const std::array<uint32_t, kParameterWords> parameter = {1, 2, 3, 4, 5};
  const std::array<uint32_t, kCapacityWords> capacity = {};
  std::vector<uint32_t> leaves(kernels.lanes * kHashLen);
  uint32_t slot = 0;
  for (auto _ : state) {
    kernels.leaves({key.data(), parameter.data(), capacity.data(), kHashLen}, slot, kernels.lanes, leaves.data());
    slot += static_cast<uint32_t>(kernels.lanes);
    benchmark::ClobberMemory();
  }
  SetItems(state, kernels.lanes);
}

void Roots(benchmark::State& state, const Kernels& kernels, size_t count) {
  const std::array<uint32_t, kParameterWords> parameter = {1, 2, 3, 4, 5};
  const std::array<uint32_t, kCapacityWords> capacity = {};
  std::vector<uint32_t> ends(kChains * kNodeStride), path(kHeight * kNodeStride), roots(count * kNodeStride);
  std::vector<RootJob> jobs;
  for (size_t i = 0; i < count; ++i) {
    jobs.push_back({parameter.data(), ends.data(), path.data(), &roots[i * kNodeStride], static_cast<uint32_t>(i)});
  }
  for (auto _ : state) {
    kernels.roots(kHashLen, capacity.data(), kHeight, jobs.data(), count);
    benchmark::ClobberMemory();
  }
  SetItems(state, count);
}

void Parents(benchmark::State& state, const Kernels& kernels) {
  constexpr size_t kCount = 64;
  const std::array<uint32_t, kParameterWords> parameter = {1, 2, 3, 4, 5};
  std::vector<uint32_t> children(2 * kCount * kHashLen), nodes(kCount * kHashLen);
  for (auto _ : state) {
    kernels.parents(kHashLen, parameter.data(), 1, 0, children.data(), kCount, nodes.data());
    benchmark::ClobberMemory();
  }
  SetItems(state, kCount);
}

template <size_t kWidth>
void ScalarPermutation(benchmark::State& state) {
  std::array<Fp, kWidth> words{};
  for (auto _ : state) {
    poseidon2::Permute(words);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ScalarPermutation<16>)->Name("poseidon2/scalar/w16");
BENCHMARK(ScalarPermutation<24>)->Name("poseidon2/scalar/w24");

void ScalarShake(benchmark::State& state) {
  const std::array<uint8_t, 61> input = {};
  std::array<uint8_t, 128> output;
  for (auto _ : state) {
    Shake128(input, absl::MakeSpan(output));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ScalarShake)->Name("keccak/scalar/derive");

// Those of the instruction sets that this CPU has.
const bool kRegistered = [] {
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (!IsSupported(isa)) continue;
    const Kernels& kernels = KernelsFor(isa);
    const std::string name = NameOf(isa);
    const auto add = [&](const std::string& prefix, const std::string& suffix, auto function, auto... arguments) {
      benchmark::RegisterBenchmark((prefix + name + suffix).c_str(), function, arguments...);
    };
    constexpr size_t kStates = 64;
    add("poseidon2/", "/w16", PermuteStates, kernels.permute16, 16, kStates);
    add("poseidon2/", "/w24", PermuteStates, kernels.permute24, 24, kStates);
    add("poseidon2/", "/w16_single", PermuteStates, kernels.permute16_single, 16, kStates);
    add("poseidon2/", "/w24_single", PermuteStates, kernels.permute24_single, 24, kStates);
    const auto reference = [&kernels](auto function) {
      return [function, &kernels](benchmark::State& state) { function(state, kernels); };
    };
    add("keccak/", "/derive", reference(Derive));
    add("lanes/", "/chain_step", reference(ChainSteps));
    add("lanes/", "/leaf", reference(Leaves));
    add("lanes/", "/parent", reference(Parents));
    for (const size_t count : {size_t{1}, kernels.lanes}) {
      add("lanes/", count == 1 ? "/root_one" : "/root_batch",
          [&kernels, count](benchmark::State& state) { Roots(state, kernels, count); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace lean::crypto::lanes
