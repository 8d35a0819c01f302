// A beacon without threads, disk and gRPC, for fuzz targets: the real chain service with four validators, a clock that
// the target moves, and signatures that stand in for XMSS.
#ifndef LEAN_TESTS_FUZZ_BEACON_FUZZED_BEACON_H_
#define LEAN_TESTS_FUZZ_BEACON_FUZZED_BEACON_H_

#include <chrono>
#include <cstdint>
#include <memory>

#include "beacon/rpc/served_chain.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "common/clock/manual_clock.h"
#include "common/config/genesis.h"
#include "common/log/logger.h"

namespace lean::fuzz {

class FuzzedBeacon {
 public:
  static constexpr uint64_t kValidators = 4;
  static constexpr uint64_t kSlotMs = 4000;

  // At the beginning of slot 1.
  FuzzedBeacon();
  ~FuzzedBeacon();
  FuzzedBeacon(const FuzzedBeacon&) = delete;
  FuzzedBeacon& operator=(const FuzzedBeacon&) = delete;

  void Advance(std::chrono::milliseconds duration);
  uint64_t slot() const;

  // The slot's block on the head, signed; null when there is none to build.
  beacon::SignedBlockPtr Build(uint64_t slot);
  // The validator's vote for the head, signed; null when there is none to build.
  beacon::SignedVotePtr Vote(uint64_t validator, uint64_t slot);

  beacon::ChainService& chain() { return chain_; }
  const beacon::BlockSource& blocks() const { return blocks_; }
  beacon::OutboundChannel& outbound() { return outbound_; }
  ManualClock& clock() { return clock_; }
  const beacon::ServedChain& served() const { return served_; }
  const std::shared_ptr<spdlog::logger>& log() const { return log_; }

 private:
  const Genesis genesis_;
  const SlotClock slots_;
  ManualClock clock_;
  const std::shared_ptr<spdlog::logger> log_;
  beacon::OutboundChannel outbound_;
  beacon::EventHistory events_{0};
  beacon::ChainService chain_;
  const beacon::MemoryBlockSource blocks_{chain_};
  const beacon::ServedChain served_;
};

}  // namespace lean::fuzz

#endif  // LEAN_TESTS_FUZZ_BEACON_FUZZED_BEACON_H_
