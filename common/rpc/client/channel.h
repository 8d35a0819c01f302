// A client's channel to one server.
#ifndef LEAN_COMMON_RPC_CLIENT_CHANNEL_H_
#define LEAN_COMMON_RPC_CLIENT_CHANNEL_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/tls_files.h"
#include "grpcpp/channel.h"

namespace lean::rpc {

struct ChannelOptions {
  ClientTlsFiles tls;
  // The delay between attempts to connect grows from the first value to the second.
  std::chrono::milliseconds min_backoff{100};
  std::chrono::milliseconds max_backoff{2000};
};

// Connects when it is first used and reconnects by itself. Accepts messages of up to kMaxMessageBytes, shares its
// connection with no other channel, uses no proxy, and never retries a call. Pings find a dead connection within
// seconds. `address` is HOST:PORT or unix:PATH. InvalidArgument: a bad address or TLS file, which the error names.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address,
                                                           const ChannelOptions& options = {});

// Returns the channel to use for the next call. Thread-safe.
using ChannelSource = std::function<std::shared_ptr<grpc::Channel>()>;

// A source that makes the channel again when `files` have changed; options.tls is not used. Calls in progress end on
// the channel on which they began. `files` may be null: without TLS. Errors of MakeChannel.
absl::StatusOr<ChannelSource> MakeChannelSource(const std::string& address, std::shared_ptr<TlsFiles> files,
                                                const ChannelOptions& options = {});

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CLIENT_CHANNEL_H_
