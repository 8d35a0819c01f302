// Which blocks named by one beacon are known to another one, so that no single beacon can invent them.
#ifndef LEAN_VALIDATOR_CLIENT_BLOCK_WITNESSES_H_
#define LEAN_VALIDATOR_CLIENT_BLOCK_WITNESSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/checkpoint.h"
#include "validator_client/known_blocks.h"

namespace lean::validator {

// The blocks that a vote names: head, target and source.
std::array<Checkpoint, 3> BlocksOf(const AttestationData& vote);

// Built votes by the beacons that built them, the best beacon first.
struct VoteCandidate {
  size_t beacon = 0;
  AttestationData data;
};

// The first of the candidates that most beacons have built alike, two at least.
std::optional<size_t> AgreedVote(const std::vector<VoteCandidate>& candidates);

// What beacons have said of blocks. Beacons are numbers; a block is its root and, where that is known, its slot. Not
// thread-safe.
class BlockWitnesses {
 public:
  // `known` must outlive this object.
  explicit BlockWitnesses(const KnownBlocks& known) : known_(known) {}

  // The beacon has shown that it knows the block.
  void Knows(size_t beacon, const Checkpoint& block) { slots_[block.root][beacon] = block.slot; }
  // The beacon says that it has no such block, or had to name it and did not. What it is known to know stays.
  void Lacks(size_t beacon, const Root& root) { lacking_[root].insert(beacon); }
  // It has built a vote: it knows these blocks.
  void Built(const VoteCandidate& vote);

  // This client knows the block, or another beacon than the one that named it does.
  bool BorneOut(size_t teller, const Root& root) const;
  bool BorneOut(size_t teller, const Checkpoint& block) const;
  bool BorneOut(const VoteCandidate& vote) const;

  // How many others lack the block or have it at another slot, this client included; 0 when it is borne out. Of a vote
  // the most of one block.
  size_t Denials(size_t teller, const Root& root) const;
  size_t Denials(size_t teller, const Checkpoint& block) const;
  size_t Denials(const VoteCandidate& vote) const;

  // Whether the beacon has said anything of the block.
  bool HasSpoken(size_t beacon, const Root& root) const;

 private:
  const KnownBlocks& known_;
  std::map<Root, std::map<size_t, uint64_t>> slots_;  // by each beacon that knows it
  std::map<Root, std::set<size_t>> lacking_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BLOCK_WITNESSES_H_
