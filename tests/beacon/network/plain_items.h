// Blocks, votes and peers for tests in which nobody checks a signature.
#ifndef LEAN_TESTS_BEACON_NETWORK_PLAIN_ITEMS_H_
#define LEAN_TESTS_BEACON_NETWORK_PLAIN_ITEMS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/contract.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

inline SignedBlockPtr PlainBlock(uint64_t slot, size_t signatures = 1) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.block.slot = slot;
  block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(signatures)).value();
  return block;
}

inline SignedVotePtr PlainVote(uint64_t validator, uint64_t slot = 1) {
  auto vote = std::make_shared<SignedAttestation>();
  vote->message.validator_id = validator;
  vote->message.data.slot = slot;
  return vote;
}

inline v1::PeerConnected PeerNamed(uint64_t handle) {
  v1::PeerConnected peer;
  peer.set_peer(handle);
  peer.set_peer_id("peer-" + std::to_string(handle));
  *peer.mutable_status() = ToProto(ClaimedChain());
  return peer;
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_PLAIN_ITEMS_H_
