// Connections to the peers that we dial.
#ifndef LEAN_BEACON_NETWORK_PEER_CHANNELS_H_
#define LEAN_BEACON_NETWORK_PEER_CHANNELS_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/network/pending.h"
#include "common/rpc/channel.h"
#include "grpcpp/channel.h"
#include "grpcpp/generic/generic_stub.h"

namespace lean::beacon {

// PEM files; all or none. Peers show each other certificates of the same authority.
struct PeerTlsFiles {
  std::string cert;
  std::string key;
  std::string ca;
};

// Whoever makes a call keeps its stub until the call's context is destroyed, and so the channel. The last channel of a
// process must not be destroyed on one of gRPC's own threads, which it would wait for: each is let go of here, once
// nothing else has it. Thread-safe.
class PeerChannels {
 public:
  explicit PeerChannels(const PeerTlsFiles& tls);

  // Reads the TLS files, once: a dial reads none, and what replaces a file takes a restart. Before any other call.
  // Errors as of rpc::MakeClientCredentials.
  absl::Status ReadTls();
  // Whether Open would succeed. Errors as of rpc::MakeChannel.
  absl::Status Check(const std::string& address) const;
  // On a channel of its own for each attempt: gRPC's pauses between attempts are not ours.
  absl::StatusOr<std::shared_ptr<grpc::GenericStub>> Open(const std::string& address);

  // Lets go of channels that nothing uses any more.
  void DropUnused();
  // Waits until nothing uses any of them, and lets go of all. No more are opened.
  void Stop();

 private:
  rpc::ChannelOptions options_;           // constant after ReadTls
  const std::shared_ptr<Pending> stubs_;  // a token for each that lives
  std::mutex mutex_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;  // guarded by mutex_
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_CHANNELS_H_
