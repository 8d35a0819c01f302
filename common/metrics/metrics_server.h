// The page that Prometheus scrapes.
#ifndef LEAN_COMMON_METRICS_METRICS_SERVER_H_
#define LEAN_COMMON_METRICS_METRICS_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "common/metrics/metrics.h"
#include "common/rpc/connections/address.h"

namespace lean::metrics {

// What is wrong with an address of a MetricsServer, as the value of an option; empty: nothing.
std::string AddressError(const std::string& text);

// Serves http://ADDRESS/metrics from Start until it is destroyed, to whoever asks: it tells nothing secret, yet belongs
// on an address of this machine or of a private network. Behind a ConnectionGate: 32 connections at once, 16 of one
// host; one that is idle for 5 s is closed, and keeps nobody else waiting.
class MetricsServer {
 public:
  // `address`: HOST:PORT, an IPv6 host in brackets, or PORT on 127.0.0.1; port 0 takes a free one. InvalidArgument:
  // AddressError. Unavailable: the system does not let us listen there, with its reason.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                              std::shared_ptr<Registry> registry);

  // Null, and nothing happens, with an empty address. Tells the log where it listens; errors name --metrics-address.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> StartIfAsked(const std::string& address,
                                                                     std::shared_ptr<Registry> registry,
                                                                     spdlog::logger& log);

  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // Where it listens, with the port the system chose.
  const rpc::Address& listener() const { return listener_; }
  std::string address() const { return listener_.ToString(); }

 private:
  struct Parts;  // keeps the web server out of this header

  MetricsServer(rpc::Address listener, std::unique_ptr<Parts> parts);

  const rpc::Address listener_;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_METRICS_SERVER_H_
