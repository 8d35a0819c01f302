#include "validator_client/signing/signer.h"

#include <algorithm>
#include <map>
#include <thread>

#include "absl/strings/match.h"
#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"

namespace lean::validator {
namespace {

Attestation VoteBy(uint64_t index, uint64_t slot, uint8_t head = 1) {
  return Attestation{index, AttestationData{slot, {FakeRoot(head), slot}, {FakeRoot(2), 0}, {FakeRoot(2), 0}}};
}

void RunAtOnce(std::function<void()> task) { task(); }

// Records that cannot be written, or that check the order of calls.
class ScriptedRecords : public SigningRecords {
 public:
  absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) override {
    batches.push_back(requests);
    if (on_reserve) on_reserve();
    RETURN_IF_ERROR(status);
    return std::vector<absl::Status>(requests.size(), absl::OkStatus());
  }
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes&) override { return std::nullopt; }
  absl::StatusOr<bool> MayHaveSigned(const SigningRequest&) override { return false; }
  absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t, size_t) override { return std::vector<Root>(); }
  absl::Status ForgetWriter() override { return absl::OkStatus(); }

  absl::Status status;
  std::function<void()> on_reserve;
  std::vector<std::vector<SigningRequest>> batches;
};

struct Keys {
  explicit Keys(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      fakes.push_back(std::make_shared<FakeKey>(i));
      keys.push_back(ValidatorKey{i, fakes.back(), ""});
    }
  }
  std::vector<std::shared_ptr<FakeKey>> fakes;
  std::vector<ValidatorKey> keys;
};

TEST(Signer, SignsTheRecomputedRootOfEachVote) {
  Keys keys(3);
  MemorySigningRecords records;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  const std::vector<Attestation> votes = {VoteBy(2, 7), VoteBy(0, 7)};
  const auto signatures = signer.Sign(7, votes);
  ASSERT_EQ(signatures.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(signatures[i].ok()) << signatures[i].status();
    EXPECT_EQ(*signatures[i], FakeSignature(FakePubkey(votes[i].validator_id), 7, ssz::HashTreeRoot(votes[i])));
  }
  EXPECT_TRUE(keys.fakes[1]->signed_roots().empty());
}

TEST(Signer, ReservesAllOfADutyInOneBatchBeforeAnySignature) {
  Keys keys(3);
  ScriptedRecords records;
  records.on_reserve = [&] {
    for (const auto& key : keys.fakes) EXPECT_TRUE(key->signed_roots().empty());
  };
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  signer.Sign(7, {VoteBy(0, 7), VoteBy(1, 7), VoteBy(2, 7)});
  ASSERT_EQ(records.batches.size(), 1);
  ASSERT_EQ(records.batches[0].size(), 3);
  EXPECT_EQ(records.batches[0][1].pubkey, FakePubkey(1));
  EXPECT_EQ(records.batches[0][1].slot, 7);
  EXPECT_EQ(records.batches[0][1].root, ssz::HashTreeRoot(VoteBy(1, 7)));
  for (const auto& key : keys.fakes) EXPECT_EQ(key->signed_roots().size(), 1);
}

TEST(Signer, SignsNothingWhenTheRecordsCannotBeWritten) {
  Keys keys(2);
  ScriptedRecords records;
  records.status = absl::InternalError("disk full");
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  for (const auto& signature : signer.Sign(7, {VoteBy(0, 7), VoteBy(1, 7)})) {
    EXPECT_EQ(signature.status(), records.status);
  }
  for (const auto& key : keys.fakes) EXPECT_TRUE(key->signed_roots().empty());
}

TEST(Signer, NeverSignsTwoRootsWithOneLeaf) {
  Keys keys(1);
  MemorySigningRecords records;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  EXPECT_TRUE(signer.Sign(7, {VoteBy(0, 7, 1)})[0].ok());
  EXPECT_FALSE(signer.Sign(7, {VoteBy(0, 7, 3)})[0].ok());
  EXPECT_FALSE(signer.Sign(6, {VoteBy(0, 6, 1)})[0].ok());
  EXPECT_TRUE(signer.Sign(7, {VoteBy(0, 7, 1)})[0].ok()) << "the same root gives the same bytes";
  for (const FakeKey::Signed& leaf : keys.fakes[0]->signed_roots()) {
    EXPECT_EQ(leaf.second, ssz::HashTreeRoot(VoteBy(0, 7, 1)));
  }
}

TEST(Signer, RefusesAVoteOfAnotherSlotThanTheDutys) {
  Keys keys(1);
  ScriptedRecords records;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  EXPECT_EQ(signer.Sign(7, {VoteBy(0, 8)})[0].status().message(), "the vote is for slot 8, the duty is of slot 7");
  EXPECT_TRUE(records.batches.empty()) << "no leaf is spent on it";
}

TEST(Signer, RefusesAValidatorThatIsNotOurs) {
  Keys keys(1);
  MemorySigningRecords records;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  EXPECT_EQ(signer.Sign(7, {VoteBy(5, 7)})[0].status().message(), "validator 5 is not one of this process");
}

TEST(Signer, RefusesOneKeyWithoutStoppingTheOthers) {
  auto ended = std::make_shared<FakeKey>(0, SlotRange{0, 5}, SlotRange{0, 5});
  auto unprepared = std::make_shared<FakeKey>(1, SlotRange{0, 100}, SlotRange{0, 4});
  auto good = std::make_shared<FakeKey>(2);
  ScriptedRecords records;
  NoSlotLimit limit;
  Signer signer({{0, ended, ""}, {1, unprepared, ""}, {2, good, ""}}, records, limit, RunAtOnce);
  const auto signatures = signer.Sign(7, {VoteBy(0, 7), VoteBy(1, 7), VoteBy(2, 7)});
  EXPECT_EQ(signatures[0].status().message(),
            "slot 7 is outside the slots of this key, 0 to 4: the validator needs another key");
  EXPECT_EQ(signatures[1].status().message(), "the key is still being prepared for slot 7: it signs once that is done");
  EXPECT_TRUE(signatures[2].ok());
  ASSERT_EQ(records.batches.size(), 1);
  EXPECT_EQ(records.batches[0].size(), 1) << "no leaf is spent on the others";
}

TEST(Signer, KnowsWhichLeavesAreUsed) {
  Keys keys(2);
  MemorySigningRecords records;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, RunAtOnce);
  signer.Sign(7, {VoteBy(0, 7)});
  EXPECT_TRUE(*signer.LeafUsed(*signer.keys()->Find(0), 7));
  EXPECT_TRUE(*signer.LeafUsed(*signer.keys()->Find(0), 6));
  EXPECT_FALSE(*signer.LeafUsed(*signer.keys()->Find(0), 8));
  EXPECT_FALSE(*signer.LeafUsed(*signer.keys()->Find(1), 7));
  EXPECT_EQ(signer.keys()->Find(9), nullptr);
}

TEST(SignerThreads, SpreadsTheSignaturesOfADuty) {
  constexpr uint64_t kKeys = 64;
  Keys keys(kKeys);
  MemorySigningRecords records;
  std::vector<std::thread> threads;
  Mutex mutex;
  NoSlotLimit limit;
  Signer signer(keys.keys, records, limit, [&](std::function<void()> task) {
    MutexLock lock(mutex);
    threads.emplace_back(std::move(task));
  });
  std::vector<Attestation> votes;
  for (uint64_t i = 0; i < kKeys; ++i) votes.push_back(VoteBy(i, 7));
  const auto signatures = signer.Sign(7, votes);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(threads.size(), kKeys);
  for (uint64_t i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(signatures[i].ok());
    EXPECT_EQ(*signatures[i], FakeSignature(FakePubkey(i), 7, ssz::HashTreeRoot(votes[i])));
  }
}

// Records whose highest slots a test sets.
class RecordsFrom : public ScriptedRecords {
 public:
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) override {
    RETURN_IF_ERROR(highest_status);
    const auto found = highest.find(pubkey);
    return found == highest.end() ? std::nullopt : std::optional<uint64_t>(found->second);
  }

  std::map<PublicKeyBytes, uint64_t> highest;
  absl::Status highest_status;
};

TEST(Signer, SignsNothingTooFarAboveAKeysRecordsHoweverItIsAsked) {
  Keys keys(2);
  RecordsFrom records;
  records.highest[FakePubkey(1)] = 500;
  ManualClock clock(0);
  SlotLimit limit(clock, 4000);
  Signer signer(keys.keys, records, limit, RunAtOnce);
  const auto highest_signed = [&](uint64_t index) {
    uint64_t highest = 0;
    for (const auto& [slot, root] : keys.fakes[index]->signed_roots()) highest = std::max(highest, slot);
    return highest;
  };
  // Signs each slot at once, and each after the slot below it: signing does not move the bound.
  for (uint64_t slot = 1; slot <= 4096; ++slot) {
    const auto signatures = signer.Sign(slot, {VoteBy(0, slot), VoteBy(1, slot)});
    EXPECT_EQ(signatures[0].ok(), slot <= 1024) << slot;
    EXPECT_EQ(signatures[1].ok(), slot <= 1524) << slot;
    for (const auto index : {0, 1}) {
      if (signatures[index].ok()) records.highest[FakePubkey(index)] = slot;
    }
  }
  EXPECT_EQ(highest_signed(0), 1024);
  EXPECT_EQ(highest_signed(1), 1524);
  EXPECT_EQ(records.batches.back()[0].slot, 1524) << "what is refused is not reserved";
  clock.Advance(std::chrono::milliseconds(40'000));
  EXPECT_TRUE(signer.Sign(1034, {VoteBy(0, 1034)})[0].ok());
  EXPECT_FALSE(signer.Sign(1035, {VoteBy(0, 1035)})[0].ok());
}

TEST(Signer, AKeyThatComesAgainIsBoundByTheRecordsItComesWith) {
  Keys keys(1);
  RecordsFrom records;
  ManualClock clock(0);
  SlotLimit limit(clock, 4000);
  Signer signer(keys.keys, records, limit, RunAtOnce);
  EXPECT_FALSE(signer.CheckLimit(keys.keys[0], 2000).ok());
  const std::optional<ValidatorKey> key = signer.Remove(FakePubkey(0));
  ASSERT_TRUE(key.has_value());
  records.highest[FakePubkey(0)] = 1990;
  ASSERT_TRUE(signer.Add(*key).ok());
  EXPECT_TRUE(signer.CheckLimit(keys.keys[0], 2000).ok());
}

TEST(Signer, SignsNothingWhileTheRecordsCannotTell) {
  Keys keys(1);
  RecordsFrom records;
  records.highest_status = absl::UnavailableError("the disk");
  ManualClock clock(0);
  SlotLimit limit(clock, 4000);
  Signer signer(keys.keys, records, limit, RunAtOnce);
  EXPECT_EQ(signer.Sign(7, {VoteBy(0, 7)})[0].status(), records.highest_status);
  records.highest_status = absl::OkStatus();
  EXPECT_TRUE(signer.Sign(7, {VoteBy(0, 7)})[0].ok());
}

}  // namespace
}  // namespace lean::validator
