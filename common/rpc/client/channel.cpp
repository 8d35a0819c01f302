#include "common/rpc/client/channel.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/wire/message_limits.h"
#include "common/status/status_macros.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace lean::rpc {
namespace {

constexpr int kChannelPingIntervalMs = 10'000;
constexpr int kChannelPingTimeoutMs = 3'000;

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address, const ChannelOptions& options) {
  ASSIGN_OR_RETURN(const auto parsed, ParseAddress(address));
  if (parsed.port == 0 && !parsed.IsUnix()) {
    return absl::InvalidArgumentError(absl::StrCat("bad address \"", address, "\": a client needs a port above 0"));
  }
  ASSIGN_OR_RETURN(const auto credentials, MakeClientCredentials(options.tls));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(options.min_backoff.count()));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(options.max_backoff.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(options.max_backoff.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kChannelPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kChannelPingTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(parsed.ToString(), credentials, arguments);
}

}  // namespace lean::rpc
