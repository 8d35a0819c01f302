// The seam between the chain and other beacons.
#ifndef LEAN_BEACON_SERVICES_NETWORK_SERVICE_H_
#define LEAN_BEACON_SERVICES_NETWORK_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "beacon/services/outbound.h"
#include "spdlog/logger.h"

namespace lean::beacon {

// Takes what the chain accepted off its channel. There are no peers to send it to in this version: it is counted, and
// the log says so at the start. What peers send will go to ChainService::SubmitBlock and SubmitVotes with their Origin.
// Thread-safe, except for Start and Stop.
class NetworkService {
 public:
  // `outbound` outlives the service.
  NetworkService(OutboundChannel& outbound, std::shared_ptr<spdlog::logger> log);
  // As Stop().
  ~NetworkService();
  NetworkService(const NetworkService&) = delete;
  NetworkService& operator=(const NetworkService&) = delete;

  void Start();
  // Closes the channel, counts what it still holds and joins the thread. After ChainService's. May be called again.
  void Stop();

  struct Counts {
    uint64_t own_blocks = 0;  // accepted from our validators: to publish
    uint64_t own_votes = 0;
    uint64_t foreign_blocks = 0;  // accepted from peers: to forward
    uint64_t foreign_votes = 0;
  };
  Counts counts() const;

 private:
  void Run();
  void Count(const OutboundItem& item);

  OutboundChannel& outbound_;
  const std::shared_ptr<spdlog::logger> log_;
  std::atomic<uint64_t> own_blocks_ = 0;
  std::atomic<uint64_t> own_votes_ = 0;
  std::atomic<uint64_t> foreign_blocks_ = 0;
  std::atomic<uint64_t> foreign_votes_ = 0;
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_NETWORK_SERVICE_H_
