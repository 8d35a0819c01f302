// Tests that what the nodes of a simulation share is what each would compute by itself.
#include "tests/simulation/world/shared_results.h"

#include <cstdint>
#include <memory>

#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/beacon/chain/chain_testing.h"
#include "tests/simulation/world/stand_in_signatures.h"

namespace lean::simulation {
namespace {

constexpr uint64_t kSharers = 4;

TEST(SharedResults, AreThoseOfTheRealFunctions) {
  beacon::LeanChain chain = beacon::MakeChain(kSharers);
  SharedResults results(kSharers);
  const beacon::ChainFunctions shared = results.ChainFunctions();
  const beacon::ChainFunctions real;
  for (uint64_t slot = 1; slot <= 6; ++slot) {
    const beacon::StatePtr parent = chain.head_state();
    const beacon::SignedBlockPtr block = beacon::RunSlot(chain, slot);
    const Root root = ssz::HashTreeRoot(block->message.block);
    const Root body_root = real.body_root(block);
    EXPECT_EQ(shared.body_root(block), body_root);
    const auto first = shared.transition(*parent, *block, root, body_root, nullptr);
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_EQ(**first, **real.transition(*parent, *block, root, body_root, nullptr));
    EXPECT_EQ(*first, *shared.transition(*parent, *block, root, body_root, nullptr)) << "not shared";
  }
}

TEST(SharedResults, TellWrongTransitions) {
  beacon::LeanChain chain = beacon::MakeChain(kSharers);
  const beacon::StatePtr parent = chain.head_state();
  SignedBlockWithAttestation wrong = *beacon::RunSlot(chain, 1);
  wrong.message.block.state_root = Root();
  SharedResults results(kSharers);
  const beacon::ChainFunctions shared = results.ChainFunctions();
  const Root body_root = ssz::HashTreeRoot(wrong.message.block.body);
  const Root root = ssz::HashTreeRoot(wrong.message.block);
  const absl::Status status = shared.transition(*parent, wrong, root, body_root, nullptr).status();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(shared.transition(*parent, wrong, root, body_root, nullptr).status(), status);
}

TEST(SharedResults, IdentifyVotesAndSignatures) {
  SharedResults results(kSharers);
  const beacon::VerifierFunctions shared = results.VerifierFunctions();
  const auto id_of = [&](const beacon::SignedVotePtr& vote) {
    return shared.vote_id(vote->message, vote->signature, vote);
  };
  SignedAttestation vote;
  vote.message.data.slot = 3;
  const auto first = std::make_shared<SignedAttestation>(vote);
  const beacon::SignedVoteId id = id_of(first);
  EXPECT_EQ(id.root, ssz::HashTreeRoot(vote.message));
  EXPECT_EQ(id_of(first).key, id.key);
  EXPECT_EQ(id_of(std::make_shared<SignedAttestation>(vote)).key, id.key) << "elsewhere";
  EXPECT_EQ(shared.vote_id(vote.message, vote.signature, nullptr).key, id.key);
  for (const size_t byte : {size_t{0}, SignatureBytes::kSize / 2, SignatureBytes::kSize - 1}) {
    SignedAttestation other = vote;
    other.signature.data[byte] = 1;
    EXPECT_NE(id_of(std::make_shared<SignedAttestation>(other)).key, id.key) << byte;
  }
  vote.message.data.head.slot = 2;  // the root of the head is the same
  const beacon::SignedVoteId other = id_of(std::make_shared<SignedAttestation>(vote));
  EXPECT_EQ(other.root, ssz::HashTreeRoot(vote.message));
  EXPECT_NE(other.root, id.root);
}

// A vote that is gone does not lend its id to the next one at its address.
TEST(SharedResults, KeepWhatTheyKnowByAddress) {
  SharedResults results(kSharers);
  const beacon::VerifierFunctions shared = results.VerifierFunctions();
  for (uint64_t slot = 0; slot < 8; ++slot) {
    auto vote = std::make_shared<SignedAttestation>();
    vote->message.data.slot = slot;
    EXPECT_EQ(shared.vote_id(vote->message, vote->signature, vote).root, ssz::HashTreeRoot(vote->message));
  }
}

TEST(StandIns, AreToldFromAllOthers) {
  const PublicKeyBytes key = StandInPublicKey(5);
  Root root;
  root.data[0] = 1;
  const SignatureBytes right = StandInSignature(key, 7, root);
  EXPECT_TRUE(IsStandIn(right, key, 7, root));
  EXPECT_FALSE(IsStandIn(right, StandInPublicKey(6), 7, root));
  EXPECT_FALSE(IsStandIn(right, key, 8, root));
  EXPECT_FALSE(IsStandIn(right, key, 7, Root()));
  for (size_t byte = 0; byte < SignatureBytes::kSize; byte += 7) {
    SignatureBytes wrong = right;
    wrong.data[byte] ^= 1;
    EXPECT_FALSE(IsStandIn(wrong, key, 7, root)) << byte;
  }
}

TEST(Memo, KeepsTheNewestValues) {
  Memo<int, int> memo(2);
  int computed = 0;
  const auto compute = [&] { return ++computed; };
  EXPECT_EQ(memo.Get(1, compute), 1);
  EXPECT_EQ(memo.Get(2, compute), 2);
  EXPECT_EQ(memo.Get(1, compute), 1);
  EXPECT_EQ(memo.Get(3, compute), 3);  // drops 1
  EXPECT_EQ(memo.Get(2, compute), 2);
  EXPECT_EQ(memo.Get(1, compute), 4);
}

}  // namespace
}  // namespace lean::simulation
