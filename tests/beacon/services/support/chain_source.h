// A chain of its own that makes blocks and votes for others to import (signatures are all zero), and roots that a test
// tells apart by a number.
#ifndef LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SOURCE_H_
#define LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SOURCE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"
#include "common/config/genesis.h"
#include "common/containers/containers.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

class ChainSource {
 public:
  explicit ChainSource(const Genesis& genesis) : chain_(LeanChain::FromAnchor(genesis.state, genesis.block).value()) {}

  static Genesis TestGenesis(size_t validators, uint64_t genesis_time) {
    GenesisConfig config{.genesis_time = genesis_time, .active_epoch = 0, .validators = {}};
    config.validators.resize(validators);
    return MakeGenesis(config).value();
  }

  // The next block of this chain, at `slot`, imported here.
  SignedBlockPtr AddBlock(uint64_t slot) {
    chain_.OnInterval(slot * kChainIntervalsPerSlot);
    const uint64_t proposer = slot % chain_.head_state()->validators.size();
    const BuiltBlock built = BuildBlock(chain_.PrepareProposal(slot).value(), slot, proposer).value();
    auto block = std::make_shared<SignedBlockWithAttestation>();
    block->message = {.block = built.block, .proposer_attestation = built.proposer_attestation};
    block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(built.signatures.size() + 1)).value();
    EXPECT_TRUE(chain_.OnBlock(block).ok());
    return block;
  }

  // A vote for this chain's head.
  SignedVotePtr Vote(uint64_t validator, uint64_t slot) const {
    auto vote = std::make_shared<SignedAttestation>();
    vote->message = {.validator_id = validator, .data = BuildVote(chain_.PrepareVote(slot).value(), slot)};
    return vote;
  }

  LeanChain& chain() { return chain_; }

  static Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }
  static Root RootOf(const SignedVotePtr& vote) { return ssz::HashTreeRoot(vote->message); }

 private:
  LeanChain chain_;
};

inline Root RootOf(uint64_t number) {
  Root root;
  for (int i = 0; i < 8; ++i) root.data[i] = static_cast<uint8_t>(number >> (8 * i));
  return root;
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_SUPPORT_CHAIN_SOURCE_H_
