#include <gtest/gtest.h>

#include "beacon/services/votes/seen_votes.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

class RecentVotesTest : public testing::Test {
 protected:
  static constexpr size_t kValidators = 4;
  static constexpr int64_t kNow = 100;

  static SignedVotePtr Vote(uint64_t validator, uint64_t slot, uint8_t head = 1) {
    auto vote = std::make_shared<SignedAttestation>();
    vote->message.validator_id = validator;
    vote->message.data.slot = slot;
    vote->message.data.head.root.data.fill(head);
    vote->signature.data.fill(head);
    return vote;
  }
  static Root RootOf(const SignedVotePtr& vote) { return ssz::HashTreeRoot(vote->message); }
  void Add(const SignedVotePtr& vote, int64_t now = kNow) { votes_.Add(vote, RootOf(vote), now); }
  // The head of the vote that is found; 0: none.
  uint8_t Found(uint64_t validator, uint64_t from_slot, const absl::flat_hash_set<Root>& known = {}) const {
    const std::optional<SeenVote> found = votes_.Find(validator, from_slot, known);
    if (!found.has_value()) return 0;
    EXPECT_EQ(found->vote->validator_id, validator);
    EXPECT_EQ(found->signature->data[0], found->vote->data.head.root.data[0]) << "its own signature";
    return found->vote->data.head.root.data[0];
  }

  RecentVotes votes_{kValidators};
};

TEST_F(RecentVotesTest, ShowsWhatIsNotKnownToTheAsker) {
  Add(Vote(1, 100, 7));
  EXPECT_EQ(Found(1, 100), 7);
  EXPECT_EQ(Found(1, 101), 0) << "of an earlier slot";
  EXPECT_EQ(Found(2, 0), 0);
  EXPECT_EQ(Found(1, 100, {RootOf(Vote(1, 100, 7))}), 0) << "its own";
  Add(Vote(1, 100, 8));
  EXPECT_EQ(Found(1, 100, {RootOf(Vote(1, 100, 7))}), 8) << "another root of the same leaf";
  EXPECT_EQ(Found(1, 100, {RootOf(Vote(1, 100, 8))}), 7);
  Add(Vote(1, 99, 9));
  EXPECT_EQ(Found(1, 99, {RootOf(Vote(1, 100, 7)), RootOf(Vote(1, 100, 8))}), 9);
  EXPECT_TRUE(votes_.Has(1, 99));
  EXPECT_FALSE(votes_.Has(2, 99));
}

TEST_F(RecentVotesTest, KeepsTwoOfOneLeafAndNoMore) {
  for (uint8_t head = 1; head <= 3; ++head) Add(Vote(1, 100, head));
  EXPECT_EQ(votes_.footprint().items, 2u);
  EXPECT_GT(votes_.footprint().bytes, 2 * sizeof(SignedAttestation));
  EXPECT_EQ(Found(1, 100, {RootOf(Vote(1, 100, 1)), RootOf(Vote(1, 100, 2))}), 0);
}

TEST_F(RecentVotesTest, KeepsTheNewestSlotsAloneHoweverVotesCome) {
  Add(Vote(0, static_cast<uint64_t>(kNow) + 2));
  Add(Vote(0, uint64_t{1} << 63));
  Add(Vote(0, kNow - 3));
  Add(Vote(kValidators, kNow));
  EXPECT_EQ(Found(0, 0), 0) << "far ahead or behind";
  for (int64_t slot = kNow - 2; slot <= kNow + 1; ++slot) Add(Vote(1, static_cast<uint64_t>(slot)));
  EXPECT_TRUE(votes_.Has(1, kNow - 2));
  Add(Vote(2, kNow + 1), kNow + 1);
  EXPECT_FALSE(votes_.Has(1, kNow - 2)) << "time has gone on";
  EXPECT_TRUE(votes_.Has(1, kNow - 1));
}

TEST_F(RecentVotesTest, BeforeGenesisTheFirstSlotMayBeEarly) {
  Add(Vote(1, 0), -1);
  EXPECT_TRUE(votes_.Has(1, 0));
  Add(Vote(1, 1), -1);
  EXPECT_FALSE(votes_.Has(1, 1));
}

TEST_F(RecentVotesTest, ABlockHasTheVotesOfItsBodyAndItsProposers) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.proposer_attestation = Vote(3, 100, 5)->message;
  ASSERT_TRUE(block->message.block.body.attestations.push_back(Vote(1, 99, 6)->message));
  ASSERT_TRUE(block->message.block.body.attestations.push_back(Vote(2, 90, 7)->message));
  for (const uint8_t head : {6, 7, 5}) ASSERT_TRUE(block->signature.push_back(Vote(0, 0, head)->signature));
  Add(Vote(1, 99, 6));
  const std::weak_ptr<const SignedBlockWithAttestation> held = block;
  votes_.AddBlock(block, /*shared=*/true, kNow);
  EXPECT_EQ(Found(3, 0), 5);
  EXPECT_EQ(Found(1, 0), 6);
  EXPECT_EQ(Found(1, 0, {RootOf(Vote(1, 99, 6))}), 0) << "the one that came alone";
  EXPECT_EQ(Found(2, 0), 0) << "too old";
  block.reset();
  EXPECT_FALSE(held.expired());
  votes_.Add(Vote(0, 200), Root(), 200);
  EXPECT_TRUE(held.expired()) << "its slots have passed";
}

TEST_F(RecentVotesTest, ABlockThatTheChainDoesNotHoldIsNotKeptForItsVotes) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.proposer_attestation = Vote(3, 100, 5)->message;
  ASSERT_TRUE(block->message.block.body.attestations.push_back(Vote(1, 99, 6)->message));
  for (const uint8_t head : {6, 5}) ASSERT_TRUE(block->signature.push_back(Vote(0, 0, head)->signature));
  const SignedVotePtr alone = Vote(1, 99, 6);
  Add(alone);
  const std::weak_ptr<const SignedBlockWithAttestation> held = block;
  votes_.AddBlock(block, /*shared=*/false, kNow);
  block.reset();
  EXPECT_TRUE(held.expired());
  EXPECT_EQ(Found(3, 0), 5);
  EXPECT_EQ(votes_.Find(1, 0, {})->vote.get(), &alone->message) << "what is known is not copied";
}

}  // namespace
}  // namespace lean::beacon
