#include "common/rpc/server/server.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"
#include "common/rpc/server/health_service.h"
#include "common/rpc/wire/message_limits.h"
#include "common/status/status_macros.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace lean::rpc {
namespace {

constexpr std::chrono::milliseconds kShutdownGrace{200};

// For TLS and the first frames of HTTP/2. gRPC's default is two minutes, for which a silent client would hold a
// descriptor.
constexpr int kHandshakeMs = 10'000;

// One thread for each stream, and one that accepts calls.
constexpr int kSyncThreads = kReflectionStreams + 1;

constexpr int kPingIntervalMs = 30'000;
constexpr int kPingTimeoutMs = 10'000;
constexpr int kClientPingIntervalMs = 5'000;  // clients that ping more often are disconnected

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // gRPC only limits the compressed size of a message, so 16 MiB could become gigabytes.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota("server");
  quota.Resize(options.memory_quota_bytes);
  quota.SetMaxThreads(kSyncThreads);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_calls);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClientPingIntervalMs);
}

// Turns reflection on or off for one server. gRPC turns it on for all servers if its library is linked.
class Reflection final : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool on) : on_(on) {}

  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    auto reflection = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
    std::erase_if(*plugins, [&](const auto& plugin) { return plugin->name() == reflection->name(); });
    if (on_) plugins->push_back(std::move(reflection));
  }

 private:
  const bool on_;
};

void SetReflection(bool on, grpc::ServerBuilder& builder) {
  builder.SetOption(std::make_unique<Reflection>(on));
  // gRPC starts a thread for each stream, up to the limit of the quota.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

// Only this machine, or owners of certificates, may speak HTTP/2 with gRPC.
absl::Status CheckAccess(const Address& address, const ServerOptions& options) {
  if (address.IsLoopback() || !options.tls.client_ca.empty() || options.insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(address.ToString(), " (", options.name,
                   "): other machines can reach this address, so callers need certificates: use --tls-dir, or "
                   "--tls-cert, --tls-key and --tls-client-ca (`lean-beacon certs new` makes them), or listen on "
                   "127.0.0.1; --insecure-rpc lets in everybody"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const std::vector<NamedService>& services) {
  ASSIGN_OR_RETURN(auto address, ParseAddress(options.address));
  RETURN_IF_ERROR(CheckAccess(address, options));
  ASSIGN_OR_RETURN(auto tls_files, OpenTlsFiles(options.name, options.tls, options.log));
  ASSIGN_OR_RETURN(auto gate, ConnectionGate::Open(address, options.gate));

  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  using Experimental = grpc::ServerBuilder::experimental_type;
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor =
      builder.experimental().AddExternalConnectionAcceptor(Experimental::ExternalConnectionType::FROM_FD,
                                                           MakeServerCredentials(tls_files));
  SetReflection(options.reflection, builder);
  std::vector<std::string> names = options.health_names;
  names.emplace_back(kAccessHealth);
  for (const NamedService& named : services) {
    builder.RegisterService(named.service);
    names.push_back(named.name);
  }
  auto health = std::make_unique<HealthService>(names, options.gate.requests);
  builder.RegisterService(health.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::UnavailableError(absl::StrCat("gRPC starts no server for ", gate->address().ToString()));
  }
  gate->Start([acceptor](Descriptor connection, int listener) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.Release();  // gRPC's from now on
    acceptor->HandleNewConnection(&parameters);
  });
  const bool open = !address.IsLoopback() && options.tls.client_ca.empty();
  health->SetService(kAccessHealth, !open);
  return std::unique_ptr<Server>(
      new Server(options.name, open, std::move(tls_files), std::move(health), std::move(server), std::move(gate)));
}

Server::Server(std::string name, bool open, std::shared_ptr<TlsFiles> tls_files, std::unique_ptr<HealthService> health,
               std::unique_ptr<grpc::Server> server, std::unique_ptr<ConnectionGate> gate)
    : name_(std::move(name)),
      open_(open),
      tls_files_(std::move(tls_files)),
      health_(std::move(health)),
      server_(std::move(server)),
      gate_(std::move(gate)) {}

Server::~Server() { Shutdown(kShutdownGrace); }

void Server::SetServing(bool serving) { health_->Set(serving); }

void Server::SetServing(const std::string& service, bool serving) { health_->SetService(service, serving); }

void Server::Shutdown(std::chrono::milliseconds grace) {
  gate_->Stop();
  health_->Stop();
  server_->Shutdown(SystemTime() + grace);
}

absl::StatusOr<std::unique_ptr<PooledServer>> PooledServer::Start(const PoolOptions& pool, const ServerOptions& options,
                                                                  const std::string& name, const MakeService& make) {
  std::unique_ptr<PooledServer> pooled(new PooledServer(pool));
  pooled->service_ = make(pooled->dispatcher_);
  ServerOptions counted = options;
  counted.gate.requests = pooled->requests_;
  ASSIGN_OR_RETURN(pooled->server_, Server::Start(counted, {{pooled->service_.get(), name}}));
  return pooled;
}

PooledServer::PooledServer(const PoolOptions& pool)
    : pool_(pool),
      dispatcher_([this](const Caller& caller, Work work) { pool_.Submit(caller, Rank::kGood, std::move(work)); },
                  requests_) {}

PooledServer::~PooledServer() { Stop(); }

void PooledServer::Stop() {
  if (server_ != nullptr) server_->Shutdown(kShutdownGrace);
  pool_.Stop();
}

}  // namespace lean::rpc
