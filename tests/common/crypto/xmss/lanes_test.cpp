// What is computed in lanes is what the functions of one value compute.
#include "common/crypto/xmss/lanes.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "common/crypto/xmss/chain_lanes.h"
#include "common/crypto/xmss/leaf.h"
#include "common/crypto/xmss/message_lanes.h"
#include "common/crypto/xmss/prf_input.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/prf_lanes.h"
#include "common/crypto/xmss/tree_lanes.h"
#include "common/crypto/xmss/tree_level.h"
#include "common/crypto/xmss/tweak_hash.h"
#include "tests/common/crypto/xmss/test_keys.h"

namespace lean::xmss {
namespace {

class LanesTest : public testing::TestWithParam<Scheme> {
 protected:
  const Scheme& scheme() const { return GetParam(); }
  size_t len() const { return scheme().hash_len(); }

  uint32_t Word() { return static_cast<uint32_t>(random_() % Fp::kModulus); }
  uint32_t Slot() { return static_cast<uint32_t>(random_() % scheme().lifetime()); }
  Parameter RandomParameter() {
    Parameter parameter;
    for (uint32_t& word : parameter) word = Word();
    return parameter;
  }
  Node RandomNode() {
    Node node{};
    for (size_t i = 0; i < len(); ++i) node[i] = Word();
    return node;
  }
  PrfKey RandomPrfKey() {
    std::array<uint8_t, kPrfKeyBytes> bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return PrfKey(bytes);
  }

  FieldNode Walk(const TweakHash& hash, uint64_t slot, uint32_t chain, uint32_t from, uint32_t to, FieldNode value) {
    for (uint32_t position = from + 1; position <= to; ++position) value = hash.ChainStep(slot, chain, position, value);
    return value;
  }

  std::mt19937_64 random_{1};
};

TEST_P(LanesTest, ChainsOfAnyPlaceAndLength) {
  for (const size_t count : {1, 15, 16, 17, 64, 200}) {
    std::vector<Parameter> parameters(count);
    std::vector<FieldParameter> field_parameters(count);
    std::vector<Row> values((count + kLanes - 1) / kLanes * kMaxHashLen);
    std::vector<ChainTask> tasks;
    std::vector<FieldNode> expected;
    for (size_t i = 0; i < count; ++i) {
      parameters[i] = RandomParameter();
      field_parameters[i] = ToField(parameters[i]);
      const auto chain = static_cast<uint32_t>(random_() % kDimension);
      const auto position = static_cast<uint32_t>(random_() % kBase);
      const auto steps = static_cast<uint32_t>(random_() % (kBase - position));
      const uint32_t slot = Slot();
      const FieldNode value = ToField(RandomNode());
      Fp* column = &values[i / kLanes * kMaxHashLen].lane[i % kLanes];
      for (size_t word = 0; word < len(); ++word) column[word * kLanes] = value[word];
      tasks.push_back({.parameter = &field_parameters[i],
                       .slot = slot,
                       .chain = chain,
                       .position = position,
                       .steps = steps,
                       .value = column});
      expected.push_back(Walk(TweakHash(scheme(), parameters[i]), slot, chain, position, position + steps, value));
    }
    WalkChains(len(), tasks);
    for (size_t i = 0; i < count; ++i) {
      for (size_t word = 0; word < len(); ++word) {
        ASSERT_EQ(tasks[i].value[word * kLanes], expected[i][word]) << "chain " << i << " of " << count;
      }
    }
  }
}

TEST_P(LanesTest, ChainTweaksCarryBetweenTheirDigits) {
  if (scheme().log_lifetime() < 18) return;  // too few slots for one that carries
  // A slot and chain whose tweak passes a multiple of the modulus between position 0 and 7.
  const auto carries = [](uint64_t slot, uint64_t chain) {
    const uint64_t number = slot << 24 | chain << 16;
    return number / Fp::kModulus != (number | 7 << 8) / Fp::kModulus;
  };
  uint64_t slot = 0, chain = 0;
  while (!carries(slot, chain)) {
    if (++chain == kDimension) ++slot, chain = 0;
  }
  ASSERT_LT(slot, scheme().lifetime());
  const Parameter parameter = RandomParameter();
  const FieldParameter field_parameter = ToField(parameter);
  const TweakHash hash(scheme(), parameter);
  const auto lanes = std::make_unique<ChainLanes>(len());
  lanes->SetPlace(3, field_parameter, slot, static_cast<uint32_t>(chain), 0);
  const FieldNode value = ToField(RandomNode());
  for (size_t word = 0; word < len(); ++word) lanes->value(word).lane[3] = value[word];
  for (uint32_t i = 0; i < kChainEnd; ++i) lanes->Step();
  const FieldNode expected = Walk(hash, slot, static_cast<uint32_t>(chain), 0, kChainEnd, value);
  for (size_t word = 0; word < len(); ++word) EXPECT_EQ(lanes->value(word).lane[3], expected[word]);
}

TEST_P(LanesTest, LeavesFromTheSeed) {
  const PrfKey prf_key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  for (const size_t count : {1, 16, 19}) {
    const auto first_slot = static_cast<uint32_t>(random_() % (scheme().lifetime() - count));
    std::vector<uint32_t> leaves(count * len());
    HashLeaves(scheme(), prf_key, parameter, first_slot, absl::MakeSpan(leaves));
    for (size_t i = 0; i < count; ++i) {
      const auto slot = static_cast<uint32_t>(first_slot + i);
      std::array<FieldNode, kDimension> ends;
      for (uint32_t chain = 0; chain < kDimension; ++chain) {
        ends[chain] = Walk(hash, slot, chain, 0, kChainEnd, ToField(prf_key.ChainStart(scheme(), slot, chain)));
      }
      const Node leaf = ToCanonical(hash.Leaf(slot, ends));
      ASSERT_TRUE(std::equal(leaf.begin(), leaf.begin() + static_cast<ptrdiff_t>(len()),
                             leaves.begin() + static_cast<ptrdiff_t>(i * len())))
          << "leaf " << i << " of " << count;
    }
  }
}

TEST_P(LanesTest, ParentsOfALevel) {
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  for (const size_t count : {1, 2, 16, 37}) {
    std::vector<uint32_t> children(2 * count * len());
    for (uint32_t& word : children) word = Word();
    std::vector<uint32_t> parents(count * len());
    const uint64_t first_index = random_() % 1000;
    HashParents(scheme(), parameter, 5, first_index, children, absl::MakeSpan(parents));
    const Layer child_layer{.first_index = 0, .words = children};
    const Layer parent_layer{.first_index = 0, .words = parents};
    for (size_t i = 0; i < count; ++i) {
      const FieldNode left = ToField(NodeAt(scheme(), child_layer, 2 * i));
      const FieldNode right = ToField(NodeAt(scheme(), child_layer, 2 * i + 1));
      ASSERT_EQ(NodeAt(scheme(), parent_layer, i), ToCanonical(hash.Parent(5, first_index + i, left, right)));
    }
  }
}

TEST_P(LanesTest, RandomnessAndMessageHashOfTries) {
  const PrfKey prf_key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  const uint32_t slot = Slot();
  const Root message = MessageOf(0xd7);
  PrfLanes prf(PrfInput(prf_key.bytes(), slot, message, 0));
  MessageLanes lanes(scheme().randomness_len());
  for (size_t lane = 0; lane < kLanes; ++lane) {
    lanes.Set(lane, ToField(parameter), slot, MessageDigits(message));
  }
  for (const uint64_t first : {uint64_t{0}, uint64_t{250}, (uint64_t{1} << 32) - 3}) {
    prf.Expand(PrfInput::kCounterAt, 8, first, absl::MakeSpan(&lanes.randomness(0), scheme().randomness_len()));
    lanes.Compress();
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const Randomness randomness = prf_key.RandomnessOf(scheme(), slot, message, first + lane);
      for (size_t word = 0; word < scheme().randomness_len(); ++word) {
        ASSERT_EQ(lanes.randomness(word).lane[lane].canonical(), randomness[word]);
      }
      ASSERT_EQ(lanes.Hash(lane), hash.MessageHash(slot, message, randomness));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, LanesTest,
                         testing::Values(*Scheme::Create(32), *Scheme::Create(8), Scheme::Lifetime18()),
                         [](const auto& info) { return "Lifetime" + std::to_string(info.param.log_lifetime()); });

}  // namespace
}  // namespace lean::xmss
