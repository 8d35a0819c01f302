#include "validator_client/keymanager/keymanager_server.h"

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/concurrency/worker_pool.h"
#include "validator_client/keymanager/access_token.h"
#include "validator_client/keymanager/grpc_keymanager_service.h"

namespace lean::validator {
namespace {

constexpr std::chrono::milliseconds kStopGrace{200};
// One change at a time anyway, and one password's 256 MiB.
constexpr size_t kThreads = 1;
constexpr size_t kWaitingCalls = 8;
// Of all connections together, those included that have shown no token yet.
constexpr size_t kMemoryBytes = size_t{256} << 20;

}  // namespace

// In the order of their dependence: what stands later uses what stands before it, and is destroyed first.
struct KeymanagerServer::Parts {
  Parts(KeymanagerContext context, std::optional<AccessToken> token)
      : requests(std::move(context)), service(requests, std::move(token), dispatcher) {}

  KeymanagerRequests requests;
  WorkerPool pool{kThreads, kWaitingCalls};
  rpc::Dispatcher dispatcher{
      [this](std::function<void()> task) { return pool.TrySubmit(std::move(task)) == PushResult::kPushed; }};
  GrpcKeymanagerService service;
  std::unique_ptr<rpc::Server> server;
};

absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options) {
  const auto address = rpc::ParseAddress(options.address);
  if (!address.ok()) return address.status();
  if (address->IsLoopback() || !options.tls.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the keymanager does not listen on ", options.address,
                   " without TLS, since passwords and its token would cross the network in plain text: use "
                   "127.0.0.1:PORT, unix:PATH, or --keymanager-tls-cert and --keymanager-tls-key"));
}

absl::StatusOr<std::unique_ptr<KeymanagerServer>> KeymanagerServer::Start(KeymanagerContext context,
                                                                          const KeymanagerServerOptions& options) {
  if (absl::Status status = CheckKeymanagerAddress(options); !status.ok()) return status;
  std::optional<AccessToken> token;
  if (options.tls.client_ca.empty()) {
    absl::StatusOr<AccessToken> read = AccessToken::ReadOrMake(options.token_file, context.random);
    if (!read.ok()) return read.status();
    token = *std::move(read);
  }
  rpc::ServerOptions server_options;
  server_options.address = options.address;
  server_options.tls = options.tls;
  server_options.log = context.log;
  server_options.max_concurrent_calls = kWaitingCalls;
  server_options.memory_quota_bytes = kMemoryBytes;
  auto parts = std::make_unique<Parts>(std::move(context), std::move(token));
  auto server = rpc::Server::Start(server_options, {{&parts->service, v1::KeymanagerService::service_full_name()}});
  if (!server.ok()) return server.status();
  parts->server = *std::move(server);
  return std::unique_ptr<KeymanagerServer>(new KeymanagerServer(std::move(parts)));
}

KeymanagerServer::KeymanagerServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

KeymanagerServer::~KeymanagerServer() { Stop(); }

void KeymanagerServer::Stop() {
  parts_->server->Shutdown(kStopGrace);
  parts_->pool.Stop();
}

const rpc::Address& KeymanagerServer::address() const { return parts_->server->address(); }

}  // namespace lean::validator
