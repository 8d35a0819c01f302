#include "validator_client/keymanager/keymanager_server.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "validator_client/keymanager/access_token.h"
#include "validator_client/keymanager/grpc_keymanager_service.h"

namespace lean::validator {
namespace {

// One change at a time anyway, and one password's 256 MiB.
constexpr rpc::PoolOptions kPool{.threads = 1, .waiting_calls = 8};
// Of all connections together, those included that have shown no token yet.
constexpr size_t kMemoryBytes = size_t{256} << 20;

}  // namespace

absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options) {
  const auto address = rpc::ParseAddress(options.address);
  if (!address.ok()) return address.status();
  if (address->IsLoopback() || !options.tls.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the keymanager does not listen on ", options.address,
                   " without TLS, since passwords and its token would cross the network in plain text: use "
                   "127.0.0.1:PORT, unix:PATH, or --keymanager-tls-cert and --keymanager-tls-key"));
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanagerServer(KeymanagerContext context,
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
  server_options.max_concurrent_calls = static_cast<int>(kPool.waiting_calls);
  server_options.memory_quota_bytes = kMemoryBytes;
  return rpc::PooledServer::Start(
      kPool, server_options, v1::KeymanagerService::service_full_name(), [&](rpc::Dispatcher& dispatcher) {
        return std::make_unique<GrpcKeymanagerService>(std::move(context), std::move(token), dispatcher);
      });
}

}  // namespace lean::validator
