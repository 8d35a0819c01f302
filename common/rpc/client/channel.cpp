#include "common/rpc/client/channel.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls.h"
#include "common/rpc/wire/message_limits.h"
#include "common/status/status_macros.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace lean::rpc {
namespace {

constexpr int kChannelPingIntervalMs = 10'000;
constexpr int kChannelPingTimeoutMs = 3'000;

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannelWith(const std::string& address,
                                                               const TlsFiles::Content* content,
                                                               const ChannelOptions& options) {
  ASSIGN_OR_RETURN(const auto parsed, ParseAddress(address));
  if (parsed.port == 0 && !parsed.IsUnix()) {
    return absl::InvalidArgumentError(absl::StrCat("bad address \"", address, "\": a client needs a port above 0"));
  }
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
  return grpc::CreateCustomChannel(parsed.ToString(), MakeClientCredentials(content), arguments);
}

// The channel of a ChannelSource, and the content of the files with which it was made.
struct Renewed {
  Mutex mutex;
  std::shared_ptr<const TlsFiles::Content> content ABSL_GUARDED_BY(mutex);
  std::shared_ptr<grpc::Channel> channel ABSL_GUARDED_BY(mutex);
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address, const ChannelOptions& options) {
  ASSIGN_OR_RETURN(const auto files, OpenTlsFiles("client", options.tls, nullptr));
  return MakeChannelWith(address, files == nullptr ? nullptr : files->Get().get(), options);
}

absl::StatusOr<ChannelSource> MakeChannelSource(const std::string& address, std::shared_ptr<TlsFiles> files,
                                                const ChannelOptions& options) {
  const std::shared_ptr<const TlsFiles::Content> content = files == nullptr ? nullptr : files->Get();
  ASSIGN_OR_RETURN(auto channel, MakeChannelWith(address, content.get(), options));
  if (files == nullptr) return ChannelSource([channel] { return channel; });
  const auto renewed = std::make_shared<Renewed>();
  {
    MutexLock lock(renewed->mutex);
    renewed->content = content;
    renewed->channel = std::move(channel);
  }
  return ChannelSource([address, options, files = std::move(files), renewed] {
    std::shared_ptr<const TlsFiles::Content> now = files->Get();
    MutexLock lock(renewed->mutex);
    if (now == renewed->content) return renewed->channel;
    renewed->content = std::move(now);
    // The address was accepted before.
    renewed->channel = *MakeChannelWith(address, renewed->content.get(), options);
    return renewed->channel;
  });
}

}  // namespace lean::rpc
