#include "tests/validator_client/support/liar.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;

constexpr milliseconds kDutyStage{1000};
constexpr milliseconds kForever{60'000};

}  // namespace

Beacons::Beacons(size_t count, size_t liar) : liar_(liar) {
  for (size_t i = 0; i < count; ++i) {
    all_.push_back(std::make_unique<FakeBeacon>(clock_, 4, absl::StrCat(i == liar ? "liar:" : "honest:", i)));
    LetLag(i, 0);
  }
  ExpectedNetwork expected;
  expected.xmss_log_lifetime = 16;
  std::vector<BeaconClient*> clients;
  for (const auto& beacon : all_) clients.push_back(beacon.get());
  pool_.emplace(clients, expected, std::vector<RegisteredKey>{{0, FakePubkey(0), "keys.yaml:1"}}, false, RunInline,
                log_.logger());
}

void Beacons::Begin(uint64_t slot) {
  slot_ = slot;
  clock_.SetWallMs(kGenesisMs + static_cast<int64_t>(slot * kSlotMs) - 100);
  ASSERT_TRUE(pool_->Probe(slot, milliseconds(500), [this] { return clock_.WallMs(); }).ok());
  pool_->SettleClaims(milliseconds(100));
}

absl::StatusOr<BuiltVote> Beacons::Vote() {
  return pool_->BuildVote(slot_, Stage(), [](const BeaconSession&, const VoteDataAnswer&) { return absl::OkStatus(); });
}

absl::StatusOr<BuiltBlock> Beacons::Block() {
  return pool_->BuildBlock(slot_, 0, Stage(),
                           [](const BeaconSession&, const BuiltBlockAnswer&) { return absl::OkStatus(); });
}

bool Beacons::Submit(size_t builder) {
  const auto before = HonestVotes();
  return pool_->SubmitVotes(std::vector<SignedAttestation>(1), builder, Stage()).ok() && HonestVotes() > before;
}

absl::StatusOr<SubmitResult> Beacons::Submit(const BuiltBlock& block) {
  return pool_->SubmitBlock(block, SignatureBytes{}, Stage());
}

void Beacons::LetLag(size_t place, uint64_t slots) {
  FakeBeacon& beacon = *all_[place];
  beacon.held_blocks = {{FakeRoot(0x11), 0}};
  // Has the blocks up to that of its newest vote or parent.
  const auto hold = [&beacon](uint64_t last) {
    for (uint64_t slot = kFirstSlot / 2; slot <= last; ++slot) beacon.held_blocks[Real(slot).root] = slot;
  };
  beacon.bend_duties = [this, slots](DutiesAnswer& answer) {
    answer.head_slot = slot_ - slots - 1;
    answer.time_ms = clock_.WallMs();
  };
  beacon.bend_vote = [this, slots, hold](VoteDataAnswer& answer) {
    const uint64_t head = slot_ - slots;
    answer.data = {slot_, Real(head), Real(head - 1), Real(head - 2)};
    hold(head);
  };
  beacon.bend_block = [this, slots, hold](BuiltBlockAnswer& answer) {
    const uint64_t parent = slot_ - slots - 1;
    answer.block.parent_root = Real(parent).root;
    answer.proposer_attestation.data.target = Real(parent - 1);
    answer.proposer_attestation.data.source = Real(parent - 2);
    hold(parent);
  };
}

void Beacons::ForHonest(const std::function<void(FakeBeacon&)>& change) {
  for (size_t i = 0; i < all_.size(); ++i) {
    if (i != liar_) change(*all_[i]);
  }
}

int Beacons::TakeMostCalls() {
  int most = 0;
  for (const auto& beacon : all_) {
    int calls = 0;
    for (const auto& [method, count] : beacon->calls) calls += method == Method::kGetDuties ? 0 : count;
    most = std::max(most, calls);
    beacon->calls.clear();
  }
  return most;
}

size_t Beacons::HonestVotes() const {
  size_t votes = 0;
  for (size_t i = 0; i < all_.size(); ++i) votes += i == liar_ ? 0 : all_[i]->votes.size();
  return votes;
}

BeaconPool::Remaining Beacons::Stage() {
  const SteadyTime end = clock_.Steady() + kDutyStage;
  return [this, end] { return std::chrono::duration_cast<milliseconds>(end - clock_.Steady()); };
}

std::function<void(Beacons&)> BendVote(const std::function<void(AttestationData&, uint64_t)>& bend) {
  return [bend](Beacons& beacons) {
    beacons.liar().bend_vote = [&beacons, bend](VoteDataAnswer& answer) {
      const uint64_t slot = beacons.slot();
      answer.data = {slot, Real(slot), Real(slot - 1), Real(slot - 2)};
      bend(answer.data, slot);
    };
    // It repeats whatever it has said.
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
  // A block, a vote in two rounds and a submission, and in each of them three look-ups for blocks of each other beacon.
  const int others = static_cast<int>(beacons.pool().size()) - 1;
  EXPECT_LE(beacons.TakeMostCalls(), 4 + 3 * 3 * others);
}

}  // namespace lean::validator
