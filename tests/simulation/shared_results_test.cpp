// Tests that what the nodes of a simulation share is what each would compute by itself.
#include "tests/simulation/world/shared_results.h"

#include <cstdint>

#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/beacon/chain/chain_testing.h"

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
  Attestation vote;
  vote.data.slot = 3;
  SignatureBytes signature;
  const beacon::SignedVoteId id = shared.vote_id(vote, signature);
  EXPECT_EQ(id.root, ssz::HashTreeRoot(vote));
  EXPECT_EQ(shared.vote_id(vote, signature).key, id.key);
  for (const size_t byte : {size_t{0}, SignatureBytes::kSize / 2, SignatureBytes::kSize - 1}) {
    SignatureBytes other = signature;
    other.data[byte] = 1;
    EXPECT_NE(shared.vote_id(vote, other).key, id.key) << byte;
  }
  vote.data.head.slot = 2;  // the root of the head is the same
  EXPECT_EQ(shared.vote_id(vote, signature).root, ssz::HashTreeRoot(vote));
  EXPECT_NE(shared.vote_id(vote, signature).root, id.root);
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
