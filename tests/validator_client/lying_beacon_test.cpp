// One beacon of several lies, in every way and in every place: what the pool chooses is what the honest ones say.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "validator_client/beacon_pool.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;

constexpr milliseconds kDutyStage{1000};
constexpr milliseconds kForever{60'000};
constexpr uint64_t kFirstSlot = 20;
constexpr uint64_t kSlots = 12;

Root RootAt(uint64_t slot, uint8_t kind) {
  Root root = FakeRoot(kind);
  root.data[0] = static_cast<uint8_t>(slot);
  return root;
}
// The block of a slot on the chain that the honest beacons have.
Checkpoint Real(uint64_t slot) { return {RootAt(slot, 0x66), slot}; }
Checkpoint Invented(uint64_t slot) { return {RootAt(slot, 0xee), slot}; }

// Honest beacons and one liar among them. Its chain has a block in each slot; its votes have the block of the slot as
// head, and those of the two slots before as target and source.
class Beacons {
 public:
  Beacons(size_t count, size_t liar) : liar_(liar) {
    for (size_t i = 0; i < count; ++i) {
      all_.push_back(std::make_unique<FakeBeacon>(clock_, 4, absl::StrCat(i == liar ? "liar:" : "honest:", i)));
      MakeHonest(*all_.back());
    }
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    std::vector<BeaconClient*> clients;
    for (const auto& beacon : all_) clients.push_back(beacon.get());
    pool_.emplace(clients, expected, std::vector<RegisteredKey>{{0, FakePubkey(0), "keys.yaml:1"}}, false, RunInline,
                  log_.logger());
  }

  FakeBeacon& liar() { return *all_[liar_]; }
  BeaconPool& pool() { return *pool_; }
  CapturedLog& log() { return log_; }
  uint64_t slot() const { return slot_; }

  // The quiet part before a slot, and its beginning. What each call takes is charged as if all were made one by one, so
  // that time is set anew for each stage.
  void Begin(uint64_t slot) {
    slot_ = slot;
    clock_.SetWallMs(kGenesisMs + static_cast<int64_t>(slot * kSlotMs) - 100);
    ASSERT_TRUE(pool_->Probe(slot, milliseconds(500), [this] { return clock_.WallMs(); }).ok());
    pool_->SettleClaims(milliseconds(100));
  }
  absl::StatusOr<BuiltVote> Vote() {
    return pool_->BuildVote(slot_, Stage(),
                            [](const BeaconSession&, const VoteDataAnswer&) { return absl::OkStatus(); });
  }
  absl::StatusOr<BuiltBlock> Block() {
    return pool_->BuildBlock(slot_, 0, Stage(),
                             [](const BeaconSession&, const BuiltBlockAnswer&) { return absl::OkStatus(); });
  }
  // Whether an honest one gets what is handed in.
  bool Submit(size_t builder) {
    const auto before = HonestVotes();
    return pool_->SubmitVotes(std::vector<SignedAttestation>(1), builder, Stage()).ok() && HonestVotes() > before;
  }
  void ForHonest(const std::function<void(FakeBeacon&)>& change) {
    for (size_t i = 0; i < all_.size(); ++i) {
      if (i != liar_) change(*all_[i]);
    }
  }
  // The most of one beacon since the last time, of the calls that duties make.
  int TakeMostCalls() {
    int most = 0;
    for (const auto& beacon : all_) {
      int calls = 0;
      for (const auto& [method, count] : beacon->calls) calls += method == Method::kGetDuties ? 0 : count;
      most = std::max(most, calls);
      beacon->calls.clear();
    }
    return most;
  }

 private:
  void MakeHonest(FakeBeacon& beacon) {
    beacon.held_blocks[FakeRoot(0x11)] = 0;
    beacon.bend_duties = [this](DutiesAnswer& answer) {
      answer.head_slot = slot_ - 1;
      answer.time_ms = clock_.WallMs();
    };
    beacon.bend_vote = [this, &beacon](VoteDataAnswer& answer) {
      answer.data = {slot_, Real(slot_), Real(slot_ - 1), Real(slot_ - 2)};
      for (uint64_t slot = slot_ - 2; slot <= slot_; ++slot) beacon.held_blocks[Real(slot).root] = slot;
    };
    beacon.bend_block = [this, &beacon](BuiltBlockAnswer& answer) {
      answer.block.parent_root = Real(slot_ - 1).root;
      answer.proposer_attestation.data.target = Real(slot_ - 2);
      answer.proposer_attestation.data.source = Real(slot_ - 3);
      for (uint64_t slot = slot_ - 3; slot < slot_; ++slot) beacon.held_blocks[Real(slot).root] = slot;
    };
  }
  size_t HonestVotes() const {
    size_t votes = 0;
    for (size_t i = 0; i < all_.size(); ++i) votes += i == liar_ ? 0 : all_[i]->votes.size();
    return votes;
  }
  BeaconPool::Remaining Stage() {
    const SteadyTime end = clock_.Steady() + kDutyStage;
    return [this, end] { return std::chrono::duration_cast<milliseconds>(end - clock_.Steady()); };
  }

  const size_t liar_;
  ManualClock clock_{kGenesisMs + static_cast<int64_t>(kFirstSlot * kSlotMs)};
  std::vector<std::unique_ptr<FakeBeacon>> all_;
  CapturedLog log_;
  std::optional<BeaconPool> pool_;
  uint64_t slot_ = kFirstSlot;
};

// A way to lie, from a slot on.
struct Lie {
  std::string name;
  std::function<void(Beacons& beacons)> tell;
};

std::function<void(Beacons&)> BendVote(const std::function<void(AttestationData&, uint64_t)>& bend) {
  return [bend](Beacons& beacons) {
    beacons.liar().bend_vote = [&beacons, bend](VoteDataAnswer& answer) {
      const uint64_t slot = beacons.slot();
      answer.data = {slot, Real(slot), Real(slot - 1), Real(slot - 2)};
      bend(answer.data, slot);
    };
    // It stands by whatever it says.
    beacons.liar().held_blocks[Invented(beacons.slot()).root] = beacons.slot();
  };
}

std::vector<Lie> Lies() {
  return {
      {"an invented head", BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })},
      {"an invented target", BendVote([](AttestationData& data, uint64_t slot) { data.target = Invented(slot - 1); })},
      {"an invented source", BendVote([](AttestationData& data, uint64_t slot) { data.source = Invented(slot - 2); })},
      {"a real head at another slot", BendVote([](AttestationData& data, uint64_t slot) {
         data.head = {Real(slot - 1).root, slot};
       })},
      {"an invented chain", BendVote([](AttestationData& data, uint64_t slot) {
         data.head = Invented(slot);
         data.target = Invented(slot - 1);
         data.source = Invented(slot - 2);
       })},
      {"a head at the clock, and hangs",
       [](Beacons& beacons) {
         beacons.liar().bend_duties = [&beacons](DutiesAnswer& answer) { answer.head_slot = beacons.slot(); };
         beacons.liar().slow[Method::kBuildVote] = beacons.liar().slow[Method::kBuildBlock] = kForever;
       }},
      {"nothing, to any call of a duty",
       [](Beacons& beacons) {
         for (const Method method : {Method::kBuildVote, Method::kBuildBlock, Method::kSubmitVotes,
                                     Method::kSubmitBlock, Method::kGetBlockSlot}) {
           beacons.liar().slow[method] = kForever;
         }
       }},
      {"that no block is known",
       [](Beacons& beacons) { beacons.liar().fail[Method::kGetBlockSlot] = absl::NotFoundError("no"); }},
      {"an invented parent, target and source of a block",
       [](Beacons& beacons) {
         beacons.liar().bend_block = [&beacons](BuiltBlockAnswer& answer) {
           const uint64_t slot = beacons.slot();
           answer.block.parent_root = Invented(slot - 1).root;
           answer.proposer_attestation.data.target = Invented(slot - 2);
           answer.proposer_attestation.data.source = Invented(slot - 3);
         };
       }},
      {"an invented source of a block",
       [](Beacons& beacons) {
         beacons.liar().bend_block = [&beacons](BuiltBlockAnswer& answer) {
           const uint64_t slot = beacons.slot();
           answer.block.parent_root = Real(slot - 1).root;
           answer.proposer_attestation.data.target = Real(slot - 2);
           answer.proposer_attestation.data.source = Invented(slot - 3);
         };
       }},
  };
}

void ExpectHonestDuties(Beacons& beacons, uint64_t slot) {
  beacons.Begin(slot);
  beacons.TakeMostCalls();
  const auto block = beacons.Block();
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(block->answer.block.parent_root, Real(slot - 1).root);
  EXPECT_EQ(block->answer.proposer_attestation.data.target, Real(slot - 2));
  EXPECT_EQ(block->answer.proposer_attestation.data.source, Real(slot - 3));
  const auto vote = beacons.Vote();
  ASSERT_TRUE(vote.ok()) << vote.status();
  EXPECT_EQ(vote->data, (AttestationData{slot, Real(slot), Real(slot - 1), Real(slot - 2)}));
  EXPECT_TRUE(beacons.Submit(vote->builder));
  // A block, a vote in two rounds, a submission; and three blocks of each other beacon's looked for in each of these.
  const int others = static_cast<int>(beacons.pool().size()) - 1;
  EXPECT_LE(beacons.TakeMostCalls(), 4 + 3 * 3 * others);
}

// In each of three or four beacons' places, from the start and after a while of honesty.
TEST(LyingBeacon, OneOfThreeOrMoreChangesNothing) {
  for (const size_t count : {3u, 4u}) {
    for (size_t liar = 0; liar < count; ++liar) {
      for (const Lie& lie : Lies()) {
        for (const uint64_t honest_slots : {0u, 5u}) {
          SCOPED_TRACE(absl::StrCat("beacon ", liar, " of ", count, " tells ", lie.name, " after ", honest_slots));
          Beacons beacons(count, liar);
          for (uint64_t slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
            if (slot == kFirstSlot + honest_slots) lie.tell(beacons);
            ExpectHonestDuties(beacons, slot);
          }
        }
      }
    }
  }
}

// The second of two, once the blocks before are known: the first one is believed where both contradict each other.
TEST(LyingBeacon, TheSecondOfTwoChangesNothing) {
  for (const Lie& lie : Lies()) {
    SCOPED_TRACE(lie.name);
    Beacons beacons(2, 1);
    for (uint64_t slot = kFirstSlot; slot < kFirstSlot + kSlots; ++slot) {
      if (slot == kFirstSlot + 2) lie.tell(beacons);
      ExpectHonestDuties(beacons, slot);
    }
  }
}

TEST(LyingBeacon, AloneItIsTakenAtItsWord) {
  Beacons beacons(1, 0);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  beacons.Begin(kFirstSlot);
  const auto vote = beacons.Vote();
  ASSERT_TRUE(vote.ok()) << vote.status();
  EXPECT_EQ(vote->data.head, Invented(kFirstSlot));
}

TEST(LyingBeacon, ADisprovedClaimCostsThePlace) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  EXPECT_EQ(beacons.pool().best(), 0u);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.Begin(kFirstSlot + 1);
  EXPECT_EQ(beacons.pool().best(), 1u);
  EXPECT_EQ(beacons.log().Count("warning beacon loses its place beacon=liar:0 slots=64"), 1) << beacons.log().text();
  beacons.Begin(kFirstSlot + 1 + kDisprovedSlots);
  EXPECT_EQ(beacons.pool().best(), 0u) << "it gets another chance";
}

TEST(LyingBeacon, ABlockThatTheOthersGetALittleLaterCostsNothing) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  BendVote([](AttestationData& data, uint64_t slot) { data.head = Invented(slot); })(beacons);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.ForHonest([](FakeBeacon& beacon) { beacon.held_blocks[Invented(kFirstSlot).root] = kFirstSlot; });
  beacons.Begin(kFirstSlot + 1);
  EXPECT_EQ(beacons.pool().best(), 0u);
  EXPECT_EQ(beacons.log().Count("loses its place"), 0) << beacons.log().text();
}

// The head has reached one beacon and not yet the others.
TEST(LyingBeacon, HonestOnesThatDifferFindTheNewestBlockThatAnotherOneHas) {
  Beacons beacons(3, 0);
  beacons.Begin(kFirstSlot);
  ASSERT_TRUE(beacons.Vote().ok());
  beacons.Begin(kFirstSlot + 1);
  // The first one votes for the block of this slot, the two others not yet, with targets that differ.
  size_t number = 0;
  beacons.ForHonest([&number, &beacons](FakeBeacon& beacon) {
    const uint64_t back = ++number;
    beacon.bend_vote = [back, &beacons](VoteDataAnswer& answer) {
      const uint64_t slot = beacons.slot();
      answer.data = {slot, Real(slot - 1), Real(slot - 1 - back), Real(slot - 3)};
    };
  });
  beacons.ForHonest([&beacons](FakeBeacon& beacon) {
    for (uint64_t slot = kFirstSlot - 3; slot <= kFirstSlot + 1; ++slot) beacon.held_blocks[Real(slot).root] = slot;
  });
  beacons.liar().held_blocks[Real(kFirstSlot - 2).root] = kFirstSlot - 2;
  const auto vote = beacons.Vote();
  ASSERT_TRUE(vote.ok()) << vote.status();
  EXPECT_EQ(vote->data.head, Real(kFirstSlot + 1));
}

}  // namespace
}  // namespace lean::validator
