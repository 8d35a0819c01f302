// Blocks. Source: leanSpec 050fa4a, containers/block.
#ifndef LEAN_COMMON_CONTAINERS_BLOCK_H_
#define LEAN_COMMON_CONTAINERS_BLOCK_H_

#include <cstdint>
#include <tuple>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/limits.h"
#include "common/ssz/fields.h"
#include "common/ssz/list.h"

namespace lean {

using Attestations = ssz::List<Attestation, kValidatorRegistryLimit>;
using BlockSignatures = ssz::List<SignatureBytes, kValidatorRegistryLimit>;

struct BlockBody {
  Attestations attestations;

  static constexpr auto Fields() { return std::make_tuple(ssz::Field("attestations", &BlockBody::attestations)); }
  friend bool operator==(const BlockBody&, const BlockBody&) = default;
};

// A block with the root of its body in place of the body, so both have the same root. 112 bytes.
struct BlockHeader {
  uint64_t slot = 0;
  uint64_t proposer_index = 0;
  Root parent_root;
  Root state_root;
  Root body_root;

  static constexpr auto Fields() {
    return std::make_tuple(
        ssz::Field("slot", &BlockHeader::slot), ssz::Field("proposer_index", &BlockHeader::proposer_index),
        ssz::Field("parent_root", &BlockHeader::parent_root), ssz::Field("state_root", &BlockHeader::state_root),
        ssz::Field("body_root", &BlockHeader::body_root));
  }
  friend bool operator==(const BlockHeader&, const BlockHeader&) = default;
};

struct Block {
  uint64_t slot = 0;
  uint64_t proposer_index = 0;
  Root parent_root;
  Root state_root;  // of the state after this block
  BlockBody body;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("slot", &Block::slot), ssz::Field("proposer_index", &Block::proposer_index),
                           ssz::Field("parent_root", &Block::parent_root), ssz::Field("state_root", &Block::state_root),
                           ssz::Field("body", &Block::body));
  }
  friend bool operator==(const Block&, const Block&) = default;
};

// `body_root` is the root of block.body.
inline BlockHeader HeaderOf(const Block& block, const Root& body_root) {
  return {.slot = block.slot,
          .proposer_index = block.proposer_index,
          .parent_root = block.parent_root,
          .state_root = block.state_root,
          .body_root = body_root};
}

// A block and its proposer's own vote.
struct BlockWithAttestation {
  Block block;
  Attestation proposer_attestation;

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("block", &BlockWithAttestation::block),
                           ssz::Field("proposer_attestation", &BlockWithAttestation::proposer_attestation));
  }
  friend bool operator==(const BlockWithAttestation&, const BlockWithAttestation&) = default;
};

// At most 13.3 MB (4095 votes and 4096 signatures).
struct SignedBlockWithAttestation {
  BlockWithAttestation message;
  BlockSignatures signature;  // of the body's votes in their order, then of the proposer's vote

  static constexpr auto Fields() {
    return std::make_tuple(ssz::Field("message", &SignedBlockWithAttestation::message),
                           ssz::Field("signature", &SignedBlockWithAttestation::signature));
  }
  friend bool operator==(const SignedBlockWithAttestation&, const SignedBlockWithAttestation&) = default;
};

}  // namespace lean

#endif  // LEAN_COMMON_CONTAINERS_BLOCK_H_
