#include "beacon/network/block_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_codec.h"
#include "common/clock/manual_clock.h"
#include "common/rpc/convert.h"
#include "common/rpc/status.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SignedBlockPtr Block(uint64_t slot, size_t signatures = 1) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.block.slot = slot;
  block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(signatures)).value();
  return block;
}

Root RootOf(const SignedBlockPtr& block) { return ssz::HashTreeRoot(block->message.block); }

class FakeSource : public BlockSource {
 public:
  explicit FakeSource(const std::vector<SignedBlockPtr>& blocks) {
    for (const SignedBlockPtr& block : blocks) blocks_[block->message.block.slot] = block;
  }
  SignedBlockPtr ByRoot(const Root& root) const override {
    for (const auto& [slot, block] : blocks_) {
      if (RootOf(block) == root) return block;
    }
    return nullptr;
  }
  std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const override {
    std::vector<SignedBlockPtr> found;
    size_t bytes = 0;
    for (const auto& [slot, block] : blocks_) {
      if (slot < first_slot || slot - first_slot >= count) continue;
      bytes += BytesOf(*block);
      if (bytes > max_bytes && !found.empty()) break;
      found.push_back(block);
    }
    return found;
  }
  uint64_t earliest_slot() const override { return 1; }

 private:
  std::map<uint64_t, SignedBlockPtr> blocks_;
};

class AskingPeer : public GossipPeer {
 public:
  explicit AskingPeer(const Clock& clock) : rates_(RateLimits::For(4, 4000), clock.Steady()) {}
  uint64_t id() const override { return 1; }
  PeerRates& rates() override { return rates_; }
  SeenItems& known() override { return known_; }
  void Report(Offence offence, std::string) override { offences.push_back(offence); }
  void ReportNoAnswer(SteadyTime) override { Report(Offence::kUnresponsive, ""); }
  void Send(const OutgoingItem&) override {}
  void Send(const std::vector<OutgoingItem>&) override {}
  void BeginWork(size_t) override {}
  void EndWork(size_t) override {}

  std::vector<Offence> offences;

 private:
  PeerRates rates_;
  SeenItems known_{10};
};

class BlockAnswersTest : public testing::Test {
 protected:
  absl::StatusOr<v1::BlocksResponse> Answer(const v1::BlocksRequest& request) {
    return AnswerRequest(request, peer_, source_, clock_);
  }
  // What the asker gets of it.
  std::vector<SignedBlockPtr> Ask(const v1::BlocksRequest& request) {
    const auto answer = Answer(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    auto blocks = CheckAnswer(request, *answer);
    EXPECT_TRUE(blocks.ok()) << blocks.status();
    return *std::move(blocks);
  }
  static std::vector<uint64_t> Slots(const std::vector<SignedBlockPtr>& blocks) {
    std::vector<uint64_t> slots;
    for (const SignedBlockPtr& block : blocks) slots.push_back(block->message.block.slot);
    return slots;
  }
  static v1::BlocksResponse Of(const std::vector<SignedBlockPtr>& blocks) {
    v1::BlocksResponse answer;
    for (const SignedBlockPtr& block : blocks) answer.add_blocks(EncodeBlock(*block));
    return answer;
  }

  ManualClock clock_{1'700'000'000'000};
  // One block is larger than an answer's budget.
  FakeSource source_{{Block(1), Block(2), Block(4), Block(5), Block(7, 2000)}};
  AskingPeer peer_{clock_};
};

TEST_F(BlockAnswersTest, ByRange) {
  EXPECT_THAT(Slots(Ask(RequestByRange(0, 100))), ElementsAre(1, 2, 4, 5)) << "the large one does not fit";
  EXPECT_THAT(Slots(Ask(RequestByRange(2, 3))), ElementsAre(2, 4));
  EXPECT_THAT(Slots(Ask(RequestByRange(6, 10))), ElementsAre(7)) << "alone it does";
  EXPECT_THAT(Slots(Ask(RequestByRange(8, 1024))), IsEmpty());
  EXPECT_THAT(Slots(Ask(RequestByRange(UINT64_MAX, 1024))), IsEmpty());
}

TEST_F(BlockAnswersTest, ByRoot) {
  EXPECT_THAT(Slots(Ask(RequestByRoot({RootOf(Block(4)), Root(), RootOf(Block(1)), RootOf(Block(4))}))),
              ElementsAre(4, 1));
  EXPECT_THAT(Slots(Ask(RequestByRoot({Root()}))), IsEmpty());
}

TEST_F(BlockAnswersTest, RequestsBeyondTheLimitsAreOffences) {
  EXPECT_EQ(rpc::ReasonOf(Answer(RequestByRange(0, 0)).status()), "MALFORMED_REQUEST");
  EXPECT_EQ(rpc::ReasonOf(Answer(RequestByRange(0, 1025)).status()), "MALFORMED_REQUEST");
  EXPECT_EQ(rpc::ReasonOf(Answer(RequestByRoot({})).status()), "MALFORMED_REQUEST");
  EXPECT_EQ(rpc::ReasonOf(Answer(RequestByRoot(std::vector<Root>(65))).status()), "MALFORMED_REQUEST");
  v1::BlocksRequest request;
  request.mutable_by_root()->add_roots("short");
  EXPECT_EQ(rpc::ReasonOf(Answer(request).status()), "MALFORMED_REQUEST");
  EXPECT_EQ(peer_.offences.size(), 5u);
}

TEST_F(BlockAnswersTest, TooManyRequestsAreRefusedAndForgiven) {
  size_t answered = 0;
  absl::StatusOr<v1::BlocksResponse> answer;
  while ((answer = Answer(RequestByRange(1, 1))).ok()) ++answered;
  EXPECT_GE(answered, 64u);
  EXPECT_LE(answered, 1000u);
  EXPECT_EQ(rpc::ReasonOf(answer.status()), "OVERLOADED");
  EXPECT_THAT(peer_.offences, ElementsAre(Offence::kTooMuch));
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(Answer(RequestByRange(1, 1)).ok());
}

TEST_F(BlockAnswersTest, AnAnswerHoldsWhatWasAskedFor) {
  const v1::BlocksRequest range = RequestByRange(2, 3);
  EXPECT_TRUE(CheckAnswer(range, Of({Block(2), Block(3), Block(4)})).ok());
  EXPECT_TRUE(CheckAnswer(range, Of({})).ok());
  EXPECT_FALSE(CheckAnswer(range, Of({Block(1)})).ok());
  EXPECT_FALSE(CheckAnswer(range, Of({Block(5)})).ok());
  EXPECT_FALSE(CheckAnswer(range, Of({Block(3), Block(2)})).ok());
  EXPECT_FALSE(CheckAnswer(range, Of({Block(3), Block(3)})).ok());
  EXPECT_FALSE(CheckAnswer(range, Of({Block(2), Block(3), Block(4), Block(4)})).ok());
  const v1::BlocksRequest roots = RequestByRoot({RootOf(Block(1)), RootOf(Block(2))});
  EXPECT_TRUE(CheckAnswer(roots, Of({Block(2), Block(1)})).ok());
  EXPECT_FALSE(CheckAnswer(roots, Of({Block(3)})).ok());
  EXPECT_FALSE(CheckAnswer(roots, Of({Block(1), Block(1)})).ok());
}

TEST_F(BlockAnswersTest, BombsInAnswersAreRefused) {
  v1::BlocksResponse answer;
  answer.add_blocks("no block");
  EXPECT_FALSE(CheckAnswer(RequestByRange(0, 10), answer).ok());
  answer.Clear();
  // Each within a payload's limit, together far beyond an answer's.
  const std::string zeros = Compress(std::string(kMaxPayloadBytes, '\0'));
  for (int i = 0; i < 20; ++i) answer.add_blocks(zeros);
  EXPECT_FALSE(CheckAnswer(RequestByRange(0, 100), answer).ok());
}

}  // namespace
}  // namespace lean::beacon
