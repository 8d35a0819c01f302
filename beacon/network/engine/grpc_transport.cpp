#include <memory>
#include <string>
#include <utility>

#include "beacon/network/engine/engine_transport.h"
#include "common/rpc/client/channel.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"
#include "lean/v1/network_engine.grpc.pb.h"

namespace lean::beacon {
namespace {

class GrpcTransport final : public EngineTransport {
 public:
  explicit GrpcTransport(const std::shared_ptr<grpc::Channel>& channel) : stub_(v1::NetworkEngine::NewStub(channel)) {}

  void Start() override { stream_ = stub_->Attach(&context_); }
  bool Read(v1::EngineToBeacon* message) override { return stream_->Read(message); }
  bool Write(const v1::BeaconToEngine& message) override { return stream_->Write(message); }
  void WritesDone() override { stream_->WritesDone(); }
  std::string Finish() override { return stream_->Finish().error_message(); }
  void Cancel() override { context_.TryCancel(); }

 private:
  const std::unique_ptr<v1::NetworkEngine::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::BeaconToEngine, v1::EngineToBeacon>> stream_;
};

}  // namespace

OpenEngineTransport EngineOverGrpc(std::string address) {
  // Each stream has its own channel, because a channel has its own backoff.
  return [address = std::move(address)]() -> absl::StatusOr<std::unique_ptr<EngineTransport>> {
    ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(address));
    return std::make_unique<GrpcTransport>(channel);
  };
}

}  // namespace lean::beacon
