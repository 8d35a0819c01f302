#include "common/metrics/metrics_server.h"

#include <cstddef>
#include <exception>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "prometheus/exposer.h"

namespace lean::metrics {
namespace {

constexpr std::size_t kThreads = 1;  // one scrape at a time
constexpr uint32_t kMaxPort = 65535;

}  // namespace

struct MetricsServer::Parts {
  std::shared_ptr<Registry> registry;
  std::unique_ptr<prometheus::Exposer> exposer;
};

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& address,
                                                                    std::shared_ptr<Registry> registry) {
  const size_t colon = address.rfind(':');
  const std::string host = colon == std::string::npos ? "127.0.0.1" : address.substr(0, colon);
  const std::string port_text = colon == std::string::npos ? address : address.substr(colon + 1);
  uint32_t port = 0;
  // The web server would take more than one address, and options, in this text.
  if (host.empty() || host.find_first_of(", +rs") != std::string::npos || !absl::SimpleAtoi(port_text, &port) ||
      port > kMaxPort) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", address, "': expected HOST:PORT, with HOST an IP address, or PORT"));
  }
  auto parts = std::make_unique<Parts>();
  parts->registry = std::move(registry);
  try {  // the library's only way to tell
    parts->exposer = std::make_unique<prometheus::Exposer>(absl::StrCat(host, ":", port), kThreads);
  } catch (const std::exception&) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", host, ":", port, ": is it in use?"));
  }
  parts->exposer->RegisterCollectable(parts->registry);
  const std::vector<int> ports = parts->exposer->GetListeningPorts();
  const std::string bound = absl::StrCat(host, ":", ports.empty() ? static_cast<int>(port) : ports.front());
  return std::unique_ptr<MetricsServer>(new MetricsServer(bound, std::move(parts)));
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::StartIfAsked(const std::string& address,
                                                                           std::shared_ptr<Registry> registry,
                                                                           spdlog::logger& log) {
  if (address.empty()) return nullptr;
  auto server = Start(address, std::move(registry));
  if (!server.ok()) {
    return absl::Status(server.status().code(), absl::StrCat("--metrics-address: ", server.status().message()));
  }
  log.info("metrics listening url=http://{}/metrics", (*server)->address());
  return server;
}

MetricsServer::MetricsServer(std::string address, std::unique_ptr<Parts> parts)
    : address_(std::move(address)), parts_(std::move(parts)) {}

MetricsServer::~MetricsServer() = default;

}  // namespace lean::metrics
