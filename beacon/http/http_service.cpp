#include "beacon/http/http_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/http/routes.h"
#include "beacon/rpc/beacon_queries.h"
#include "common/rpc/connections/connection_gate.h"
#include "common/rpc/server/fair_pool.h"
#include "common/rpc/server/unary_call.h"
#include "common/rpc/tls_files.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// Of low priority: duties come first.
constexpr rpc::PoolOptions kHttpPool{.threads = 2, .waiting_calls = 256, .waiting_bytes = size_t{4} << 20, .nice = 5};
constexpr unsigned kOverloaded = 503;

absl::StatusOr<rpc::Address> ParseHttpAddress(const std::string& text) {
  absl::StatusOr<rpc::Address> address = rpc::ParseAddress(text);
  if (!address.ok() || !address->IsUnix()) return address;
  return absl::InvalidArgumentError(
      absl::StrCat("bad address \"", text, "\": HTTP is not served on unix sockets; expected HOST:PORT"));
}

absl::Status WithOption(const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat("--http-address: ", error.message()));
}

// No more connections than the descriptors of the process allow.
HttpLimits Fitting(HttpLimits limits) {
  limits.connections = std::min(limits.connections, rpc::DefaultConnectionLimits().total);
  limits.connections_of_host = std::min(limits.connections_of_host, (limits.connections + 1) / 2);
  return limits;
}

}  // namespace

std::string HttpAddressError(const std::string& text) {
  return text == HttpServiceOptions::kOff ? "" : std::string(ParseHttpAddress(text).status().message());
}

// Members use the members above them, and are destroyed before them.
struct HttpService::Parts {
  Parts(ServedChain served, std::shared_ptr<rpc::TlsFiles> tls) : chain(std::move(served)), tls_files(std::move(tls)) {}

  void Handle(const HttpRequest& request, HttpReply reply) {
    const auto shared = std::make_shared<const HttpReply>(std::move(reply));
    pool.Submit({.host = request.host, .connection = request.connection}, rpc::Rank::kGood,
                {.run =
                     [this, request, shared] {
                       (*shared)(AnswerHttp({chain, queries}, request));
                     },
                 .refuse = [shared] { (*shared)(HttpError(kOverloaded, "too many requests at once; try again")); },
                 .bytes = request.target.size()});
  }

  const ServedChain chain;
  const std::shared_ptr<rpc::TlsFiles> tls_files;
  const BeaconQueries queries{chain};
  rpc::FairPool pool{kHttpPool};
  std::unique_ptr<HttpServer> server;
};

absl::StatusOr<std::unique_ptr<HttpService>> HttpService::Start(ServedChain chain, const HttpServiceOptions& options,
                                                                std::shared_ptr<spdlog::logger> log) {
  if (options.address == HttpServiceOptions::kOff) return nullptr;
  const bool is_default = options.address.empty();
  const std::string text = is_default ? std::string(HttpServiceOptions::kDefaultAddress) : options.address;
  ASSIGN_OR_RETURN(const rpc::Address address, ParseHttpAddress(text), WithOption(_));
  rpc::ServerTlsFiles files;
  files.cert = options.tls_cert;
  files.key = options.tls_key;
  ASSIGN_OR_RETURN(const std::shared_ptr<rpc::TlsFiles> tls, rpc::OpenTlsFiles("http", files, log));
  auto parts = std::make_unique<Parts>(std::move(chain), tls);
  absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      {.address = address, .tls = tls, .limits = Fitting(options.limits)},
      [parts = parts.get()](const HttpRequest& request, HttpReply reply) { parts->Handle(request, std::move(reply)); });
  if (!server.ok() && is_default) {
    log->warn("http_off message=\"{}; name another address with --http-address\"",
              std::string(server.status().message()));
    return nullptr;
  }
  RETURN_IF_ERROR(server.status(), WithOption(_));
  parts->server = *std::move(server);
  log->info("http listening url={}://{}/", tls != nullptr ? "https" : "http", parts->server->address().ToString());
  if (!address.IsLoopback()) {
    log->warn("http_open address={} tls={} message=\"everybody who reaches this address may read the chain\"",
              parts->server->address().ToString(), tls != nullptr ? "on" : "off");
  }
  return std::unique_ptr<HttpService>(new HttpService(std::move(parts)));
}

HttpService::HttpService(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpService::~HttpService() { Stop(); }

void HttpService::Stop() {
  parts_->server->Stop();
  parts_->pool.Stop();
}

const rpc::Address& HttpService::address() const { return parts_->server->address(); }

std::shared_ptr<rpc::TlsFiles> HttpService::tls_files() const { return parts_->tls_files; }

HttpCounts HttpService::counts() const { return parts_->server->counts(); }

metrics::FootprintList HttpService::queues() const {
  const HttpCounts counts = parts_->server->counts();
  return {parts_->pool.queue("http_requests"),
          {.name = "http_answers", .items = counts.unread_bodies, .bytes = counts.unread_bytes}};
}

}  // namespace lean::beacon
