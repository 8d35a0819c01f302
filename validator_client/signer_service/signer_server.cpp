#include "validator_client/signer_service/signer_server.h"

#include <chrono>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/concurrency/worker_pool.h"
#include "validator_client/signer_service/grpc_signer_service.h"

namespace lean::validator {
namespace {

constexpr std::chrono::milliseconds kStopGrace{200};
// A call waits for the records' disk and for signatures, which spread over threads of their own.
constexpr size_t kThreads = 2;
constexpr size_t kWaitingCalls = 64;

}  // namespace

// In the order of their dependence: what stands later uses what stands before it, and is destroyed first.
struct SignerServer::Parts {
  explicit Parts(const SignRequests& requests) : service(requests, dispatcher) {}

  WorkerPool pool{kThreads, kWaitingCalls};
  rpc::Dispatcher dispatcher{
      [this](std::function<void()> task) { return pool.TrySubmit(std::move(task)) == PushResult::kPushed; }};
  GrpcSignerService service;
  std::unique_ptr<rpc::Server> server;
};

absl::Status CheckSignerAddress(const rpc::ServerOptions& options) {
  const auto address = rpc::ParseAddress(options.address);
  if (!address.ok()) return address.status();
  if (address->IsUnix() || !options.tls.client_ca.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a signer does not listen on ", options.address,
                   " without certificates, since whoever reaches it makes its keys sign: use unix:PATH, or --tls-cert, "
                   "--tls-key and --tls-client-ca"));
}

absl::StatusOr<std::unique_ptr<SignerServer>> SignerServer::Start(const SignRequests& requests,
                                                                  const rpc::ServerOptions& options) {
  if (absl::Status status = CheckSignerAddress(options); !status.ok()) return status;
  auto parts = std::make_unique<Parts>(requests);
  auto server = rpc::Server::Start(options, {{&parts->service, v1::Signer::service_full_name()}});
  if (!server.ok()) return server.status();
  parts->server = *std::move(server);
  return std::unique_ptr<SignerServer>(new SignerServer(std::move(parts)));
}

SignerServer::SignerServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SignerServer::~SignerServer() { Stop(); }

void SignerServer::Stop() {
  parts_->server->Shutdown(kStopGrace);
  parts_->pool.Stop();
}

const rpc::Address& SignerServer::address() const { return parts_->server->address(); }

}  // namespace lean::validator
