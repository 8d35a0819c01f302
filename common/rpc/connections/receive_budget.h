// Limits how much others can send to this process.
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

// The limits of each address: `burst_bytes` at once, and `bytes_per_second` on average.
struct ReceiveLimits {
  uint64_t burst_bytes = 0;
  uint64_t bytes_per_second = 0;
};

// Counts the bytes of every address. Not thread-safe.
class ReceiveAccounts {
 public:
  using Time = SteadyTime;

  explicit ReceiveAccounts(const ReceiveLimits& limits) : limits_(limits) {}

  // Charges the bytes that an address has sent since the last charge. False: it has exceeded its limit. The excess is a
  // debt of at most kMaxDebt bursts, which decreases by bytes_per_second.
  bool Charge(const std::string& address, uint64_t bytes, Time now);

  // Removes addresses without debt, so that there are no more accounts than connections.
  void ForgetSettled(Time now);

  size_t size() const { return used_.size(); }

 private:
  static constexpr double kMaxDebt = 2;

  struct Account {
    double used_bytes = 0;
    Time charged_at;
  };

  // The bytes that are not paid back at `now`.
  double Used(const Account& account, Time now) const;

  const ReceiveLimits limits_;
  std::map<std::string, Account> used_;
};

// Closes TCP connections of this process whose other end sends more than the limits allow. gRPC reads as fast as the
// other end writes, on one of its own threads or of its callers' threads, so an endless sequence of cheap frames
// occupies these threads. The kernel counts the received bytes of every connection, also of those with TLS. Runs one
// thread from construction to destruction.
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

  RealClock clock_;  // a separate clock, because others send in real time and nothing else may interrupt it
  const std::shared_ptr<spdlog::logger> logger_;
  // Used by the thread only.
  ReceiveAccounts accounts_;
  std::map<uint64_t, uint64_t> received_;  // at the last check, by the cookie of the connection
  std::set<uint64_t> seen_;                // cookies of the connections that exist now
  uint64_t closed_ = 0;                    // since the last log line about it
  SteadyTime next_report_{};

  std::jthread thread_;  // the last member, because it uses the others
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CONNECTIONS_RECEIVE_BUDGET_H_
