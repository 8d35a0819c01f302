#include "beacon/network/peer_channels.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lean::beacon {

PeerChannels::PeerChannels(const PeerTlsFiles& tls)
    : options_({.tls = {.server_ca = tls.ca, .cert = tls.cert, .key = tls.key}}), stubs_(std::make_shared<Pending>()) {}

absl::Status PeerChannels::ReadTls() {
  auto credentials = rpc::MakeClientCredentials(options_.tls);
  if (!credentials.ok()) return credentials.status();
  options_.credentials = *std::move(credentials);
  return absl::OkStatus();
}

absl::Status PeerChannels::Check(const std::string& address) const {
  return rpc::MakeChannel(address, options_).status();
}

absl::StatusOr<std::shared_ptr<grpc::GenericStub>> PeerChannels::Open(const std::string& address) {
  auto channel = rpc::MakeChannel(address, options_);
  if (!channel.ok()) return channel.status();
  // The token goes after the stub has let go of the channel.
  std::shared_ptr<grpc::GenericStub> stub(new grpc::GenericStub(*channel),
                                          [token = Pending::Token(stubs_)](grpc::GenericStub* ended) mutable {
                                            delete ended;
                                            token.reset();
                                          });
  std::lock_guard lock(mutex_);
  channels_.push_back(*std::move(channel));
  return stub;
}

void PeerChannels::DropUnused() {
  std::vector<std::shared_ptr<grpc::Channel>> unused;  // let go of outside the lock
  std::lock_guard lock(mutex_);
  const auto used =
      std::partition(channels_.begin(), channels_.end(),
                     [](const std::shared_ptr<grpc::Channel>& channel) { return channel.use_count() > 1; });
  std::move(used, channels_.end(), std::back_inserter(unused));
  channels_.erase(used, channels_.end());
}

void PeerChannels::Stop() {
  stubs_->Await();
  DropUnused();
}

}  // namespace lean::beacon
