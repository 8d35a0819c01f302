// The kernels as templates over a lane type; each kernels_*.cpp instantiates them for one.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KERNELS_IMPL_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KERNELS_IMPL_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/derivation.h"
#include "common/crypto/lanes/templates/hashes.h"
#include "common/crypto/lanes/templates/single_root.h"
#include "common/crypto/lanes/templates/staging.h"

namespace lean::crypto::lanes {
namespace {

// The first bytes of everything derived from a key (leanSig f10dcbe: prf/shake_to_field.rs): domain, then 0 for chain
// starts, key, slot, chain.
constexpr uint8_t kChainStartPrefix[17] = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff, 0x21,
                                           0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00, 0x00};
constexpr size_t kPrfKeyBytes = 32;
constexpr uint32_t kChainEnd = 7;

template <typename Lane, size_t kHashLen>
struct KernelsOf {
  using Vector = typename Lane::Vector;
  static constexpr size_t kLanes = Lane::kLanes;

  static void BroadcastParameter(const uint32_t* words, Vector (&parameter)[kParameterWords]) {
    for (size_t i = 0; i < kParameterWords; ++i) parameter[i] = ToMontgomery<Lane>(Broadcast<Lane>(words[i]));
  }

  static uint32_t Steps(const ChainJob& job) { return job.to - job.from; }

  static void WalkGroup(const ChainJob* jobs, size_t count) {
    enum : size_t { kValue = kParameterWords, kLow = kValue + kHashLen, kHigh, kOffset, kSteps, kStaged };
    Staging<Lane, kStaged> staging;
    uint32_t longest = 0;
    for (size_t lane = 0; lane < count; ++lane) {
      const ChainJob& job = jobs[lane];
      const Digits base = ChainTweakBase(job.slot);
      const uint32_t steps = Steps(job);
      if (steps > longest) longest = steps;
      staging.Put(lane, 0, job.parameter, kParameterWords);
      staging.Put(lane, kValue, job.value, kHashLen);
      staging.Put(lane, kLow, base.low);
      staging.Put(lane, kHigh, base.high);
      staging.Put(lane, kOffset, uint32_t{job.chain} << 16 | uint32_t{job.from} << 8);
      staging.Put(lane, kSteps, steps);
    }
    Vector parameter[kParameterWords], value[kHashLen], next[kHashLen];
    for (size_t i = 0; i < kParameterWords; ++i) parameter[i] = staging.LoadMontgomery(i);
    for (size_t i = 0; i < kHashLen; ++i) value[i] = staging.LoadMontgomery(kValue + i);
    const TweakVector<Lane> base = {staging.Load(kLow), staging.Load(kHigh)};
    const Vector steps = staging.Load(kSteps);
    Vector offset = staging.Load(kOffset);
    for (uint32_t step = 1; step <= longest; ++step) {
      offset += 1 << 8;
      ChainStep<Lane>(parameter, ChainTweak<Lane>(base, offset), value, next);
      const auto active = Broadcast<Lane>(step) <= steps;
      for (size_t i = 0; i < kHashLen; ++i) value[i] = active ? next[i] : value[i];
    }
    for (size_t i = 0; i < kHashLen; ++i) staging.StoreCanonical(i, value[i]);
    for (size_t lane = 0; lane < count; ++lane) TakeNode(staging, lane, kHashLen, jobs[lane].value, kNodeStride);
    staging.Wipe();
  }

  static void WalkChains(const ChainJob* jobs, size_t count) {
    using Narrow = typename Lane::SingleLane;
    while (count > 0) {
      size_t used = LanesUsed<Lane>(count);
      // A step of a narrow group takes little more than half as long as one of a wide group: not worth a wide one for a
      // few long chains (a lone signature's, above all).
      if (Narrow::kLanes < kLanes && (count <= Narrow::kLanes || 2 * Steps(jobs[Narrow::kLanes]) <= Steps(jobs[0]))) {
        used = LanesUsed<Narrow>(count);
        KernelsOf<Narrow, kHashLen>::WalkGroup(jobs, used);
      } else {
        WalkGroup(jobs, used);
      }
      jobs += used;
      count -= used;
    }
  }

  static void LeafGroup(const LeafSource& source, uint32_t first_slot, size_t count, uint32_t* leaves) {
    constexpr size_t kSlotOffset = sizeof(kChainStartPrefix) + kPrfKeyBytes;
    uint8_t prefix[kSlotOffset + 4 + 8] = {};
    __builtin_memcpy(prefix, kChainStartPrefix, sizeof(kChainStartPrefix));
    __builtin_memcpy(prefix + sizeof(kChainStartPrefix), source.prf_key, kPrfKeyBytes);
    const DerivationBlock<Lane> seed(prefix, sizeof(prefix));
    __builtin_memset(prefix, 0, sizeof(prefix));
    asm volatile("" : : "r"(prefix) : "memory");

    enum : size_t { kChainLow, kChainHigh, kTreeLow, kTreeHigh, kTweaks };
    Staging<Lane, kTweaks> tweaks;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const Digits chain = ChainTweakBase(first_slot + lane), tree = TreeTweak(0, first_slot + lane);
      tweaks.Put(lane, kChainLow, chain.low);
      tweaks.Put(lane, kChainHigh, chain.high);
      tweaks.Put(lane, kTreeLow, tree.low);
      tweaks.Put(lane, kTreeHigh, tree.high);
    }
    const TweakVector<Lane> base = {tweaks.Load(kChainLow), tweaks.Load(kChainHigh)};
    Vector parameter[kParameterWords], value[kHashLen], next[kHashLen];
    BroadcastParameter(source.parameter, parameter);
    LeafSponge<Lane> sponge(source.capacity, parameter,
                            {tweaks.LoadMontgomery(kTreeLow), tweaks.LoadMontgomery(kTreeHigh)});
    for (uint32_t chain = 0; chain < kChains; ++chain) {
      DerivationBlock<Lane> block = seed;
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        // The slot takes 4 bytes; the 4 after it are the high half of the chain's number, zero.
        block.Put(lane, kSlotOffset, uint64_t{first_slot + lane} << 32);
        block.Put(lane, kSlotOffset + 4, chain);
      }
      block.Derive(kHashLen, value);
      for (uint32_t position = 1; position <= kChainEnd; ++position) {
        const Vector offset = Broadcast<Lane>(chain << 16 | position << 8);
        ChainStep<Lane>(parameter, ChainTweak<Lane>(base, offset), value, next);
        for (size_t i = 0; i < kHashLen; ++i) value[i] = next[i];
      }
      sponge.Absorb(value, kHashLen);
    }
    const Vector* leaf = sponge.Finish();
    Staging<Lane, kHashLen> staging;
    for (size_t i = 0; i < kHashLen; ++i) staging.StoreCanonical(i, leaf[i]);
    for (size_t lane = 0; lane < count; ++lane) staging.Take(lane, leaves + lane * kHashLen, kHashLen);
  }

  static void Leaves(const LeafSource& source, uint32_t first_slot, size_t count, uint32_t* leaves) {
    while (count > 0) {
      const size_t used = LanesUsed<Lane>(count);
      LeafGroup(source, first_slot, used, leaves);
      first_slot += static_cast<uint32_t>(used);
      leaves += used * kHashLen;
      count -= used;
    }
  }

  static void RootGroup(const uint32_t* capacity, size_t height, const RootJob* jobs, size_t count) {
    Staging<Lane, kPrefixWords> prefix;
    for (size_t lane = 0; lane < count; ++lane) {
      const Digits tweak = TreeTweak(0, jobs[lane].slot);
      prefix.Put(lane, 0, jobs[lane].parameter, kParameterWords);
      prefix.Put(lane, kParameterWords, tweak.low);
      prefix.Put(lane, kParameterWords + 1, tweak.high);
    }
    Vector parameter[kParameterWords];
    for (size_t i = 0; i < kParameterWords; ++i) parameter[i] = prefix.LoadMontgomery(i);
    LeafSponge<Lane> sponge(capacity, parameter,
                            {prefix.LoadMontgomery(kParameterWords), prefix.LoadMontgomery(kParameterWords + 1)});
    Staging<Lane, kHashLen> staging;
    Vector node[kHashLen];
    for (size_t chain = 0; chain < kChains; ++chain) {
      for (size_t lane = 0; lane < count; ++lane) {
        staging.Put(lane, 0, jobs[lane].ends + chain * kNodeStride, kHashLen);
      }
      for (size_t i = 0; i < kHashLen; ++i) node[i] = staging.LoadMontgomery(i);
      sponge.Absorb(node, kHashLen);
    }
    const Vector* leaf = sponge.Finish();
    for (size_t i = 0; i < kHashLen; ++i) node[i] = leaf[i];
    enum : size_t { kLow = kHashLen, kHigh, kSide, kStaged };
    Staging<Lane, kStaged> level_words;
    for (size_t level = 0; level < height; ++level) {
      for (size_t lane = 0; lane < count; ++lane) {
        const uint64_t index = jobs[lane].slot >> level;
        const Digits tweak = TreeTweak(level + 1, index >> 1);
        level_words.Put(lane, 0, jobs[lane].path + level * kNodeStride, kHashLen);
        level_words.Put(lane, kLow, tweak.low);
        level_words.Put(lane, kHigh, tweak.high);
        level_words.Put(lane, kSide, index & 1);
      }
      const auto is_right = level_words.Load(kSide) != 0;
      Vector left[kHashLen], right[kHashLen];
      for (size_t i = 0; i < kHashLen; ++i) {
        const Vector sibling = level_words.LoadMontgomery(i);
        left[i] = is_right ? sibling : node[i];
        right[i] = is_right ? node[i] : sibling;
      }
      Parent<Lane>(parameter, {level_words.LoadMontgomery(kLow), level_words.LoadMontgomery(kHigh)}, left, right, node);
    }
    for (size_t i = 0; i < kHashLen; ++i) staging.StoreCanonical(i, node[i]);
    for (size_t lane = 0; lane < count; ++lane) TakeNode(staging, lane, kHashLen, jobs[lane].root, kNodeStride);
  }

  static void Roots(const uint32_t* capacity, size_t height, const RootJob* jobs, size_t count) {
    using Narrow = typename Lane::SingleLane;
    // On all instruction sets, a group of narrow lanes takes about as long as three jobs one after the other.
    constexpr size_t kOneByOne = 3;
    while (count > kOneByOne) {
      const bool narrow = count <= Narrow::kLanes;
      const size_t used = narrow ? count : LanesUsed<Lane>(count);
      if (narrow) {
        KernelsOf<Narrow, kHashLen>::RootGroup(capacity, height, jobs, used);
      } else {
        RootGroup(capacity, height, jobs, used);
      }
      jobs += used;
      count -= used;
    }
    for (; count > 0; ++jobs, --count) SingleRoot<Narrow, kHashLen>(capacity, height, *jobs).Compute(jobs->root);
  }

  static void Parents(const uint32_t* parameter_words, uint32_t level, uint64_t first_index, const uint32_t* children,
                      size_t count, uint32_t* nodes) {
    Vector parameter[kParameterWords];
    BroadcastParameter(parameter_words, parameter);
    enum : size_t { kLow = 2 * kHashLen, kHigh, kStaged };
    Staging<Lane, kStaged> staging;
    while (count > 0) {
      const size_t used = LanesUsed<Lane>(count);
      for (size_t lane = 0; lane < used; ++lane) {
        const Digits tweak = TreeTweak(level, first_index + lane);
        staging.Put(lane, 0, children + lane * 2 * kHashLen, 2 * kHashLen);
        staging.Put(lane, kLow, tweak.low);
        staging.Put(lane, kHigh, tweak.high);
      }
      Vector left[kHashLen], right[kHashLen], parent[kHashLen];
      for (size_t i = 0; i < kHashLen; ++i) {
        left[i] = staging.LoadMontgomery(i);
        right[i] = staging.LoadMontgomery(kHashLen + i);
      }
      Parent<Lane>(parameter, {staging.LoadMontgomery(kLow), staging.LoadMontgomery(kHigh)}, left, right, parent);
      for (size_t i = 0; i < kHashLen; ++i) staging.StoreCanonical(i, parent[i]);
      for (size_t lane = 0; lane < used; ++lane) staging.Take(lane, nodes + lane * kHashLen, kHashLen);
      first_index += used;
      children += used * 2 * kHashLen;
      nodes += used * kHashLen;
      count -= used;
    }
  }
};

template <typename Lane>
void Derive(const uint8_t* prefix, size_t prefix_bytes, uint64_t first_counter, size_t count, size_t words,
            uint32_t* nodes) {
  constexpr size_t kMaxPrefix = 128;
  uint8_t bytes[kMaxPrefix + 8] = {};
  for (size_t i = 0; i < prefix_bytes; ++i) bytes[i] = prefix[i];
  const DerivationBlock<Lane> common(bytes, prefix_bytes + 8);
  __builtin_memset(bytes, 0, sizeof(bytes));
  asm volatile("" : : "r"(bytes) : "memory");
  while (count > 0) {
    const size_t used = LanesUsed<Lane>(count);
    DerivationBlock<Lane> block = common;
    for (size_t lane = 0; lane < used; ++lane) block.Put(lane, prefix_bytes, first_counter + lane);
    typename Lane::Vector derived[kNodeStride];
    block.Derive(words, derived);
    Staging<Lane, kNodeStride> staging;
    for (size_t i = 0; i < words; ++i) staging.StoreCanonical(i, derived[i]);
    for (size_t lane = 0; lane < used; ++lane) staging.Take(lane, nodes + lane * kNodeStride, kNodeStride);
    staging.Wipe();
    first_counter += used;
    nodes += used * kNodeStride;
    count -= used;
  }
}

template <typename Lane, size_t kWidth, bool kCompress>
void HashStates(const uint32_t* inputs, size_t count, uint32_t* outputs) {
  Staging<Lane, kWidth> staging;
  while (count > 0) {
    const size_t used = LanesUsed<Lane>(count);
    for (size_t lane = 0; lane < used; ++lane) staging.Put(lane, 0, inputs + lane * kWidth, kWidth);
    typename Lane::Vector input[kWidth], state[kWidth];
    for (size_t i = 0; i < kWidth; ++i) state[i] = input[i] = staging.LoadMontgomery(i);
    Permute<Lane, kWidth>(state);
    for (size_t i = 0; i < kWidth; ++i) {
      staging.StoreCanonical(i, kCompress ? Add<Lane>(state[i], input[i]) : state[i]);
    }
    for (size_t lane = 0; lane < used; ++lane) staging.Take(lane, outputs + lane * kWidth, kWidth);
    inputs += used * kWidth;
    outputs += used * kWidth;
    count -= used;
  }
}

template <typename Lane, size_t kWidth>
void PermuteOneByOne(uint32_t* states, size_t count) {
  using SingleLane = typename Lane::SingleLane;
  for (size_t i = 0; i < count; ++i, states += kWidth) {
    uint32_t state[kWidth];
    __builtin_memcpy(state, states, sizeof(state));
    WordsToMontgomery<SingleLane>(state, kWidth);
    SinglePermutation<SingleLane, kWidth>::Permute(state);
    WordsFromMontgomery<SingleLane>(state, kWidth);
    __builtin_memcpy(states, state, sizeof(state));
  }
}

template <typename Lane>
constexpr Kernels MakeKernels(Isa isa) {
  using Long = KernelsOf<Lane, 8>;
  using Short = KernelsOf<Lane, 7>;
  return {
      .isa = isa,
      .lanes = Lane::kLanes,
      .derive = Derive<Lane>,
      .walk_chains =
          [](size_t hash_len, const ChainJob* jobs, size_t count) {
            hash_len == 8 ? Long::WalkChains(jobs, count) : Short::WalkChains(jobs, count);
          },
      .leaves =
          [](const LeafSource& source, uint32_t first_slot, size_t count, uint32_t* leaves) {
            source.hash_len == 8 ? Long::Leaves(source, first_slot, count, leaves)
                                 : Short::Leaves(source, first_slot, count, leaves);
          },
      .roots =
          [](size_t hash_len, const uint32_t* capacity, size_t height, const RootJob* jobs, size_t count) {
            hash_len == 8 ? Long::Roots(capacity, height, jobs, count) : Short::Roots(capacity, height, jobs, count);
          },
      .parents =
          [](size_t hash_len, const uint32_t* parameter, uint32_t level, uint64_t first_index, const uint32_t* children,
             size_t count, uint32_t* nodes) {
            hash_len == 8 ? Long::Parents(parameter, level, first_index, children, count, nodes)
                          : Short::Parents(parameter, level, first_index, children, count, nodes);
          },
      .compress24 = HashStates<Lane, 24, true>,
      .permute16 = [](uint32_t* states, size_t count) { HashStates<Lane, 16, false>(states, count, states); },
      .permute24 = [](uint32_t* states, size_t count) { HashStates<Lane, 24, false>(states, count, states); },
      .permute16_single = PermuteOneByOne<Lane, 16>,
      .permute24_single = PermuteOneByOne<Lane, 24>,
  };
}

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_KERNELS_IMPL_H_
