// Keys, tries, batches and trees are what one value after the other gives, with the functions that the kernels are
// tested against.
#include "tests/common/crypto/lanes/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::xmss {
namespace {

namespace reference = crypto::lanes::reference;
using reference::Words;

class ReferenceTest : public testing::TestWithParam<Scheme> {
 protected:
  const Scheme& scheme() const { return GetParam(); }
  size_t len() const { return scheme().hash_len(); }

  uint32_t Word() { return static_cast<uint32_t>(random_() % crypto::Fp::kModulus); }
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

  // The first words of a node or of randomness.
  template <size_t kLen>
  static Words FirstOf(const std::array<uint32_t, kLen>& words, size_t count) {
    return Words(words.begin(), words.begin() + static_cast<ptrdiff_t>(count));
  }
  // Chain value at `position`, from the seed.
  Words ChainValue(const PrfKey& key, const Parameter& parameter, uint32_t slot, uint32_t chain, uint32_t position) {
    const Words start = reference::Derive(reference::ChainStartPrefix(key.bytes(), slot), chain, len());
    return reference::WalkChain(parameter, slot, chain, 0, position, start);
  }
  Words Leaf(const PrfKey& key, const Parameter& parameter, uint32_t slot) {
    std::vector<Words> ends;
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      ends.push_back(ChainValue(key, parameter, slot, chain, kChainEnd));
    }
    return reference::Leaf(parameter, LeafCapacityOf(scheme()), slot, ends);
  }
  Words RandomnessOf(const PrfKey& key, uint32_t slot, const Root& message, uint64_t counter) {
    std::vector<uint8_t> prefix = reference::ChainStartPrefix(key.bytes(), slot);
    prefix[16] = 1;  // what it is used for
    prefix.insert(prefix.end(), message.data.begin(), message.data.end());
    return reference::Derive(prefix, counter, scheme().randomness_len());
  }
  Words MessageHash(const Parameter& parameter, uint64_t slot, const Root& message, const Words& randomness) {
    Words input = randomness;
    input.insert(input.end(), parameter.begin(), parameter.end());
    const uint64_t tweak = slot << 8 | 2;
    input.push_back(static_cast<uint32_t>(tweak % crypto::Fp::kModulus));
    input.push_back(static_cast<uint32_t>(tweak / crypto::Fp::kModulus));
    std::vector<uint8_t> number(message.data.rbegin(), message.data.rend());  // most significant first
    for (size_t digit = 0; digit < kMessageLen; ++digit) {
      uint64_t remainder = 0;
      for (uint8_t& byte : number) {
        remainder = remainder << 8 | byte;
        byte = static_cast<uint8_t>(remainder / crypto::Fp::kModulus);
        remainder %= crypto::Fp::kModulus;
      }
      input.push_back(static_cast<uint32_t>(remainder));
    }
    return reference::Compress(24, input, kMessageHashLen);
  }

  std::mt19937_64 random_{1};
};

TEST_P(ReferenceTest, RevealedChains) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  for (int i = 0; i < 4; ++i) {
    const uint32_t slot = i == 0 ? static_cast<uint32_t>(scheme().lifetime() - 1) : Slot();
    Codeword codeword;
    for (uint8_t& position : codeword) position = static_cast<uint8_t>(random_() % kBase);
    const std::array<Node, kDimension> revealed = RevealChains(scheme(), key, parameter, slot, codeword);
    for (uint32_t chain = 0; chain < kDimension; ++chain) {
      ASSERT_EQ(FirstOf(revealed[chain], len()), ChainValue(key, parameter, slot, chain, codeword[chain]));
    }
  }
}

TEST_P(ReferenceTest, ChainTweaksThatCarryBetweenTheirDigits) {
  // The slot and chain whose tweak first passes a multiple of the modulus between positions 0 and 7.
  const auto carries = [](uint64_t slot, uint64_t chain) {
    const uint64_t number = slot << 24 | chain << 16;
    return number / crypto::Fp::kModulus != (number | 7 << 8) / crypto::Fp::kModulus;
  };
  uint64_t slot = 0;
  uint32_t chain = 0;
  while (!carries(slot, chain) && slot < scheme().lifetime()) {
    if (++chain == kDimension) ++slot, chain = 0;
  }
  if (slot == scheme().lifetime()) return;  // a short lifetime may have none
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  const auto carrying = static_cast<uint32_t>(slot);
  Codeword codeword;
  codeword.fill(kChainEnd);
  const Node end = RevealChains(scheme(), key, parameter, carrying, codeword)[chain];
  EXPECT_EQ(FirstOf(end, len()), ChainValue(key, parameter, carrying, chain, kChainEnd));
  Words leaf(len());
  HashLeaves(scheme(), key, parameter, carrying, absl::MakeSpan(leaf));
  EXPECT_EQ(leaf, Leaf(key, parameter, carrying));
}

TEST_P(ReferenceTest, LeavesFromTheSeed) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  for (const size_t count : {1, 16, 35}) {
    const auto first_slot = static_cast<uint32_t>(scheme().lifetime() - count);
    Words leaves(count * len());
    HashLeaves(scheme(), key, parameter, first_slot, absl::MakeSpan(leaves));
    Words expected;
    for (size_t i = 0; i < count; ++i) {
      const Words leaf = Leaf(key, parameter, static_cast<uint32_t>(first_slot + i));
      expected.insert(expected.end(), leaf.begin(), leaf.end());
    }
    ASSERT_EQ(leaves, expected);
  }
}

TEST_P(ReferenceTest, LevelsOfABottomTree) {
  if (scheme().bottom_height() > 9) return;  // the reference would take long
  const Parameter parameter = RandomParameter();
  Words leaves(scheme().bottom_leaves() * len());
  std::generate(leaves.begin(), leaves.end(), [this] { return Word(); });
  const Subtree tree = BuildBottomTree(scheme(), parameter, 3, leaves);
  for (uint32_t level = 1; level <= scheme().bottom_height(); ++level) {
    const Layer& children = tree.layers[level - 1];
    const Layer& parents = tree.layers[level];
    for (uint64_t i = parents.first_index; i < parents.first_index + parents.words.size() / len(); ++i) {
      const Words left = FirstOf(NodeAt(scheme(), children, 2 * i), len());
      const Words right = FirstOf(NodeAt(scheme(), children, 2 * i + 1), len());
      ASSERT_EQ(FirstOf(NodeAt(scheme(), parents, i), len()), reference::Parent(parameter, level, i, left, right));
    }
  }
}

TEST_P(ReferenceTest, TheFirstTryThatEncodes) {
  const PrfKey key = RandomPrfKey();
  const Parameter parameter = RandomParameter();
  for (int i = 0; i < 8; ++i) {
    const uint32_t slot = Slot();
    const Root message = MessageOf(static_cast<uint8_t>(random_()));
    const absl::StatusOr<EncodedMessage> encoded = EncodeMessage(scheme(), key, parameter, slot, message);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    for (uint64_t counter = 0;; ++counter) {
      const Words randomness = RandomnessOf(key, slot, message, counter);
      const Words hash = MessageHash(parameter, slot, message, randomness);
      std::array<uint32_t, kMessageHashLen> words;
      std::copy(hash.begin(), hash.end(), words.begin());
      Codeword codeword;
      if (!EncodeTargetSum(words, codeword)) continue;
      EXPECT_EQ(encoded->counter, counter);
      EXPECT_EQ(FirstOf(encoded->randomness, randomness.size()), randomness);
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
