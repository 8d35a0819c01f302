#include "tests/beacon/services/support/test_network.h"

#include <memory>
#include <utility>

#include "common/crypto/xmss/keys/key_generation.h"
#include "common/secrets/random_source.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

constexpr uint32_t kLogLifetime = 8;

}  // namespace

TestNetwork::TestNetwork(size_t validators)
    : scheme_(crypto::SignatureScheme::Create({.xmss_log_lifetime = kLogLifetime}).value()) {
  GenesisConfig config{.genesis_time = kGenesisTime, .active_epoch = 0, .validators = {}};
  for (size_t i = 0; i < validators; ++i) {
    SeededRandomSource random(i);
    keys_.push_back(xmss::GenerateKey(scheme_.xmss(), {.first = 0, .end = kSlots}, random).value());
    config.validators.push_back(scheme_.PublicKeyOf(keys_.back()).value());
  }
  genesis_ = MakeGenesis(config).value();
}

SignatureBytes TestNetwork::Sign(const Attestation& vote) const {
  return scheme_.Sign(keys_.at(vote.validator_id), vote.data.slot, ssz::HashTreeRoot(vote)).value();
}

SignedVotePtr TestNetwork::Vote(uint64_t validator, const AttestationData& data) const {
  auto vote = std::make_shared<SignedAttestation>();
  vote->message = {.validator_id = validator, .data = data};
  vote->signature = Sign(vote->message);
  return vote;
}

SignedBlockPtr TestNetwork::SignBlock(const BuiltBlock& built) const {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message = {.block = built.block, .proposer_attestation = built.proposer_attestation};
  std::vector<SignatureBytes> signatures = built.signatures;
  signatures.push_back(Sign(built.proposer_attestation));
  block->signature = BlockSignatures::FromVector(std::move(signatures)).value();
  return block;
}

SignedBlockPtr TestNetwork::BlockAtEdge(uint64_t slot, const Root& parent,
                                        const std::vector<Attestation>& votes) const {
  BuiltBlock built;
  built.block.slot = slot;
  built.block.proposer_index = slot % size();
  built.block.parent_root = parent;
  built.block.body.attestations = Attestations::FromVector(votes).value();
  built.root = ssz::HashTreeRoot(built.block);
  built.proposer_attestation = {.validator_id = built.block.proposer_index, .data = DataAt(slot)};
  built.proposer_attestation.data.head = {.root = built.root, .slot = slot};
  for (const Attestation& vote : votes) built.signatures.push_back(Sign(vote));
  return SignBlock(built);
}

AttestationData TestNetwork::DataAt(uint64_t slot) const {
  const Checkpoint genesis{.root = genesis_.block_root, .slot = 0};
  return {.slot = slot, .head = genesis, .target = genesis, .source = genesis};
}

}  // namespace lean::beacon
