// A small network of real keys at the shortest lifetime, for tests that need signatures.
#ifndef LEAN_TESTS_BEACON_SERVICES_SUPPORT_TEST_NETWORK_H_
#define LEAN_TESTS_BEACON_SERVICES_SUPPORT_TEST_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "beacon/chain/builders.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/checks/signature_verifier.h"
#include "common/config/genesis.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/secret_key.h"

namespace lean::beacon {

class TestNetwork {
 public:
  static constexpr uint64_t kGenesisTime = 1'700'000'000;
  static constexpr uint64_t kSlotMs = 400;
  static constexpr uint64_t kSlots = 32;  // that the keys can sign for

  explicit TestNetwork(size_t validators);

  size_t size() const { return keys_.size(); }
  const crypto::SignatureScheme& scheme() const { return scheme_; }
  const Genesis& genesis() const { return genesis_; }
  const Validators& registry() const { return genesis_.state->validators; }
  // A chain that begins at the genesis.
  LeanChain Chain() const { return *LeanChain::FromAnchor(genesis_.state, genesis_.block); }
  std::unique_ptr<SignatureVerifier> Verifier() const {
    return std::make_unique<SignatureVerifier>(scheme_, registry(), SignatureVerifierOptions());
  }
  static int64_t StartMs(uint64_t slot, uint64_t interval = 0) {
    return static_cast<int64_t>(kGenesisTime * 1000 + slot * kSlotMs + interval * kSlotMs / 4);
  }

  SignatureBytes Sign(const Attestation& vote) const;
  SignedVotePtr Vote(uint64_t validator, const AttestationData& data) const;
  // The block with its proposer's signature.
  SignedBlockPtr SignBlock(const BuiltBlock& block) const;
  // A block with these votes, signed by all, whose state root is of no state: right at the edge, wrong in the chain.
  SignedBlockPtr BlockAtEdge(uint64_t slot, const Root& parent, const std::vector<Attestation>& votes) const;
  // Vote data with the genesis block for every checkpoint.
  AttestationData DataAt(uint64_t slot) const;

 private:
  crypto::SignatureScheme scheme_;
  std::vector<xmss::SecretKey> keys_;
  Genesis genesis_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_SUPPORT_TEST_NETWORK_H_
