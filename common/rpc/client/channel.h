// A client's channel to one server.
#ifndef LEAN_COMMON_RPC_CLIENT_CHANNEL_H_
#define LEAN_COMMON_RPC_CLIENT_CHANNEL_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/tls.h"
#include "grpcpp/channel.h"

namespace lean::rpc {

struct ChannelOptions {
  ClientTlsFiles tls;
  // Waits between attempts to connect grow from the first to the last.
  std::chrono::milliseconds min_backoff{100};
  std::chrono::milliseconds max_backoff{2000};
};

// Connects when first used, reconnects by itself, takes messages of up to kMaxMessageBytes, shares its connection with
// no other channel, uses no proxy, and repeats no call by itself. A dead connection is found within seconds by pings.
// `address` is HOST:PORT or unix:PATH. InvalidArgument: a bad address or TLS file, named.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address,
                                                           const ChannelOptions& options = {});

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_CLIENT_CHANNEL_H_
