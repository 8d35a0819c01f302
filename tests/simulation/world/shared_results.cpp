#include "tests/simulation/world/shared_results.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "common/ssz/ssz.h"

namespace lean::simulation {
namespace {

// Differs for every signature of a vote, as far as a run can tell: each lane depends on every eighth word.
Root SignatureKey(Root root, const SignatureBytes& signature) {
  constexpr size_t kLanes = Root::kSize / sizeof(uint32_t);
  constexpr size_t kWords = SignatureBytes::kSize / sizeof(uint32_t);
  static_assert(SignatureBytes::kSize % sizeof(uint32_t) == 0);
  std::array<uint32_t, kLanes> lanes = {};
  const auto add = [&](size_t lane, size_t word) {
    uint32_t value = 0;
    std::memcpy(&value, signature.data.data() + word * sizeof(value), sizeof(value));
    lanes[lane] = (lanes[lane] << 5) - lanes[lane] + value;
  };
  for (size_t word = 0; word + kLanes <= kWords; word += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(lane, word + lane);
  }
  for (size_t word = kWords - kWords % kLanes; word < kWords; ++word) add(word % kLanes, word);
  std::array<uint8_t, Root::kSize> bytes;
  std::memcpy(bytes.data(), lanes.data(), sizeof(lanes));
  for (size_t byte = 0; byte < Root::kSize; ++byte) root.data[byte] ^= bytes[byte];
  return root;
}

}  // namespace

Root SharedResults::BodyRoot(const beacon::SignedBlockPtr& block) {
  return body_roots_.Get(block, [&] { return beacon::ChainFunctions().body_root(block); });
}

beacon::ChainFunctions SharedResults::ChainFunctions() {
  return {.body_root = [this](const beacon::SignedBlockPtr& block) { return BodyRoot(block); },
          .transition =
              [this](const State& parent, const SignedBlockWithAttestation& block, const Root& id,
                     const Root& body_root, const beacon::TransitionWatch& watch) {
                return transitions_.Get(
                    id, [&] { return beacon::ChainFunctions().transition(parent, block, id, body_root, watch); });
              }};
}

beacon::VerifierFunctions SharedResults::VerifierFunctions() {
  return {
      .vote_id =
          [this](const Attestation& vote, const SignatureBytes& signature, const std::shared_ptr<const void>& owner) {
            const auto compute = [&] {
              const Root root = ssz::HashTreeRoot(vote);
              return beacon::SignedVoteId{.root = root, .key = SignatureKey(root, signature)};
            };
            return owner == nullptr ? compute() : vote_ids_.Get({&vote, &signature, owner}, compute);
          },
      .body_root = [this](const beacon::SignedBlockPtr& block) { return BodyRoot(block); }};
}

}  // namespace lean::simulation
