// A pool of honest beacons and one that lies.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LIAR_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LIAR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/manual_clock.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "validator_client/beacons/beacon_pool.h"

namespace lean::validator {

inline constexpr uint64_t kFirstSlot = 20;
inline constexpr uint64_t kSlots = 12;

inline Root RootAt(uint64_t slot, uint8_t kind) {
  Root root = FakeRoot(kind);
  root.data[0] = static_cast<uint8_t>(slot);
  return root;
}
// The block of a slot on the chain of the honest beacons.
inline Checkpoint Real(uint64_t slot) { return {RootAt(slot, 0x66), slot}; }
inline Checkpoint Invented(uint64_t slot) { return {RootAt(slot, 0xee), slot}; }

// Honest beacons and one liar. The chain has a block in each slot. The head of a vote is the block of its slot; target
// and source are the blocks of the two slots before.
class Beacons {
 public:
  Beacons(size_t count, size_t liar);

  FakeBeacon& liar() { return *all_[liar_]; }
  FakeBeacon& at(size_t place) { return *all_[place]; }
  BeaconPool& pool() { return *pool_; }
  CapturedLog& log() { return log_; }
  uint64_t slot() const { return slot_; }

  // Moves to the end of the previous slot, and to the start of a slot. Calls take time as if they were made one by one,
  // so the time is set again for each stage.
  void Begin(uint64_t slot);
  absl::StatusOr<BuiltVote> Vote();
  absl::StatusOr<BuiltBlock> Block();
  // Whether an honest beacon gets a submission.
  bool Submit(size_t builder);
  absl::StatusOr<SubmitResult> Submit(const BuiltBlock& block);

  // Makes an honest beacon this many slots behind the chain.
  void LetLag(size_t place, uint64_t slots);
  void ForHonest(const std::function<void(FakeBeacon&)>& change);
  // The most calls of duties to one beacon since the last call of this function.
  int TakeMostCalls();

 private:
  size_t HonestVotes() const;
  BeaconPool::Remaining Stage();

  const size_t liar_;
  ManualClock clock_{kGenesisMs + static_cast<int64_t>(kFirstSlot * kSlotMs)};
  std::vector<std::unique_ptr<FakeBeacon>> all_;
  CapturedLog log_;
  std::optional<BeaconPool> pool_;
  uint64_t slot_ = kFirstSlot;
};

// A kind of lie, which starts at a slot.
struct Lie {
  std::string name;
  std::function<void(Beacons& beacons)> tell;
};

// A lie that changes the votes of its beacon.
std::function<void(Beacons&)> BendVote(const std::function<void(AttestationData&, uint64_t)>& bend);

std::vector<Lie> Lies();

// Expects the duties of a slot to be those of the honest beacons.
void ExpectHonestDuties(Beacons& beacons, uint64_t slot);

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LIAR_H_
