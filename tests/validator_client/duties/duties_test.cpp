#include "validator_client/duties/duties.h"

#include <map>
#include <set>

#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;

// Four validators, three of them ours: 0, 1 and 2.
class DutiesTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSlot = 9;      // starts with the test
  static constexpr uint64_t kProposer = 1;  // of kSlot among 4 validators

  DutiesTest() {
    for (uint64_t i = 0; i < 3; ++i) Add(i, std::make_shared<FakeKey>(i));
  }

  void Add(uint64_t index, std::shared_ptr<FakeKey> key) {
    fakes_[index] = key;
    keys_.push_back({index, key, "keys.yaml:1"});
    registered_.push_back({index, key->pubkey(), "keys.yaml:1"});
  }

  // Ready for duties in kSlot.
  void Start(uint64_t first_slot = 1) {
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    beacons_.emplace(std::vector<BeaconClient*>{&beacon_}, expected, registered_, false, RunInline, log_.logger());
    const absl::Status ready = beacons_->Probe(kSlot, milliseconds(500), [this] { return timer_.NowMs(); });
    ASSERT_TRUE(ready.ok()) << ready;
    signer_.emplace(keys_, records_, limit_, [this](std::function<void()> task) {
      clock_.Advance(signing_takes_);
      task();
    });
    duties_.emplace(*beacons_, *signer_, timer_, first_slot, metrics_, log_.logger());
    beacon_.timeouts.clear();
    log_.Clear();
  }

  // Advances to the start of interval 1.
  void ToVoteTime() { clock_.Advance(timer_.Until(kSlot, 1)); }

  std::set<uint64_t> Voters() const {
    std::set<uint64_t> voters;
    for (const SignedAttestation& vote : beacon_.votes) voters.insert(vote.message.validator_id);
    return voters;
  }

  size_t Signatures(uint64_t index) const { return fakes_.at(index)->signed_roots().size(); }

  ManualClock clock_{kGenesisMs + static_cast<int64_t>(kSlot * kSlotMs)};
  FakeBeacon beacon_{clock_, 4};
  CapturedLog log_;
  SlotTimer timer_{clock_, SlotClock(kGenesisTime, kSlotMs)};
  MemorySigningRecords records_;
  milliseconds signing_takes_{0};
  std::map<uint64_t, std::shared_ptr<FakeKey>> fakes_;
  std::vector<ValidatorKey> keys_;
  std::vector<RegisteredKey> registered_;
  metrics::Registry registry_;
  ValidatorMetrics metrics_{registry_};
  std::optional<BeaconPool> beacons_;
  NoSlotLimit limit_;
  std::optional<Signer> signer_;
  std::optional<Duties> duties_;
};

TEST_F(DutiesTest, ProposesWithOneSignatureOverTheProposersVote) {
  Start();
  duties_->Propose(kSlot);
  ASSERT_EQ(beacon_.blocks.size(), 1);
  const SignedBlockWithAttestation& block = beacon_.blocks[0];
  EXPECT_EQ(block.message.block.slot, kSlot);
  EXPECT_EQ(block.message.block.proposer_index, kProposer);
  ASSERT_EQ(block.signature.size(), 2) << "that of the one vote in the body, then the proposer's";
  EXPECT_EQ(block.signature[1],
            FakeSignature(FakePubkey(kProposer), kSlot, ssz::HashTreeRoot(block.message.proposer_attestation)));
  EXPECT_EQ(Signatures(kProposer), 1);
  EXPECT_EQ(log_.Count("info block proposed slot=9 root="), 1) << log_.text();
  EXPECT_EQ(log_.Count("validator=1 votes=1 result=accepted build_ms=0 sign_ms=0 submit_ms=0"), 1) << log_.text();
  EXPECT_EQ(log_.lines().size(), 1);
}

TEST_F(DutiesTest, ProposesOnlyInItsOwnTurn) {
  Start();
  EXPECT_TRUE(duties_->HasProposal(8));
  EXPECT_TRUE(duties_->HasProposal(9));
  EXPECT_TRUE(duties_->HasProposal(10));
  EXPECT_FALSE(duties_->HasProposal(11)) << "validator 3 is not ours";
  EXPECT_FALSE(duties_->HasProposal(0)) << "slot 0 has genesis";
  duties_->Propose(11);
  EXPECT_EQ(beacon_.calls[Method::kBuildBlock], 0);
}

TEST_F(DutiesTest, VotesWithEveryOtherKeyInOneBatch) {
  Start();
  duties_->Propose(kSlot);
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 2}));
  EXPECT_EQ(beacon_.vote_batches, (std::vector<size_t>{2}));
  for (const SignedAttestation& vote : beacon_.votes) {
    EXPECT_EQ(vote.signature,
              FakeSignature(FakePubkey(vote.message.validator_id), kSlot, ssz::HashTreeRoot(vote.message)));
  }
  for (const auto& [index, key] : fakes_) EXPECT_EQ(key->signed_roots().size(), 1) << index;
  EXPECT_EQ(
      log_.Count("info votes submitted slot=9 head=0x6666…66 target=0 source=0 votes=2 accepted=2 already_known=0 "
                 "queued=0 refused=0 build_ms=0 sign_ms=0 submit_ms=0"),
      1)
      << log_.text();
}

TEST_F(DutiesTest, VotesWithTheProposersKeyWhenItsBlockCouldNotBeBuilt) {
  Start();
  beacon_.fail[Method::kBuildBlock] = absl::ResourceExhaustedError("the channel is full");
  duties_->Propose(kSlot);
  EXPECT_EQ(
      log_.Count("error block failed slot=9 validator=1 reason=\"resource_exhausted: build: the channel is full\""), 1)
      << log_.text();
  ToVoteTime();
  ASSERT_TRUE(beacons_->Probe(kSlot, milliseconds(250), [this] { return timer_.NowMs(); }).ok());
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 1, 2}));
  EXPECT_EQ(Signatures(kProposer), 1);
}

TEST_F(DutiesTest, NeverVotesAgainWithALeafThatItsBlockHasUsed) {
  Start();
  beacon_.fail[Method::kSubmitBlock] = absl::UnavailableError("connection reset");
  duties_->Propose(kSlot);
  EXPECT_EQ(log_.Count("error block failed slot=9 validator=1 reason=\"unavailable: submit: connection reset\""), 1)
      << log_.text();
  ToVoteTime();
  ASSERT_TRUE(beacons_->Probe(kSlot, milliseconds(250), [this] { return timer_.NowMs(); }).ok());
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 2}));
  EXPECT_EQ(Signatures(kProposer), 1);
}

TEST_F(DutiesTest, NeverVotesAgainAfterTheBeaconRefusedItsBlock) {
  Start();
  beacon_.bend_results = [](std::vector<SubmitResult>& results) {
    results[0] = {SubmitResult::Status::kRefused, "INVALID_TRANSITION", "bad\nstate \"root\""};
  };
  duties_->Propose(kSlot);
  EXPECT_EQ(log_.Count("the beacon refused the block: INVALID_TRANSITION bad state 'root'"), 1) << log_.text();
  ToVoteTime();
  beacon_.bend_results = nullptr;
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 2}));
}

TEST_F(DutiesTest, SignsNothingTwiceInOneSlot) {
  Start();
  duties_->Propose(kSlot);
  duties_->Propose(kSlot);
  ToVoteTime();
  duties_->Vote(kSlot);
  beacon_.bend_vote = [](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(0x77); };
  duties_->Vote(kSlot);
  for (const auto& [index, key] : fakes_) {
    std::set<Root> roots;
    for (const FakeKey::Signed& leaf : key->signed_roots()) roots.insert(leaf.second);
    EXPECT_EQ(roots.size(), 1) << index;
  }
  EXPECT_EQ(beacon_.vote_batches.size(), 1);
}

TEST_F(DutiesTest, ASingleBeaconKeepsTheBlockAndGetsItsSignature) {
  Start();
  duties_->Propose(kSlot);
  EXPECT_EQ(beacon_.block_forms, std::vector{BlockForm::kHeader});
  EXPECT_EQ(beacon_.kept_blocks, 1);
  ASSERT_EQ(beacon_.blocks.size(), 1);
  EXPECT_EQ(beacon_.blocks[0].message.block.body.attestations.size(), 1);
  EXPECT_EQ(log_.Count("block proposed slot=9"), 1);
  EXPECT_EQ(log_.Count(" votes=1 result=accepted"), 1) << log_.text();
}

TEST_F(DutiesTest, ABeaconThatKeepsNothingGetsTheWholeBlock) {
  Start();
  beacon_.keeps_blocks = false;
  duties_->Propose(kSlot);
  EXPECT_EQ(beacon_.kept_blocks, 0);
  ASSERT_EQ(beacon_.blocks.size(), 1);
  EXPECT_EQ(beacon_.blocks[0].signature.size(), 2);
}

TEST_F(DutiesTest, SecondProposalOfOneSlotWithAnotherBlockIsRefused) {
  Start();
  duties_->Propose(kSlot);
  beacon_.bend_block = [](BuiltBlockAnswer& answer) {
    answer.block.state_root = FakeRoot(0x99);
    answer.proposer_attestation.data.head.root = ssz::HashTreeRoot(answer.block);
  };
  duties_->Propose(kSlot);
  EXPECT_EQ(beacon_.blocks.size(), 1);
  EXPECT_EQ(Signatures(kProposer), 1);
  EXPECT_EQ(log_.Count("the leaf of slot 9 has already signed another root"), 1) << log_.text();
}

TEST_F(DutiesTest, ALyingBlockCostsNoLeaf) {
  Start();
  const std::vector<std::function<void(BuiltBlockAnswer&)>> lies = {
      [](BuiltBlockAnswer& answer) { answer.block.slot = 10; },
      [](BuiltBlockAnswer& answer) { answer.block.proposer_index = 2; },
      [](BuiltBlockAnswer& answer) { answer.proposer_attestation.validator_id = 2; },
      [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.slot = 10; },
      [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.head.root = FakeRoot(7); },
      [](BuiltBlockAnswer& answer) { answer.time_ms += 3 * static_cast<int64_t>(kSlotMs); },
  };
  for (size_t i = 0; i < lies.size(); ++i) {
    beacon_.bend_block = lies[i];
    duties_->Propose(kSlot);
    EXPECT_EQ(log_.Count("error block failed slot=9 validator=1 reason=\"failed_precondition: "), i + 1) << log_.text();
  }
  EXPECT_TRUE(beacon_.blocks.empty());
  EXPECT_EQ(Signatures(kProposer), 0);
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 1, 2})) << "the leaf is free, so the proposer votes";
}

TEST_F(DutiesTest, ALyingVoteIsNotSigned) {
  Start();
  const std::vector<std::function<void(VoteDataAnswer&)>> lies = {
      [](VoteDataAnswer& answer) { answer.data.slot = 10; },
      [](VoteDataAnswer& answer) { answer.data.slot = 8; },
      [](VoteDataAnswer& answer) { answer.data.head.slot = 10; },
      [](VoteDataAnswer& answer) { answer.data.source.slot = 1; },
      [](VoteDataAnswer& answer) { answer.time_ms -= 3 * static_cast<int64_t>(kSlotMs); },
  };
  ToVoteTime();
  for (size_t i = 0; i < lies.size(); ++i) {
    beacon_.bend_vote = lies[i];
    duties_->Vote(kSlot);
    EXPECT_EQ(log_.Count("error votes failed slot=9 votes=3 reason=\"failed_precondition: "), i + 1) << log_.text();
  }
  EXPECT_TRUE(beacon_.votes.empty());
  for (const auto& [index, key] : fakes_) EXPECT_TRUE(key->signed_roots().empty()) << index;
}

TEST_F(DutiesTest, WaitsPastTheSlotItBeganIn) {
  Start(kSlot + 1);
  EXPECT_FALSE(duties_->HasProposal(kSlot));
  duties_->Propose(kSlot);
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_EQ(beacon_.calls[Method::kBuildBlock] + beacon_.calls[Method::kBuildVote], 0);
  EXPECT_EQ(log_.Count("info votes skipped slot=9"), 1) << log_.text();
}

TEST_F(DutiesTest, AClockThatWasAheadAtTheStartDelaysDutiesByOneSlot) {
  Start(500);
  duties_->Vote(kSlot - 1);  // the clock was set back: a slot in which an earlier process may have signed
  EXPECT_EQ(log_.Count("info votes skipped slot=8"), 1) << log_.text();
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_FALSE(beacon_.votes.empty()) << log_.text();
}

TEST_F(DutiesTest, DoesNothingWithABeaconThatIsNotReady) {
  Start();
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("connection refused");
  EXPECT_FALSE(beacons_->Probe(kSlot, milliseconds(500), [this] { return timer_.NowMs(); }).ok());
  log_.Clear();
  duties_->Propose(kSlot);
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_EQ(beacon_.calls[Method::kBuildBlock] + beacon_.calls[Method::kBuildVote], 0);
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{
                              "error block failed slot=9 validator=1 reason=\"unavailable: connection refused\"",
                              "error votes failed slot=9 votes=3 reason=\"unavailable: connection refused\""}));
}

TEST_F(DutiesTest, EveryCallHasADeadlineWithinItsIntervals) {
  Start();
  clock_.Advance(milliseconds(100));
  duties_->Propose(kSlot);
  clock_.Advance(timer_.Until(kSlot, 1) + milliseconds(50));
  duties_->Vote(kSlot);
  EXPECT_EQ(beacon_.timeouts, (std::vector<milliseconds>{milliseconds(900), milliseconds(1400),     // block
                                                         milliseconds(950), milliseconds(1950)}));  // votes
}

TEST_F(DutiesTest, WhatTookTooLongToSignIsSubmittedLateAndNoBeaconIsBlamed) {
  Start();
  signing_takes_ = milliseconds(1700);  // the block's time ends after 1500
  duties_->Propose(kSlot);
  EXPECT_EQ(beacon_.blocks.size(), 1);
  EXPECT_EQ(beacon_.timeouts.back(), milliseconds(1000));
  EXPECT_EQ(log_.Count("warning signing slow slot=9 sign_ms=1700"), 1) << log_.text();
  signing_takes_ = milliseconds(0);
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 2}));
  EXPECT_TRUE(beacons_->ready().ok()) << beacons_->ready();
  EXPECT_EQ(log_.Count("failed"), 0) << log_.text();
}

TEST_F(DutiesTest, AHungBeaconCostsNoMoreThanItsInterval) {
  Start();
  beacon_.slow[Method::kBuildBlock] = milliseconds(60'000);
  duties_->Propose(kSlot);
  EXPECT_EQ(timer_.Now(), (SlotTime{kSlot, 1}));
  EXPECT_EQ(log_.Count("reason=\"deadline_exceeded: build: no answer in time\""), 1) << log_.text();
  EXPECT_EQ(beacons_->ready().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(DutiesTest, SignsNothingForASlotThatEndedWhileItWasBuilt) {
  Start();
  ToVoteTime();
  // The machine was suspended during the call: the answer arrived, but the slot is over.
  beacon_.bend_vote = [this](VoteDataAnswer&) { clock_.Advance(milliseconds(4000)); };
  duties_->Vote(kSlot);
  EXPECT_TRUE(beacon_.votes.empty());
  EXPECT_EQ(log_.Count("slot 9 is over, it is slot 10 now"), 1) << log_.text();
  for (const auto& [index, key] : fakes_) EXPECT_TRUE(key->signed_roots().empty()) << index;
}

TEST_F(DutiesTest, AKeyThatHasEndedStopsNoOther) {
  Add(3, std::make_shared<FakeKey>(3, SlotRange{0, 9}, SlotRange{0, 9}));
  Start();
  ToVoteTime();
  duties_->Vote(kSlot);
  EXPECT_EQ(Voters(), (std::set<uint64_t>{0, 1, 2}));
  EXPECT_EQ(
      log_.Count("error vote refused slot=9 validator=3 reason=\"failed_precondition: slot 9 is outside the slots "
                 "of this key, 0 to 8: the validator needs another key\""),
      1)
      << log_.text();
}

TEST_F(DutiesTest, LogsEachRefusalOfTheBeaconOnce) {
  Start();
  ToVoteTime();
  beacon_.bend_results = [](std::vector<SubmitResult>& results) {
    results[1] = {SubmitResult::Status::kRefused, "BAD_SIGNATURE", "no"};
    results[2] = {SubmitResult::Status::kQueued, "UNKNOWN_BLOCK", ""};
  };
  duties_->Vote(kSlot);
  EXPECT_EQ(log_.Count("error vote refused by the beacon slot=9 validator=1 reason=\"BAD_SIGNATURE: no\""), 1)
      << log_.text();
  EXPECT_EQ(log_.Count("votes=3 accepted=1 already_known=0 queued=1 refused=1"), 1) << log_.text();
}

TEST_F(DutiesTest, RefusesAnAnswerForAnotherNumberOfVotes) {
  Start();
  ToVoteTime();
  beacon_.bend_results = [](std::vector<SubmitResult>& results) { results.resize(1); };
  duties_->Vote(kSlot);
  EXPECT_EQ(
      log_.Count(
          "error votes failed slot=9 votes=3 reason=\"failed_precondition: submit: the beacon answered for 1 votes, 3 "
          "were submitted\""),
      1)
      << log_.text();
}

}  // namespace
}  // namespace lean::validator
