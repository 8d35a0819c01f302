// A network that many threads use while engines come and go. Mostly for the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "beacon/network/network.h"
#include "tests/beacon/network/engine_node.h"

namespace lean::beacon {
namespace {

class ThreadsTest : public EngineTest {
 protected:
  static constexpr int kEngines = 4;
  static constexpr std::chrono::milliseconds kGlance{10};

  // Calls `use` again and again until the engines have come and gone.
  void Meanwhile(std::function<void()> use) {
    users_.emplace_back([this, use = std::move(use)] {
      while (!done_) use();
    });
  }
  void Ask(uint64_t peer, bool by_root) {
    ++asked_;
    const auto count = [this](const absl::StatusOr<std::vector<SignedBlockPtr>>&) { ++answered_; };
    if (by_root) return node_.network().BlocksByRoot(peer, {node_.genesis().block_root}, count);
    node_.network().BlocksByRange(peer, 0, 4, count);
  }
  // What an engine does in its life: peers come, bring items, good and bad, ask, and go.
  void LiveAsEngine(int life) {
    Restart();
    Attach();
    const ClaimedChain chain = node_.chain_now();
    std::atomic<bool> over = false;
    std::thread answers([&] {
      while (!over) {
        const auto asked = engine_->Await([](const v1::BeaconToEngine& m) { return m.has_request(); }, kGlance);
        if (asked) engine_->SendAnswer(asked->request().id(), {}, v1::BlockAnswer::COMPLETE);
      }
    });
    for (uint64_t peer = 1; peer <= 3; ++peer) engine_->SendPeer(peer, chain);
    const AttestationData data = node_.chain().BuildVote(static_cast<uint64_t>(life % EngineNode::kSlot)).value();
    std::vector<std::string> votes;
    for (uint64_t validator = 0; validator < 4; ++validator) {
      votes.push_back(ssz::SerializeToString(*Keys().Vote(validator, data)));
    }
    engine_->SendVotes(1, 1, votes);
    engine_->SendBlock(5, 2, "no block");
    engine_->SendRequest(1, 3, {.roots = {}, .first_slot = 0, .count = 8});
    for (uint64_t id = 1; id <= 5; ++id) EXPECT_TRUE(engine_->AwaitVerdict(id) || life % 2 == 1) << id;
    engine_->SendGone(1);
    if (life % 2 == 0) {
      engine_->EndStream();
    } else {
      engine_->Stop();
    }
    over = true;
    answers.join();
  }

  std::atomic<bool> done_ = false;
  std::atomic<int> asked_ = 0;
  std::atomic<int> answered_ = 0;
  std::vector<std::thread> users_;
};

TEST_F(ThreadsTest, UseTheNetworkWhileEnginesComeAndGo) {
  Meanwhile([&] {
    for (const PeerInfo& peer : node_.network().Peers()) {
      if (asked_ - answered_ < 16) Ask(peer.id, asked_ % 2 == 0);
    }
    std::this_thread::yield();
  });
  Meanwhile([&] {
    const NetworkCounts counts = node_.network().counts();
    EXPECT_LE(counts.engine_lost, static_cast<uint64_t>(2 * kEngines));
    EXPECT_FALSE(node_.network().queues().empty());
    EXPECT_FALSE(node_.network().caches().empty());
    node_.network().PeerViews();
    node_.network().View();
    node_.network().trouble();
  });
  std::atomic<bool> attached = false;
  Meanwhile([&] {
    node_.network().WatchEngine([&attached](bool now) { attached = now; });
    node_.network().WatchEngine(nullptr);
  });
  Meanwhile([&, validator = uint64_t{0}]() mutable {
    node_.Submit(Keys().Vote(validator++ % 4, node_.chain().BuildVote(EngineNode::kSlot).value()));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  for (int life = 0; life < kEngines; ++life) LiveAsEngine(life);
  done_ = true;
  for (std::thread& user : users_) user.join();
  // The network still works, and stops with every request answered once.
  Restart();
  Attach();
  ASSERT_EQ(node_.Submit(node_.Build(1)).status, SubmitOutcome::kAccepted);
  engine_->SendPeer(1, node_.chain_now());
  EXPECT_TRUE(engine_->Await([](const v1::BeaconToEngine& m) { return m.publish().blocks_size() > 0; }));
  node_.network().Stop();
  EXPECT_EQ(answered_, asked_);
}

}  // namespace
}  // namespace lean::beacon
