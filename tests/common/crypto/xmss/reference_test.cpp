// What the kernels compute many values at a time is what the reference computes one by one.
#include "tests/common/crypto/xmss/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "common/crypto/xmss/key_generation.h"
#include "common/crypto/xmss/leaf.h"
#include "common/crypto/xmss/one_time.h"
#include "common/crypto/xmss/subtree.h"
#include "common/crypto/xmss/verify.h"
#include "tests/common/crypto/xmss/test_keys.h"

namespace lean::xmss {
namespace {

class ReferenceTest : public testing::TestWithParam<Scheme> {
 protected:
  const Scheme& scheme() const { return GetParam(); }
  size_t len() const { return scheme().hash_len(); }

  uint32_t Word() { return static_cast<uint32_t>(random_() % Fp::kModulus); }
  uint32_t Slot() { return static_cast<uint32_t>(random_() % scheme().lifetime()); }
  Parameter RandomParameter() {
    Parameter parameter;
    std::generate(parameter.begin(), parameter.end(), [this] { return Word(); });
    return parameter;
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
  Node LeafOf(const PrfKey& key, const TweakHash& hash, uint32_t slot) {
    std::array<FieldNode, kDimension> ends;
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      ends[chain] = Walk(hash, slot, chain, 0, kChainEnd, ToField(ChainStart(scheme(), key, slot, chain)));
    }
    return ToCanonical(hash.Leaf(slot, ends));
  }

  std::mt19937_64 random_{1};
};

TEST_P(ReferenceTest, RevealedChains) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  for (int i = 0; i < 4; ++i) {
    const uint32_t slot = i == 0 ? static_cast<uint32_t>(scheme().lifetime() - 1) : Slot();
    Codeword codeword;
    for (uint8_t& position : codeword) position = static_cast<uint8_t>(random_() % kBase);
    const std::array<Node, kDimension> revealed = RevealChains(scheme(), key, parameter, slot, codeword);
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      const FieldNode start = ToField(ChainStart(scheme(), key, slot, chain));
      ASSERT_EQ(revealed[chain], ToCanonical(Walk(hash, slot, chain, 0, codeword[chain], start))) << "chain " << chain;
    }
  }
}

TEST_P(ReferenceTest, ChainTweaksThatCarryBetweenTheirDigits) {
  // The slot and chain whose tweak first passes a multiple of the modulus between positions 0 and 7.
  const auto carries = [](uint64_t slot, uint64_t chain) {
    const uint64_t number = slot << 24 | chain << 16;
    return number / Fp::kModulus != (number | 7 << 8) / Fp::kModulus;
  };
  uint64_t slot = 0, chain = 0;
  while (!carries(slot, chain) && slot < scheme().lifetime()) {
    if (++chain == kDimension) ++slot, chain = 0;
  }
  if (slot == scheme().lifetime()) return;  // a short lifetime may have none
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  const auto carrying = static_cast<uint32_t>(slot);
  Codeword codeword;
  codeword.fill(kChainEnd);
  const Node end = RevealChains(scheme(), key, parameter, carrying, codeword)[chain];
  const FieldNode start = ToField(ChainStart(scheme(), key, carrying, chain));
  EXPECT_EQ(end, ToCanonical(Walk(hash, slot, static_cast<uint32_t>(chain), 0, kChainEnd, start)));
  std::vector<uint32_t> leaf(len());
  HashLeaves(scheme(), key, parameter, carrying, absl::MakeSpan(leaf));
  const Node expected = LeafOf(key, hash, carrying);
  EXPECT_TRUE(std::equal(leaf.begin(), leaf.end(), expected.begin()));
}

TEST_P(ReferenceTest, LeavesFromTheSeed) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  for (const size_t count : {1, 16, 35}) {
    const auto first_slot = static_cast<uint32_t>(scheme().lifetime() - count);
    std::vector<uint32_t> leaves(count * len());
    HashLeaves(scheme(), key, parameter, first_slot, absl::MakeSpan(leaves));
    for (size_t i = 0; i < count; ++i) {
      const Node leaf = LeafOf(key, hash, static_cast<uint32_t>(first_slot + i));
      ASSERT_TRUE(std::equal(leaf.begin(), leaf.begin() + static_cast<ptrdiff_t>(len()),
                             leaves.begin() + static_cast<ptrdiff_t>(i * len())))
          << "leaf " << i << " of " << count;
    }
  }
}

TEST_P(ReferenceTest, LevelsOfABottomTree) {
  if (scheme().bottom_height() > 9) return;  // the reference would take long
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  std::vector<uint32_t> leaves(scheme().bottom_leaves() * len());
  std::generate(leaves.begin(), leaves.end(), [this] { return Word(); });
  const Subtree tree = BuildBottomTree(scheme(), parameter, 3, leaves);
  for (uint32_t level = 1; level <= scheme().bottom_height(); ++level) {
    const Layer& children = tree.layers[level - 1];
    const Layer& parents = tree.layers[level];
    for (uint64_t i = parents.first_index; i < parents.first_index + parents.words.size() / len(); ++i) {
      const FieldNode left = ToField(NodeAt(scheme(), children, 2 * i));
      const FieldNode right = ToField(NodeAt(scheme(), children, 2 * i + 1));
      ASSERT_EQ(NodeAt(scheme(), parents, i), ToCanonical(hash.Parent(level, i, left, right)));
    }
  }
}

TEST_P(ReferenceTest, TheFirstTryThatEncodes) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const TweakHash hash(scheme(), parameter);
  for (uint8_t i = 0; i < 8; ++i) {
    const uint32_t slot = Slot();
    const Root message = MessageOf(static_cast<uint8_t>(random_()));
    const absl::StatusOr<EncodedMessage> encoded = EncodeMessage(scheme(), key, parameter, slot, message);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    for (uint64_t counter = 0;; ++counter) {
      const Randomness randomness = RandomnessOf(scheme(), key, slot, message, counter);
      Codeword codeword;
      if (!EncodeTargetSum(hash.MessageHash(slot, message, randomness), codeword)) continue;
      EXPECT_EQ(encoded->counter, counter);
      EXPECT_EQ(encoded->randomness, randomness);
      EXPECT_EQ(encoded->codeword, codeword);
      break;
    }
  }
}

// Every number of signatures takes its own way through the lanes.
TEST_P(ReferenceTest, BatchesOfEverySize) {
  if (scheme().bottom_height() > 9) return;  // its keys take seconds
  const absl::StatusOr<SecretKey> key = MakeKey(scheme(), {0, 1}, 7);
  ASSERT_TRUE(key.ok()) << key.status();
  constexpr size_t kMost = 150;
  std::vector<Root> messages;
  std::vector<Signature> signatures;
  for (size_t i = 0; i < kMost; ++i) {
    messages.push_back(MessageOf(static_cast<uint8_t>(i)));
    signatures.push_back(*key->Sign(i % 32, messages[i]));
    if (i % 4 == 1) signatures[i].chains[i % kDimension][0] ^= 1;
    if (i % 9 == 2) signatures[i].path[i % scheme().log_lifetime()][1] ^= 1;
    if (i % 11 == 3) signatures[i].randomness[2] ^= 1;
  }
  for (size_t size = 0; size <= kMost; size = size < 40 ? size + 1 : size + 29) {
    std::vector<SignedMessage> items;
    for (size_t i = kMost - size; i < kMost; ++i) {
      items.push_back(
          {.key = &key->public_key(), .slot = i % 32, .message = &messages[i], .signature = &signatures[i]});
    }
    const std::vector<bool> valid = VerifyBatch(scheme(), items);
    ASSERT_EQ(valid.size(), size);
    for (size_t i = 0; i < size; ++i) {
      const size_t n = kMost - size + i;
      ASSERT_EQ(valid[i], n % 4 != 1 && n % 9 != 2 && n % 11 != 3) << "item " << i << " of " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, ReferenceTest,
                         testing::Values(*Scheme::Create(32), *Scheme::Create(8), Scheme::Lifetime18()),
                         [](const auto& info) { return "Lifetime" + std::to_string(info.param.log_lifetime()); });

}  // namespace
}  // namespace lean::xmss
