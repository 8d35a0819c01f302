#include "common/crypto/lanes/kernels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "common/crypto/field/koala_bear.h"
#include "tests/common/crypto/lanes/reference.h"

namespace lean::crypto::lanes {
namespace {

using reference::Parameter;
using reference::Words;

// Field elements with the edges of the range among them.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ ^ state_ >> 33) * 0xff51afd7ed558ccdu >> 16;
  }
  uint32_t Element() {
    const uint64_t number = Next();
    if (number % 8 == 0) return number % 16 == 0 ? 0 : Fp::kModulus - 1;
    return static_cast<uint32_t>(number % Fp::kModulus);
  }
  Words Elements(size_t count) {
    Words words(count);
    for (uint32_t& word : words) word = Element();
    return words;
  }
  template <size_t kCount>
  std::array<uint32_t, kCount> Array() {
    std::array<uint32_t, kCount> words;
    for (uint32_t& word : words) word = Element();
    return words;
  }

 private:
  uint64_t state_;
};

Words NodeWords(const uint32_t* node, size_t hash_len) { return Words(node, node + hash_len); }

// A node as callers hold it: words from hash_len on are not to be read.
void PutNode(const Words& words, uint32_t* node) {
  std::fill_n(node, kNodeStride, 0xdeadbeef);
  std::copy(words.begin(), words.end(), node);
}

void ExpectZerosAfter(const uint32_t* node, size_t hash_len) {
  for (size_t i = hash_len; i < kNodeStride; ++i) EXPECT_EQ(node[i], 0u);
}

std::string NameOf(Isa isa) { return isa == Isa::kPortable ? "Portable" : isa == Isa::kAvx2 ? "Avx2" : "Avx512"; }

class KernelsTest : public testing::TestWithParam<std::tuple<Isa, size_t>> {
 protected:
  void SetUp() override {
    if (!IsSupported(isa())) GTEST_SKIP() << "this CPU has no " << NameOf(isa());
    ASSERT_EQ(kernels().isa, isa());
  }
  Isa isa() const { return std::get<0>(GetParam()); }
  size_t hash_len() const { return std::get<1>(GetParam()); }
  const Kernels& kernels() const { return KernelsFor(isa()); }
  // None, one, and around one and two groups of lanes.
  std::vector<size_t> Counts() const {
    const size_t lanes = kernels().lanes;
    return {0, 1, 2, 3, lanes - 1, lanes, lanes + 1, 2 * lanes + 3};
  }
};

INSTANTIATE_TEST_SUITE_P(AllIsas, KernelsTest,
                         testing::Combine(testing::Values(Isa::kPortable, Isa::kAvx2, Isa::kAvx512),
                                          testing::Values(size_t{7}, size_t{8})),
                         [](const auto& info) {
                           return NameOf(std::get<0>(info.param)) + "HashLen" + std::to_string(std::get<1>(info.param));
                         });

TEST_P(KernelsTest, PermutationsAgreeWithTheScalarOnes) {
  Random random(1);
  for (const size_t width : {16, 24}) {
    const auto lanes = width == 16 ? kernels().permute16 : kernels().permute24;
    const auto single = width == 16 ? kernels().permute16_single : kernels().permute24_single;
    for (const size_t count : Counts()) {
      const Words input = random.Elements(width * count);
      Words expected;
      for (size_t i = 0; i < count; ++i) {
        const Words state = reference::Permute(width, Words(&input[width * i], &input[width * i] + width));
        expected.insert(expected.end(), state.begin(), state.end());
      }
      Words states = input;
      lanes(states.data(), count);
      EXPECT_EQ(states, expected) << width;
      states = input;
      single(states.data(), count);
      EXPECT_EQ(states, expected) << width;
    }
  }
}

TEST_P(KernelsTest, CompressesIntoOtherWordsAndInPlace) {
  Random random(2);
  for (const size_t count : Counts()) {
    Words states = random.Elements(24 * count), outputs(24 * count);
    Words expected;
    for (size_t i = 0; i < count; ++i) {
      const Words output = reference::Compress(24, Words(&states[24 * i], &states[24 * i] + 24), 24);
      expected.insert(expected.end(), output.begin(), output.end());
    }
    kernels().compress24(states.data(), count, outputs.data());
    EXPECT_EQ(outputs, expected);
    kernels().compress24(states.data(), count, states.data());
    EXPECT_EQ(states, expected);
  }
}

TEST_P(KernelsTest, WalksChainsOfAllLengths) {
  Random random(3);
  const std::vector<Parameter> parameters = {random.Array<5>(), random.Array<5>()};
  for (const size_t count : Counts()) {
    std::vector<uint32_t> nodes(count * kNodeStride);
    std::vector<ChainJob> jobs;
    std::vector<Words> expected;
    for (size_t i = 0; i < count; ++i) {
      const auto from = static_cast<uint8_t>(random.Next() % 8);
      const auto to = static_cast<uint8_t>(from + random.Next() % (8 - from));
      const uint32_t slot = i % 3 == 0 ? UINT32_MAX - static_cast<uint32_t>(i) : static_cast<uint32_t>(random.Next());
      const auto chain = static_cast<uint8_t>(random.Next() % kChains);
      const Words value = random.Elements(hash_len());
      const Parameter& parameter = parameters[random.Next() % 2];
      PutNode(value, &nodes[i * kNodeStride]);
      jobs.push_back({parameter.data(), &nodes[i * kNodeStride], slot, chain, from, to});
      expected.push_back(reference::WalkChain(parameter, slot, chain, from, to, value));
    }
    std::vector<uint32_t> untouched = nodes;
    kernels().walk_chains(hash_len(), jobs.data(), count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(NodeWords(&nodes[i * kNodeStride], hash_len()), expected[i]) << i << " of " << count;
      ExpectZerosAfter(&nodes[i * kNodeStride], hash_len());
    }
    nodes = untouched;
    WalkChains(kernels(), hash_len(), jobs.data(), jobs.size());
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(NodeWords(&nodes[i * kNodeStride], hash_len()), expected[i]) << i << " of " << count;
    }
  }
}

TEST_P(KernelsTest, DerivesLeavesFromTheSeed) {
  Random random(4);
  const Parameter parameter = random.Array<5>();
  const auto capacity = random.Array<kCapacityWords>();
  std::array<uint8_t, 32> key;
  for (uint8_t& byte : key) byte = static_cast<uint8_t>(random.Next());
  for (const uint32_t first_slot : {0u, 0x7effffffu, 0xfffffff0u}) {
    const size_t count = first_slot == 0 ? kernels().lanes + 1 : 2;
    Words leaves(count * hash_len());
    kernels().leaves({key.data(), parameter.data(), capacity.data(), hash_len()}, first_slot, count, leaves.data());
    for (size_t i = 0; i < count; ++i) {
      const auto slot = static_cast<uint32_t>(first_slot + i);
      const std::vector<uint8_t> prefix = reference::ChainStartPrefix(key, slot);
      std::vector<Words> ends;
      for (uint32_t chain = 0; chain < kChains; ++chain) {
        ends.push_back(
            reference::WalkChain(parameter, slot, chain, 0, 7, reference::Derive(prefix, chain, hash_len())));
      }
      EXPECT_EQ(NodeWords(&leaves[i * hash_len()], hash_len()), reference::Leaf(parameter, capacity, slot, ends));
    }
  }
}

TEST_P(KernelsTest, HashesRootsUpPathsOfAnyHeight) {
  Random random(5);
  const auto capacity = random.Array<kCapacityWords>();
  for (const size_t count : Counts()) {
    for (const size_t height : {0, 1, 32}) {
      if (height == 32 && count > 3) continue;
      std::vector<Parameter> parameters(count);
      std::vector<std::vector<uint32_t>> ends(count), paths(count);
      std::vector<uint32_t> roots(count * kNodeStride, 0xdeadbeef);
      std::vector<RootJob> jobs;
      std::vector<Words> expected;
      for (size_t i = 0; i < count; ++i) {
        parameters[i] = random.Array<5>();
        const auto slot = static_cast<uint32_t>(random.Next());
        std::vector<Words> end_words;
        ends[i].resize(kChains * kNodeStride);
        for (size_t chain = 0; chain < kChains; ++chain) {
          end_words.push_back(random.Elements(hash_len()));
          PutNode(end_words.back(), &ends[i][chain * kNodeStride]);
        }
        Words node = reference::Leaf(parameters[i], capacity, slot, end_words);
        paths[i].resize(height * kNodeStride);
        for (size_t level = 0; level < height; ++level) {
          const Words sibling = random.Elements(hash_len());
          PutNode(sibling, &paths[i][level * kNodeStride]);
          const uint64_t index = uint64_t{slot} >> level;
          node = index % 2 == 0 ? reference::Parent(parameters[i], level + 1, index / 2, node, sibling)
                                : reference::Parent(parameters[i], level + 1, index / 2, sibling, node);
        }
        expected.push_back(node);
        jobs.push_back({parameters[i].data(), ends[i].data(), paths[i].data(), &roots[i * kNodeStride], slot});
      }
      kernels().roots(hash_len(), capacity.data(), height, jobs.data(), count);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(NodeWords(&roots[i * kNodeStride], hash_len()), expected[i]) << i << " of " << count;
        ExpectZerosAfter(&roots[i * kNodeStride], hash_len());
      }
    }
  }
}

TEST_P(KernelsTest, HashesTreeLevels) {
  Random random(6);
  const Parameter parameter = random.Array<5>();
  for (const size_t count : Counts()) {
    for (const auto& [level, first_index] : {std::pair<uint32_t, uint64_t>{1, 0}, {16, 0xfff8}, {1, 0x7ffffffa}}) {
      const Words children = random.Elements(2 * count * hash_len());
      Words nodes(count * hash_len());
      kernels().parents(hash_len(), parameter.data(), level, first_index, children.data(), count, nodes.data());
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(
            NodeWords(&nodes[i * hash_len()], hash_len()),
            reference::Parent(parameter, level, first_index + i, NodeWords(&children[2 * i * hash_len()], hash_len()),
                              NodeWords(&children[(2 * i + 1) * hash_len()], hash_len())));
      }
    }
  }
}

TEST_P(KernelsTest, DerivesFieldElements) {
  Random random(7);
  for (const size_t prefix_bytes : {0, 1, 7, 8, 53, 85, 128}) {
    std::vector<uint8_t> prefix(prefix_bytes);
    for (uint8_t& byte : prefix) byte = static_cast<uint8_t>(random.Next());
    for (const size_t words : {6, 7, 8}) {
      for (const uint64_t first : {uint64_t{0}, UINT64_MAX / 3 * 2, UINT64_MAX - 3}) {
        for (const size_t count : Counts()) {
          std::vector<uint32_t> nodes(count * kNodeStride, 0xdeadbeef);
          kernels().derive(prefix.data(), prefix_bytes, first, count, words, nodes.data());
          for (size_t i = 0; i < count; ++i) {
            EXPECT_EQ(NodeWords(&nodes[i * kNodeStride], words), reference::Derive(prefix, first + i, words));
            ExpectZerosAfter(&nodes[i * kNodeStride], words);
          }
        }
      }
    }
  }
}

RC_GTEST_PROP(Kernels, PermutationsOfEveryIsaAgree, (uint64_t seed)) {
  Random random(seed);
  const size_t count = 1 + seed % 40;
  for (const size_t width : {16, 24}) {
    const Words input = random.Elements(width * count);
    Words expected = input;
    const Kernels& portable = KernelsFor(Isa::kPortable);
    (width == 16 ? portable.permute16_single : portable.permute24_single)(expected.data(), count);
    for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
      if (!IsSupported(isa)) continue;
      Words states = input;
      (width == 16 ? KernelsFor(isa).permute16 : KernelsFor(isa).permute24)(states.data(), count);
      RC_ASSERT(states == expected);
    }
  }
}

TEST(Kernels, TheBestOnesRunHere) { EXPECT_TRUE(IsSupported(BestKernels().isa)); }

}  // namespace
}  // namespace lean::crypto::lanes
