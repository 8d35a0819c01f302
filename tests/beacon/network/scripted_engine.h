// A scripted network engine behind gRPC: a server of the contract, in the test's process.
#ifndef LEAN_TESTS_BEACON_NETWORK_SCRIPTED_ENGINE_H_
#define LEAN_TESTS_BEACON_NETWORK_SCRIPTED_ENGINE_H_

#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "grpcpp/server_builder.h"
#include "lean/v1/network_engine.grpc.pb.h"
#include "tests/beacon/network/engine_script.h"

namespace lean::beacon {

class ScriptedEngine final : public EngineScript, private v1::NetworkEngine::Service {
 public:
  // `address`: unix:PATH or 127.0.0.1:PORT.
  explicit ScriptedEngine(const std::string& address, v1::EngineHello hello = GoodHello())
      : EngineScript(std::move(hello)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(16 << 20);
    builder.SetMaxSendMessageSize(std::numeric_limits<int>::max());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedEngine() override { Stop(); }

  // As a process that is killed.
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

 private:
  using Stream = grpc::ServerReaderWriter<v1::EngineToBeacon, v1::BeaconToEngine>;

  class End final : public EngineEnd {
   public:
    End(grpc::ServerContext& context, Stream& stream) : context_(context), stream_(stream) {}
    bool Read(v1::BeaconToEngine* message) override { return stream_.Read(message); }
    bool Write(const v1::EngineToBeacon& message) override { return stream_.Write(message); }
    void Cancel() override { context_.TryCancel(); }

   private:
    grpc::ServerContext& context_;
    Stream& stream_;
  };

  grpc::Status Attach(grpc::ServerContext* context, Stream* stream) override {
    End end(*context, *stream);
    const std::string why = Serve(end);
    return why.empty() ? grpc::Status::OK : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, why);
  }

  std::unique_ptr<grpc::Server> server_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_SCRIPTED_ENGINE_H_
