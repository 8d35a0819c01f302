// Finds out whether a block that one beacon names is known to another beacon, so that no single beacon can invent
// blocks.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BLOCK_WITNESSES_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BLOCK_WITNESSES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::validator {

// Confirmed blocks, which at least two beacons have known, and unconfirmed ones, which the only available beacon has
// named. Keeps the newest kMaxBlocks. Not thread-safe.
class KnownBlocks {
 public:
  static constexpr size_t kMaxBlocks = 256;

  // Adds a block that at least two beacons know.
  void Add(const Checkpoint& block);
  // Adds a block that one beacon has named. Does nothing when the block is known.
  void AddUnconfirmed(const Checkpoint& block);
  // Removes all unconfirmed blocks.
  void ForgetUnconfirmed();

  // The slot of the newest unconfirmed block; nullopt when there is none.
  std::optional<uint64_t> newest_unconfirmed() const;

  bool Contains(const Root& root) const { return slots_.contains(root); }
  // True when the root and the slot match.
  bool Contains(const Checkpoint& block) const;

  std::optional<uint64_t> SlotOf(const Root& root) const;

  // The slot of the newest block added so far, without the unconfirmed ones that were removed; 0 when there was none.
  uint64_t newest_slot() const { return std::max(newest_confirmed_, newest_unconfirmed().value_or(0)); }

 private:
  using BySlot = std::set<std::pair<uint64_t, Root>>;

  void Insert(const Checkpoint& block);

  std::map<Root, uint64_t> slots_;
  BySlot by_slot_;      // the same blocks
  BySlot unconfirmed_;  // a subset
  uint64_t newest_confirmed_ = 0;
};

// The blocks that a vote names: head, target and source.
std::array<Checkpoint, 3> BlocksOf(const AttestationData& vote);

// A vote and the beacon that built it. Lists of candidates start with the best beacon.
struct VoteCandidate {
  size_t beacon = 0;
  AttestationData data;
};

// The first candidate with the vote that most beacons have built; nullopt when no two votes are equal.
std::optional<size_t> AgreedVote(const std::vector<VoteCandidate>& candidates);

// What beacons have said about blocks. A beacon is a number. A block is a root and, where it is known, a slot. Not
// thread-safe.
class BlockWitnesses {
 public:
  // `known` must outlive this object.
  explicit BlockWitnesses(const KnownBlocks& known) : known_(known) {}

  // The beacon has shown that it knows the block.
  void Knows(size_t beacon, const Checkpoint& block) { slots_[block.root][beacon] = block.slot; }
  // The beacon says that it does not have the block, or did not name it where it had to. Does not undo Knows.
  void Lacks(size_t beacon, const Root& root) { lacking_[root].insert(beacon); }
  // The beacon has built this vote, so it knows the blocks in it.
  void Built(const VoteCandidate& vote);

  // True when this client knows the block, or a beacon other than `teller`, which named it, does.
  bool IsCorroborated(size_t teller, const Root& root) const;
  bool IsCorroborated(size_t teller, const Checkpoint& block) const;
  bool IsCorroborated(const VoteCandidate& vote) const;

  // The number of others, this client included, that lack the block or have it at another slot; 0 when it is
  // corroborated. For a vote: the maximum over its blocks.
  size_t Denials(size_t teller, const Root& root) const;
  size_t Denials(size_t teller, const Checkpoint& block) const;
  size_t Denials(const VoteCandidate& vote) const;

  // Whether the beacon has said anything about the block.
  bool HasSpoken(size_t beacon, const Root& root) const;

 private:
  const KnownBlocks& known_;
  std::map<Root, std::map<size_t, uint64_t>> slots_;  // by each beacon that knows it
  std::map<Root, std::set<size_t>> lacking_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BLOCK_WITNESSES_H_
