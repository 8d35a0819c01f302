// Bounds what others may send to this process.
#ifndef LEAN_COMMON_RPC_CONNECTIONS_RECEIVE_BUDGET_H_
#define LEAN_COMMON_RPC_CONNECTIONS_RECEIVE_BUDGET_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "common/clock/clock.h"
#include "common/log/logger.h"

namespace lean::rpc {

// What each address may send: `burst_bytes` at once, and on the average `bytes_per_second`.
struct ReceiveLimits {
  uint64_t burst_bytes = 0;
  uint64_t bytes_per_second = 0;
};

// Keeps the account of every address. Not thread-safe.
class ReceiveAccounts {
 public:
  using Time = SteadyTime;

  explicit ReceiveAccounts(const ReceiveLimits& limits) : limits_(limits) {}

  // Charges what an address has sent since it was charged last. False: it has sent more than it may. What is beyond its
  // limit is a debt, of kMaxDebt bursts at most, that is paid back at bytes_per_second.
  bool Charge(const std::string& address, uint64_t bytes, Time now);

  // Forgets addresses that have paid back everything, so that the accounts are as many as the connections.
  void ForgetSettled(Time now);

  size_t size() const { return used_.size(); }

 private:
  static constexpr double kMaxDebt = 2;

  struct Account {
    double used_bytes = 0;
    Time charged_at;
  };

  // After what was paid back until now.
  double Used(const Account& account, Time now) const;

  const ReceiveLimits limits_;
  std::map<std::string, Account> used_;
};

// Closes TCP connections of this process whose other end sends more than its limits allow. gRPC reads as fast as
// another end writes, on whichever of its threads or of its callers' threads is at hand, and comes to nothing else: an
// endless row of frames that are cheap to write keeps those threads for as long as it lasts. The kernel counts what
// each connection has received, whatever is done with it and whoever made it, so that connections within TLS count,
// too. Runs a thread of its own from construction to destruction.
class ReceiveBudget {
 public:
  ReceiveBudget(const ReceiveLimits& limits, std::shared_ptr<spdlog::logger> logger);
  ~ReceiveBudget() = default;
  ReceiveBudget(const ReceiveBudget&) = delete;
  ReceiveBudget& operator=(const ReceiveBudget&) = delete;

 private:
  void Run(const std::stop_token& stop);
  void LookAtAll();
  void LookAt(int fd);
  void Report(const std::string& address);

  RealClock clock_;  // its own: other ends send in real time, and nobody else interrupts it
  const std::shared_ptr<spdlog::logger> logger_;
  // Of the thread alone.
  ReceiveAccounts accounts_;
  std::map<uint64_t, uint64_t> received_;  // by each connection's cookie, when it was last looked at
  std::set<uint64_t> seen_;                // connections that are there now, by their cookies
  uint64_t closed_ = 0;                    // since the last line about it
  SteadyTime next_report_{};

  std::jthread thread_;  // last: it uses the rest
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_RECEIVE_BUDGET_H_
