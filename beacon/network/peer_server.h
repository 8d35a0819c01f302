// PeerService as gRPC calls it: hands streams and calls to the network.
#ifndef LEAN_BEACON_NETWORK_PEER_SERVER_H_
#define LEAN_BEACON_NETWORK_PEER_SERVER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/network/answer_streams.h"
#include "beacon/network/link.h"
#include "beacon/network/peer_acceptor.h"
#include "beacon/services/block_source.h"
#include "common/rpc/unary_call.h"
#include "lean/v1/peer.grpc.pb.h"

namespace lean::beacon {

// clang-format off
using RawPeerService =
    v1::PeerService::WithRawCallbackMethod_Gossip<
    v1::PeerService::WithRawCallbackMethod_Answer<
    v1::PeerService::WithRawCallbackMethod_BlocksByRoot<
    v1::PeerService::WithRawCallbackMethod_BlocksByRange<
    v1::PeerService::Service>>>>;
// clang-format on

// Thread-safe. All it is given outlives it.
class PeerServer final : public RawPeerService {
 public:
  PeerServer(PeerAcceptor& acceptor, const BlockSource& blocks, const Clock& clock, rpc::Schedule schedule)
      : acceptor_(acceptor), blocks_(blocks), clock_(clock), dispatcher_(std::move(schedule)) {}

  // Ends Answer streams that name no session.
  void Tick(SteadyTime now);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Gossip(grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Answer(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* BlocksByRoot(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BlocksByRange(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

 private:
  absl::StatusOr<v1::BlocksResponse> Serve(const std::string& session, const v1::BlocksRequest& request);

  PeerAcceptor& acceptor_;
  const BlockSource& blocks_;
  const Clock& clock_;
  rpc::Dispatcher dispatcher_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<StreamAsker>> askers_;  // guarded by mutex_; those that may not be attached yet
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_SERVER_H_
