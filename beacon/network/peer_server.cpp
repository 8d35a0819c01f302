#include "beacon/network/peer_server.h"

#include <utility>

#include "beacon/network/block_answers.h"
#include "common/rpc/convert.h"
#include "common/rpc/status.h"

namespace lean::beacon {
namespace {

// Answer streams that have named no session yet, of all peers.
constexpr size_t kMaxWaiting = 128;

grpc::Status Refused() { return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many links, or banned: dial again later"}; }

}  // namespace

StreamReactor* PeerServer::Gossip(grpc::CallbackServerContext* context) {
  const LinkPtr link = acceptor_.Accept(context->peer());
  if (link == nullptr) return RefuseStream(Refused());
  const ServerStreamEnds ends = MakeServerStream(context, link);
  link->Start(ends.stream);
  return ends.reactor;
}

StreamReactor* PeerServer::Answer(grpc::CallbackServerContext* context) {
  auto attach = [this](const SessionId& session, std::shared_ptr<BlockAsker> asker) {
    const LinkPtr link = acceptor_.LinkOf(session);
    if (link == nullptr || link->asker() != nullptr) return false;
    link->SetAsker(std::move(asker));
    return true;
  };
  auto malformed = [this](const SessionId& session, std::string why) {
    const LinkPtr link = acceptor_.LinkOf(session);
    if (link != nullptr) link->Report(Offence::kMalformed, std::move(why));
  };
  auto asker = std::make_shared<StreamAsker>(clock_, std::move(attach), std::move(malformed));
  {
    std::lock_guard lock(mutex_);
    if (askers_.size() >= kMaxWaiting) return RefuseStream(Refused());
    askers_.push_back(asker);
  }
  const ServerStreamEnds ends = MakeServerStream(context, asker);
  asker->Start(ends.stream);
  return ends.reactor;
}

void PeerServer::Tick(SteadyTime now) {
  std::vector<std::shared_ptr<StreamAsker>> waiting;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(askers_, [&](const std::weak_ptr<StreamAsker>& weak) {
      std::shared_ptr<StreamAsker> asker = weak.lock();
      if (asker == nullptr || asker->attached()) return true;
      waiting.push_back(std::move(asker));
      return false;
    });
  }
  for (const std::shared_ptr<StreamAsker>& asker : waiting) asker->Tick(now);
}

absl::StatusOr<v1::BlocksResponse> PeerServer::Serve(const std::string& session, const v1::BlocksRequest& request) {
  const auto id = rpc::FixedBytesFromProto<SessionId>(session, "session");
  const LinkPtr link = id.ok() ? acceptor_.LinkOf(*id) : nullptr;
  if (link == nullptr) {
    return rpc::MakeError(absl::StatusCode::kUnauthenticated, "NO_LINK",
                          "the session is not one of a link that stands");
  }
  link->CountRequestIn();
  return AnswerRequest(request, *link, blocks_, clock_);
}

grpc::ServerUnaryReactor* PeerServer::BlocksByRoot(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return dispatcher_.Run<v1::BlocksByRootRequest, v1::BlocksResponse>(
      context, request, response,
      [this](const v1::BlocksByRootRequest& by_root, const rpc::Reply<v1::BlocksResponse>& reply) {
        v1::BlocksRequest wrapped;
        *wrapped.mutable_by_root() = by_root;
        reply(Serve(by_root.session(), wrapped));
      });
}

grpc::ServerUnaryReactor* PeerServer::BlocksByRange(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return dispatcher_.Run<v1::BlocksByRangeRequest, v1::BlocksResponse>(
      context, request, response,
      [this](const v1::BlocksByRangeRequest& by_range, const rpc::Reply<v1::BlocksResponse>& reply) {
        v1::BlocksRequest wrapped;
        *wrapped.mutable_by_range() = by_range;
        reply(Serve(by_range.session(), wrapped));
      });
}

}  // namespace lean::beacon
