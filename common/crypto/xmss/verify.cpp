#include "common/crypto/xmss/verify.h"

#include <algorithm>
#include <array>

#include "common/crypto/xmss/chain_lanes.h"
#include "common/crypto/xmss/message_lanes.h"
#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/tree_lanes.h"
#include "common/crypto/xmss/tweak_hash.h"

namespace lean::xmss {
namespace {

// A group of this many is as fast in lanes as one by one: a full set of lanes takes the time of about three single
// sponges and paths.
constexpr size_t kMinLaneGroup = 4;

// kLanes signatures side by side. Lanes without a signature, or with one whose message does not encode, hash zeros.
class VerifyLanes {
 public:
  VerifyLanes(const Scheme& scheme, absl::Span<const SignedMessage> items) : scheme_(scheme), items_(items) {}

  std::array<bool, kLanes> Run() {
    for (size_t lane = 0; lane < items_.size(); ++lane) parameters_[lane] = ToField(items_[lane].key->parameter);
    EncodeMessages();
    WalkToChainEnds();
    HashLeavesUp();
    std::array<bool, kLanes> valid{};
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      valid[lane] = encoded_[lane];
      for (size_t word = 0; word < scheme_.hash_len(); ++word) {
        valid[lane] &= nodes_.left(word).lane[lane].canonical() == items_[lane].key->root[word];
      }
    }
    return valid;
  }

 private:
  void EncodeMessages() {
    MessageLanes lanes(scheme_.randomness_len());
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      const SignedMessage& item = items_[lane];
      lanes.Set(lane, parameters_[lane], item.slot, MessageDigits(*item.message));
      for (size_t word = 0; word < scheme_.randomness_len(); ++word) {
        lanes.randomness(word).lane[lane] = Fp::FromRaw(item.signature->randomness[word]);
      }
    }
    for (size_t word = 0; word < scheme_.randomness_len(); ++word) ToMontgomery(lanes.randomness(word));
    lanes.Compress();
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      encoded_[lane] = items_[lane].slot < scheme_.lifetime() && EncodeTargetSum(lanes.Hash(lane), codewords_[lane]);
    }
  }

  void WalkToChainEnds() {
    const size_t len = scheme_.hash_len();
    std::vector<ChainTask> tasks;
    tasks.reserve(items_.size() * kDimension);
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      if (!encoded_[lane]) continue;
      for (uint32_t chain = 0; chain < kDimension; ++chain) {
        const Node& value = items_[lane].signature->chains[chain];
        for (size_t word = 0; word < len; ++word) chains_[chain * len + word].lane[lane] = Fp::FromRaw(value[word]);
        tasks.push_back({.parameter = &parameters_[lane],
                         .slot = items_[lane].slot,
                         .chain = chain,
                         .position = codewords_[lane][chain],
                         .steps = kChainEnd - codewords_[lane][chain],
                         .value = &chains_[chain * len].lane[lane]});
      }
    }
    for (size_t i = 0; i < kDimension * len; ++i) ToMontgomery(chains_[i]);
    WalkChains(len, tasks);
  }

  void HashLeavesUp() {
    const size_t len = scheme_.hash_len();
    LeafLanes sponge(len);
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      sponge.Start(lane, parameters_[lane], items_[lane].slot);
      nodes_.SetParameter(lane, parameters_[lane]);
    }
    for (size_t i = 0; i < kDimension * len; ++i) sponge.Absorb(chains_[i]);
    const Block<24>& leaves = sponge.Finish();
    std::copy_n(leaves.begin(), len, &nodes_.left(0));
    for (uint32_t level = 0; level < scheme_.log_lifetime(); ++level) ClimbTo(level + 1);
  }

  void ClimbTo(uint32_t level) {
    const size_t len = scheme_.hash_len();
    for (size_t word = 0; word < len; ++word) {
      for (size_t lane = 0; lane < items_.size(); ++lane) {
        nodes_.right(word).lane[lane] = Fp::FromRaw(items_[lane].signature->path[level - 1][word]);
      }
      ToMontgomery(nodes_.right(word));
    }
    for (size_t lane = 0; lane < items_.size(); ++lane) {
      const uint64_t slot = items_[lane].slot;
      nodes_.SetPlace(lane, level, slot >> level);
      if ((slot >> (level - 1)) % 2 == 0) continue;
      for (size_t word = 0; word < len; ++word) {
        std::swap(nodes_.left(word).lane[lane], nodes_.right(word).lane[lane]);
      }
    }
    nodes_.Compress();
  }

  const Scheme& scheme_;
  absl::Span<const SignedMessage> items_;
  std::array<FieldParameter, kLanes> parameters_{};
  std::array<Codeword, kLanes> codewords_{};
  std::array<bool, kLanes> encoded_{};
  std::array<Row, kDimension * kMaxHashLen> chains_{};
  ParentLanes nodes_{scheme_.hash_len()};
};

}  // namespace

bool Verify(const Scheme& scheme, const PublicKey& key, uint64_t slot, const Root& message,
            const Signature& signature) {
  if (slot >= scheme.lifetime()) return false;
  const size_t len = scheme.hash_len();
  const TweakHash hash(scheme, key.parameter);
  Codeword codeword;
  if (!EncodeTargetSum(hash.MessageHash(slot, message, signature.randomness), codeword)) return false;

  std::array<Row, kDimension / kLanes * kMaxHashLen> values;  // len rows for every kLanes chains
  std::array<ChainTask, kDimension> tasks;
  for (uint32_t chain = 0; chain < kDimension; ++chain) {
    Fp* value = &values[chain / kLanes * len].lane[chain % kLanes];
    for (size_t word = 0; word < len; ++word) value[word * kLanes] = Fp::FromRaw(signature.chains[chain][word]);
    tasks[chain] = {.parameter = &hash.parameter(),
                    .slot = slot,
                    .chain = chain,
                    .position = codeword[chain],
                    .steps = kChainEnd - codeword[chain],
                    .value = value};
  }
  for (size_t i = 0; i < kDimension / kLanes * len; ++i) ToMontgomery(values[i]);
  WalkChains(len, tasks);
  std::array<FieldNode, kDimension> ends{};
  for (size_t chain = 0; chain < kDimension; ++chain) {
    for (size_t word = 0; word < len; ++word) ends[chain][word] = tasks[chain].value[word * kLanes];
  }

  FieldNode node = hash.Leaf(slot, ends);
  uint64_t index = slot;
  for (uint32_t level = 0; level < scheme.log_lifetime(); ++level) {
    const FieldNode sibling = ToField(signature.path[level]);
    const bool is_right = index % 2 == 1;
    index /= 2;
    node = is_right ? hash.Parent(level + 1, index, sibling, node) : hash.Parent(level + 1, index, node, sibling);
  }
  return ToCanonical(node) == key.root;
}

std::vector<bool> VerifyBatch(const Scheme& scheme, absl::Span<const SignedMessage> items) {
  std::vector<bool> valid;
  valid.reserve(items.size());
  while (!items.empty()) {
    const absl::Span<const SignedMessage> group = items.first(std::min(items.size(), kLanes));
    items.remove_prefix(group.size());
    if (group.size() < kMinLaneGroup) {
      for (const SignedMessage& item : group) {
        valid.push_back(Verify(scheme, *item.key, item.slot, *item.message, *item.signature));
      }
      continue;
    }
    const std::array<bool, kLanes> results = VerifyLanes(scheme, group).Run();
    valid.insert(valid.end(), results.begin(), results.begin() + static_cast<ptrdiff_t>(group.size()));
  }
  return valid;
}

}  // namespace lean::xmss
