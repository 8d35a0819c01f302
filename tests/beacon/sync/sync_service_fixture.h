// A SyncService on a chain of real signatures, with scripted peers and a clock moved by hand.
#ifndef LEAN_TESTS_BEACON_SYNC_SYNC_SERVICE_FIXTURE_H_
#define LEAN_TESTS_BEACON_SYNC_SYNC_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "beacon/sync/sync_service.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/services/support/signed_chain.h"
#include "tests/beacon/sync/fake_peers.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {

inline constexpr size_t kValidators = 4;
inline constexpr uint64_t kLastSlot = 24;  // of the peers' chain

class SyncServiceTest : public testing::Test {
 protected:
  ~SyncServiceTest() override {
    if (sync_ != nullptr) sync_->Stop();
    service_.Stop();
  }

  static SyncServiceOptions Options(size_t configured_peers) {
    SyncServiceOptions options = SyncServiceOptions::For(TestNetwork::kSlotMs, configured_peers, /*seed=*/1);
    options.range.plan.batch_slots = 4;
    options.range.walk.walk.max_bytes_held = 100'000;  // some blocks
    options.range.walk.import.bytes = 30'000;
    options.range.progress_every = std::chrono::milliseconds(1);
    return options;
  }

  // The beacon has genesis, and it is this slot.
  void StartAt(uint64_t slot, size_t configured_peers = 1) {
    clock_.SetWallMs(TestNetwork::StartMs(slot));
    service_.Start();
    sync_ = std::make_unique<SyncService>(SyncServiceContext{.chain = service_,
                                                             .peers = peers_,
                                                             .clock = clock_,
                                                             .inbox = inbox_,
                                                             .board = board_,
                                                             .log = log_.logger()},
                                          Options(configured_peers));
    sync_->Start();
  }

  // Lets time pass until it is so; false when it does not come to be within many slots.
  template <typename Condition>
  bool Await(Condition condition) {
    for (int i = 0; i < 4000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      clock_.Advance(std::chrono::milliseconds(5));
    }
    return false;
  }

  Checkpoint Head() const {
    return service_.Read([](const LeanChain& chain) { return chain.head(); });
  }
  bool AwaitHead(const SignedChain& source) {
    return Await([&] { return Head() == source.chain().head() && board_.Get().synced; });
  }
  bool Has(const SignedBlockPtr& block) const {
    return service_.Read([&](const LeanChain& chain) { return chain.HasBlock(SignedChain::RootOf(block)); });
  }
  bool IsBlamed(uint64_t peer, Offence offence) const {
    for (const FakePeers::Offender& offender : peers_.offenders()) {
      if (offender.peer == peer && offender.offence == offence) return true;
    }
    return false;
  }

  const TestNetwork network_{kValidators};
  ManualClock clock_{TestNetwork::StartMs(0)};
  CapturedLog log_;
  OutboundChannel outbound_{1000};
  FakePeers peers_;
  SyncBoard board_;
  std::shared_ptr<SyncInbox> inbox_ = std::make_shared<SyncInbox>();
  ChainService service_{network_.Chain(),
                        network_.Verifier(),
                        {.clock = clock_,
                         .slot_clock = SlotClock(TestNetwork::kGenesisTime, TestNetwork::kSlotMs),
                         .outbound = outbound_,
                         .log = log_.logger(),
                         .want = [inbox = inbox_](const WantedRoot& wanted) { inbox->Want(wanted); }},
                        {}};
  std::unique_ptr<SyncService> sync_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SYNC_SYNC_SERVICE_FIXTURE_H_
