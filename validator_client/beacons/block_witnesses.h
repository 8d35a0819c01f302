// Which blocks named by one beacon are known to another one, so that no single beacon can invent them.
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
#include "common/containers/checkpoint.h"

namespace lean::validator {

// Blocks that more than one beacon has known: no single one has invented them; and, for a while, blocks that the only
// one there was to ask has named. Keeps the newest. Not thread-safe.
class KnownBlocks {
 public:
  static constexpr size_t kMaxBlocks = 256;

  // Of more than one beacon.
  void Add(const Checkpoint& block);
  // Of a single one. Does nothing when the block is known.
  void AddUnconfirmed(const Checkpoint& block);
  // Forgets those that were never added by more than one.
  void ForgetUnconfirmed();

  // The slot of the newest unconfirmed one; nullopt: there is none.
  std::optional<uint64_t> newest_unconfirmed() const;

  bool Contains(const Root& root) const { return slots_.contains(root); }
  // With its slot.
  bool Contains(const Checkpoint& block) const;

  std::optional<uint64_t> SlotOf(const Root& root) const;

  // The slot of the newest one there ever was, those that were forgotten excepted; 0 when there was none.
  uint64_t newest_slot() const { return std::max(newest_confirmed_, newest_unconfirmed().value_or(0)); }

 private:
  using BySlot = std::set<std::pair<uint64_t, Root>>;

  void Insert(const Checkpoint& block);

  std::map<Root, uint64_t> slots_;
  BySlot by_slot_;      // the same blocks
  BySlot unconfirmed_;  // those of them that one beacon alone has named
  uint64_t newest_confirmed_ = 0;
};

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

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BLOCK_WITNESSES_H_
