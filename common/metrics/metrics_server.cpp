#include "common/metrics/metrics_server.h"

#include <microhttpd.h>

#include <chrono>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/connections/connection_gate.h"
#include "common/status/status_macros.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace lean::metrics {
namespace {

constexpr unsigned kThreads = 2;
// There are few scrapers. Each connection needs up to kConnectionBytes for its request.
constexpr rpc::ConnectionLimits kLimits{.total = 32, .per_host = 16, .max_age = std::chrono::seconds(10)};
constexpr size_t kConnectionBytes = 16 * 1024;
constexpr unsigned kIdleSeconds = 5;  // an idle connection is closed after this time

using Response = std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)>;

MHD_Result Send(MHD_Connection* connection, unsigned code, const std::string& body) {
  const Response response(
      MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_MUST_COPY),
      &MHD_destroy_response);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
  return MHD_queue_response(connection, code, response.get());
}

// Called first for the header of a request, with `*state` null, and then for its end.
MHD_Result Answer(void* registry, MHD_Connection* connection, const char* url, const char* method, const char*,
                  const char*, size_t* upload_bytes, void** state) {
  if (*upload_bytes != 0) return MHD_NO;  // a request has no body, so the connection is closed
  if (*state == nullptr) {
    *state = registry;
    return MHD_YES;
  }
  if (absl::string_view(method) != MHD_HTTP_METHOD_GET && absl::string_view(method) != MHD_HTTP_METHOD_HEAD) {
    return Send(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
  }
  if (absl::string_view(url) != "/metrics") return Send(connection, MHD_HTTP_NOT_FOUND, "see /metrics\n");
  std::ostringstream page;
  prometheus::TextSerializer().Serialize(page, static_cast<const Registry*>(registry)->Collect());
  return Send(connection, MHD_HTTP_OK, page.str());
}

absl::StatusOr<rpc::Address> ParseMetricsAddress(const std::string& text) {
  const bool port_only = text.find_first_not_of("0123456789") == std::string::npos;
  absl::StatusOr<rpc::Address> address = rpc::ParseAddress(port_only ? absl::StrCat("127.0.0.1:", text) : text);
  if (!address.ok() || !address->IsUnix()) return address;
  return absl::InvalidArgumentError(
      absl::StrCat("bad address \"", text, "\": metrics are not served on unix sockets; expected HOST:PORT"));
}

}  // namespace

std::string AddressError(const std::string& text) { return std::string(ParseMetricsAddress(text).status().message()); }

struct MetricsServer::Parts {
  ~Parts() {
    if (gate != nullptr) gate->Stop();
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }

  std::shared_ptr<Registry> registry;
  MHD_Daemon* daemon = nullptr;
  std::unique_ptr<rpc::ConnectionGate> gate;
};

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& address,
                                                                    std::shared_ptr<Registry> registry) {
  ASSIGN_OR_RETURN(const rpc::Address parsed, ParseMetricsAddress(address));
  auto parts = std::make_unique<Parts>();
  parts->registry = std::move(registry);
  ASSIGN_OR_RETURN(parts->gate, rpc::ConnectionGate::Open(parsed, {.limits = kLimits}));
  parts->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, nullptr,
                                   nullptr, &Answer, parts->registry.get(), MHD_OPTION_THREAD_POOL_SIZE, kThreads,
                                   MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(kLimits.total),
                                   MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes, MHD_OPTION_CONNECTION_TIMEOUT,
                                   kIdleSeconds, MHD_OPTION_END);
  if (parts->daemon == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve on ", parts->gate->address().ToString(), ": no threads or memory for it"));
  }
  parts->gate->Start([daemon = parts->daemon](Descriptor connection, int) {
    // The library owns the socket now, also if it refuses it. It needs no address, because the socket is connected.
    MHD_add_connection(daemon, connection.Release(), nullptr, 0);
  });
  rpc::Address listener = parts->gate->address();
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(listener), std::move(parts)));
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::StartIfAsked(const std::string& address,
                                                                           std::shared_ptr<Registry> registry,
                                                                           spdlog::logger& log) {
  if (address.empty()) return nullptr;
  ASSIGN_OR_RETURN(auto server, Start(address, std::move(registry)),
                   absl::Status(_.code(), absl::StrCat("--metrics-address: ", _.message())));
  log.info("metrics listening url=http://{}/metrics", server->address());
  return server;
}

MetricsServer::MetricsServer(rpc::Address listener, std::unique_ptr<Parts> parts)
    : listener_(std::move(listener)), parts_(std::move(parts)) {}

MetricsServer::~MetricsServer() = default;

}  // namespace lean::metrics
