#include "common/crypto/xmss/verify.h"

#include <algorithm>
#include <array>

#include "common/crypto/lanes/chains.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/leaf.h"
#include "common/crypto/xmss/message_hash.h"

namespace lean::xmss {
namespace {

namespace lanes = crypto::lanes;

// Signatures whose chains are walked together: many, so that lanes seldom idle, but with their chains' ends (2 KiB
// each) still in the second-level cache.
constexpr size_t kGroup = 64;

// An item of a group that may still be valid, with what is computed of it.
struct Candidate {
  size_t position;  // in the group
  const SignedMessage* item;
  Codeword codeword;
  std::array<Node, kDimension> ends;
  Node root;
};

// The items whose slot exists and whose message encodes.
std::vector<Candidate> EncodeMessages(const Scheme& scheme, absl::Span<const SignedMessage> group) {
  std::array<MessageHashState, kGroup> states;
  for (size_t i = 0; i < group.size(); ++i) {
    states[i] = MessageHashInput(scheme, group[i].key->parameter, group[i].slot, *group[i].message);
    SetRandomness(scheme, group[i].signature->randomness, states[i]);
  }
  CompressInputs(absl::MakeSpan(states).first(group.size()));
  std::vector<Candidate> candidates;
  candidates.reserve(group.size());
  for (size_t i = 0; i < group.size(); ++i) {
    Codeword codeword;
    if (group[i].slot >= scheme.lifetime() || !EncodeHash(states[i], codeword)) continue;
    Candidate& candidate = candidates.emplace_back();
    candidate.position = i;
    candidate.item = &group[i];
    candidate.codeword = codeword;
    candidate.ends = group[i].signature->chains;
  }
  return candidates;
}

void WalkToEnds(const Scheme& scheme, absl::Span<Candidate> candidates) {
  std::vector<lanes::ChainJob> jobs;
  jobs.reserve(candidates.size() * kDimension);
  for (Candidate& candidate : candidates) {
    for (size_t chain = 0; chain < kDimension; ++chain) {
      jobs.push_back({.parameter = candidate.item->key->parameter.data(),
                      .value = candidate.ends[chain].data(),
                      .slot = static_cast<uint32_t>(candidate.item->slot),
                      .chain = static_cast<uint8_t>(chain),
                      .from = candidate.codeword[chain],
                      .to = kChainEnd});
    }
  }
  lanes::WalkChains(lanes::BestKernels(), scheme.hash_len(), absl::MakeSpan(jobs));
}

void HashToRoots(const Scheme& scheme, absl::Span<Candidate> candidates) {
  std::vector<lanes::RootJob> jobs;
  jobs.reserve(candidates.size());
  for (Candidate& candidate : candidates) {
    jobs.push_back({.parameter = candidate.item->key->parameter.data(),
                    .ends = candidate.ends[0].data(),
                    .path = candidate.item->signature->path[0].data(),
                    .root = candidate.root.data(),
                    .slot = static_cast<uint32_t>(candidate.item->slot)});
  }
  lanes::BestKernels().roots(scheme.hash_len(), LeafCapacityOf(scheme).data(), scheme.log_lifetime(), jobs.data(),
                             jobs.size());
}

}  // namespace

bool Verify(const Scheme& scheme, const PublicKey& key, uint64_t slot, const Root& message,
            const Signature& signature) {
  const SignedMessage item{.key = &key, .slot = slot, .message = &message, .signature = &signature};
  return VerifyBatch(scheme, {&item, 1}).front();
}

std::vector<bool> VerifyBatch(const Scheme& scheme, absl::Span<const SignedMessage> items) {
  std::vector<bool> valid(items.size());
  for (size_t first = 0; first < items.size(); first += kGroup) {
    std::vector<Candidate> candidates = EncodeMessages(scheme, items.subspan(first, kGroup));
    WalkToEnds(scheme, absl::MakeSpan(candidates));
    HashToRoots(scheme, absl::MakeSpan(candidates));
    for (const Candidate& candidate : candidates) {
      valid[first + candidate.position] = candidate.root == candidate.item->key->root;
    }
  }
  return valid;
}

}  // namespace lean::xmss
