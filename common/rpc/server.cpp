#include "common/rpc/server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/logger.h"
#include "common/rpc/health_service.h"
#include "common/rpc/limits.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace lean::rpc {
namespace {

constexpr std::chrono::milliseconds kShutdownGrace{200};

// For TLS and HTTP/2's first frames; gRPC's own is two minutes, in which whoever connects and says nothing holds a
// descriptor.
constexpr int kHandshakeMs = 10'000;

constexpr int kPingIntervalMs = 30'000;
constexpr int kPingTimeoutMs = 10'000;
constexpr int kClientPingIntervalMs = 5'000;  // clients that ping more often are sent away

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // gRPC bounds a compressed message by its compressed size alone, so that 16 MiB could become gigabytes.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota("server");
  quota.Resize(options.memory_quota_bytes);
  builder.SetResourceQuota(quota);
  // gRPC would let a second process share the port without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_calls);
  if (options.max_idle_ms > 0) builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.max_idle_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClientPingIntervalMs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const std::vector<NamedService>& services) {
  auto address = ParseAddress(options.address);
  if (!address.ok()) return address.status();
  auto credentials = MakeServerCredentials(options.tls);
  if (!credentials.ok()) return credentials.status();
  if (address->IsUnix()) {
    if (absl::Status status = CheckUnixSocket(*address); !status.ok()) return status;
  }

  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  int port = 0;
  std::unique_ptr<ConnectionGate> gate;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  if (options.gate.has_value()) {
    auto opened = ConnectionGate::Open(*address, *options.gate);
    if (!opened.ok()) return opened.status();
    gate = *std::move(opened);
    port = gate->port();
    using Experimental = grpc::ServerBuilder::experimental_type;
    acceptor = builder.experimental().AddExternalConnectionAcceptor(Experimental::ExternalConnectionType::FROM_FD,
                                                                    *credentials);
  } else {
    builder.AddListeningPort(address->ToString(), *credentials, &port);
  }
  std::vector<std::string> names;
  for (const NamedService& named : services) {
    builder.RegisterService(named.service);
    names.push_back(named.name);
  }
  auto health = std::make_unique<HealthService>(names);
  builder.RegisterService(health.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    if (absl::Status why = address->IsUnix() ? absl::OkStatus() : ProbeListen(*address); !why.ok()) return why;
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address->ToString()));
  }
  if (gate != nullptr) gate->Start(std::move(acceptor));
  if (!address->IsUnix()) address->port = static_cast<uint16_t>(port);
  const bool tls = !options.tls.empty();
  if (!tls && !options.open_to_all && !address->IsLoopback()) {
    options.log->warn(
        "rpc_open address={} tls=off message=\"whoever reaches this address may read and submit; use --tls-cert and "
        "--tls-key\"",
        address->ToString());
  }
  return std::unique_ptr<Server>(
      new Server(*std::move(address), tls, std::move(health), std::move(server), std::move(gate)));
}

Server::Server(Address address, bool tls, std::unique_ptr<HealthService> health, std::unique_ptr<grpc::Server> server,
               std::unique_ptr<ConnectionGate> gate)
    : address_(std::move(address)),
      tls_(tls),
      health_(std::move(health)),
      server_(std::move(server)),
      gate_(std::move(gate)) {}

Server::~Server() { Shutdown(kShutdownGrace); }

void Server::SetServing(bool serving) { health_->Set(serving); }

void Server::SetServing(const std::string& service, bool serving) { health_->SetService(service, serving); }

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (gate_ != nullptr) gate_->Stop();
  health_->Stop();
  server_->Shutdown(std::chrono::system_clock::now() + grace);
}

}  // namespace lean::rpc
