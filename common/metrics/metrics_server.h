// An HTTP server for the page that Prometheus scrapes.
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

// Checks an address of a MetricsServer that is the value of an option. Returns what is wrong, or an empty string.
std::string AddressError(const std::string& text);

// Serves http://ADDRESS/metrics to everybody from Start until destruction. The page has no secrets, but the address
// should be on loopback or a private network. Behind a ConnectionGate: at most 32 connections, 16 of one host; a
// connection that is idle for 5 s is closed and does not delay others.
class MetricsServer {
 public:
  // `address`: HOST:PORT, an IPv6 host in brackets, or PORT on 127.0.0.1; port 0 takes a free one. InvalidArgument: see
  // AddressError. Unavailable: the system refuses to listen there; the error contains its reason.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                              std::shared_ptr<Registry> registry);

  // Returns null if the address is empty. Logs the URL. Errors name --metrics-address.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> StartIfAsked(const std::string& address,
                                                                     std::shared_ptr<Registry> registry,
                                                                     spdlog::logger& log);

  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // The address on which it listens, with the port that the system chose.
  const rpc::Address& listener() const { return listener_; }
  std::string address() const { return listener_.ToString(); }

 private:
  struct Parts;  // hides the headers of the web server

  MetricsServer(rpc::Address listener, std::unique_ptr<Parts> parts);

  const rpc::Address listener_;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace lean::metrics

#endif  // LEAN_COMMON_METRICS_METRICS_SERVER_H_
