#include "common/crypto/xmss/keys/public_key.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "common/crypto/xmss/one_time/target_sum.h"

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
  lanes::WalkChains(lanes::BestKernels(), scheme.hash_len(), jobs.data(), jobs.size());
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

std::vector<uint8_t> EncodePublicKey(const Scheme& scheme, const PublicKey& key) {
  std::vector<uint8_t> bytes(scheme.public_key_bytes());
  const auto out = absl::MakeSpan(bytes);
  WriteWords(absl::MakeConstSpan(key.root).first(scheme.hash_len()), out.first(scheme.hash_bytes()));
  WriteWords(key.parameter, out.subspan(scheme.hash_bytes()));
  return bytes;
}

absl::StatusOr<PublicKey> DecodePublicKey(const Scheme& scheme, ByteSpan bytes) {
  if (bytes.size() != scheme.public_key_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a public key has ", scheme.public_key_bytes(), " bytes, not ", bytes.size()));
  }
  PublicKey key;
  if (!ReadWords(bytes.first(scheme.hash_bytes()), absl::MakeSpan(key.root).first(scheme.hash_len())) ||
      !ReadWords(bytes.subspan(scheme.hash_bytes()), absl::MakeSpan(key.parameter))) {
    return absl::InvalidArgumentError("a word of the public key is not below the field's modulus");
  }
  return key;
}

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
