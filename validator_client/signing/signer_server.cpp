#include "validator_client/signing/signer_server.h"

#include "absl/strings/str_cat.h"
#include "common/rpc/raw_service.h"
#include "common/status/status_macros.h"
#include "lean/v1/signer.grpc.pb.h"

namespace lean::validator {
namespace {

// A call waits for the disk of the records and for signatures, which use other threads.
constexpr rpc::PoolOptions kPool{.threads = 2, .waiting_calls = 64};

// Thread-safe. `requests` and the dispatcher must outlive the service.
class GrpcSignerService final : public rpc::RawService<v1::Signer> {
 public:
  GrpcSignerService(const SignRequests& requests, rpc::Dispatcher& dispatcher) : RawService(dispatcher) {
    Handle(requests, &SignRequests::ListKeys);
    Handle(requests, &SignRequests::SignVotes);
    Handle(requests, &SignRequests::SignBlock);
  }
};

}  // namespace

absl::Status CheckSignerAddress(const rpc::ServerOptions& options) {
  ASSIGN_OR_RETURN(const auto address, rpc::ParseAddress(options.address));
  if (address.IsUnix() || !options.tls.client_ca.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a signer does not listen on ", options.address,
                   " without certificates, since whoever reaches it makes its keys sign: use unix:PATH, or --tls-cert, "
                   "--tls-key and --tls-client-ca"));
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartSignerServer(const SignRequests& requests,
                                                                     const rpc::ServerOptions& options) {
  RETURN_IF_ERROR(CheckSignerAddress(options));
  return rpc::PooledServer::Start(
      kPool, options, v1::Signer::service_full_name(),
      [&requests](rpc::Dispatcher& dispatcher) { return std::make_unique<GrpcSignerService>(requests, dispatcher); });
}

}  // namespace lean::validator
