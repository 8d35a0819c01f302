#include "validator_client/keymanager/keymanager_server.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/rpc/server/raw_service.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "validator_client/keymanager/access_token.h"

namespace lean::validator {
namespace {

// Requests are handled one at a time, and each decryption takes 256 MiB.
constexpr rpc::PoolOptions kPool{.threads = 1, .waiting_calls = 8};
// The limit for all connections together, including those that have not sent a token yet.
constexpr size_t kMemoryBytes = size_t{256} << 20;

constexpr char kHeader[] = "authorization";
constexpr char kScheme[] = "Bearer ";

// Decides who may call before a request is decoded. Thread-safe. The dispatcher, and all references in the context,
// must outlive the service.
class GrpcKeymanagerService final : public rpc::RawService<v1::KeymanagerService> {
 public:
  // Without a token the transport requires a certificate of every caller.
  GrpcKeymanagerService(KeymanagerContext context, std::optional<AccessToken> token, rpc::Dispatcher& dispatcher)
      : RawService(dispatcher, Role::kOperator), requests_(std::move(context)), token_(std::move(token)) {
    HandleAuthorised(&KeymanagerRequests::ListKeystores);
    HandleAuthorised(&KeymanagerRequests::ImportKeystores);
    HandleAuthorised(&KeymanagerRequests::DeleteKeystores);
    HandleAuthorised(&KeymanagerRequests::ExportSigningRecords);
    HandleAuthorised(&KeymanagerRequests::ImportSigningRecords);
  }

 private:
  template <typename Request, typename Response>
  void HandleAuthorised(absl::StatusOr<Response> (KeymanagerRequests::*method)(const Request&)) {
    Handle<Request>([this, answer = Answer(requests_, method)](grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request,
                                                               grpc::ByteBuffer* response) {
      RETURN_IF_ERROR(CheckCaller(*context), dispatcher_.Refuse(context, *request, response, _));
      return answer(context, request, response);
    });
  }

  absl::Status CheckCaller(const grpc::CallbackServerContext& context) const {
    if (!token_.has_value()) return absl::OkStatus();
    const auto& metadata = context.client_metadata();
    const auto header = metadata.find(kHeader);
    absl::string_view shown;
    if (header != metadata.end()) shown = {header->second.data(), header->second.size()};
    if (absl::ConsumePrefix(&shown, kScheme) && token_->Matches(shown)) return absl::OkStatus();
    return rpc::MakeError(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED",
                          "show the token of this client's token file: 'authorization: Bearer TOKEN'");
  }

  KeymanagerRequests requests_;
  const std::optional<AccessToken> token_;
};

}  // namespace

absl::Status CheckKeymanagerAddress(const KeymanagerServerOptions& options) {
  ASSIGN_OR_RETURN(const auto address, rpc::ParseAddress(options.address));
  if (address.IsLoopback() || !options.tls.client_ca.empty()) return absl::OkStatus();
  if (options.tls.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the keymanager does not listen on ", options.address,
                     " without TLS, since passwords and its token would cross the network in plain text: use "
                     "127.0.0.1:PORT, unix:PATH, or --keymanager-tls-dir"));
  }
  if (options.insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the keymanager does not listen on ", options.address,
                   ", which other machines can reach, without client certificates: use --keymanager-tls-client-ca or "
                   "--keymanager-tls-dir; --insecure-rpc lets in everybody who has the token"));
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanagerServer(KeymanagerContext context,
                                                                         const KeymanagerServerOptions& options) {
  RETURN_IF_ERROR(CheckKeymanagerAddress(options));
  std::optional<AccessToken> token;
  if (options.tls.client_ca.empty()) {
    ASSIGN_OR_RETURN(token, AccessToken::ReadOrMake(options.token_file, context.random));
  }
  rpc::ServerOptions server_options;
  server_options.name = "keymanager";
  server_options.address = options.address;
  server_options.tls = options.tls;
  server_options.insecure = options.insecure;
  server_options.log = context.log;
  server_options.max_concurrent_calls = static_cast<int>(kPool.waiting_calls);
  server_options.memory_quota_bytes = kMemoryBytes;
  return rpc::PooledServer::Start(
      kPool, server_options, v1::KeymanagerService::service_full_name(), [&](rpc::Dispatcher& dispatcher) {
        return std::make_unique<GrpcKeymanagerService>(std::move(context), std::move(token), dispatcher);
      });
}

}  // namespace lean::validator
