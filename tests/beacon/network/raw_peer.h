// A peer that shakes hands as it should, and then sends whatever a test wants.
#ifndef LEAN_TESTS_BEACON_NETWORK_RAW_PEER_H_
#define LEAN_TESTS_BEACON_NETWORK_RAW_PEER_H_

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_codec.h"
#include "beacon/network/handshake.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"
#include "lean/v1/peer.grpc.pb.h"

namespace lean::beacon {

// Of one thread. Every call waits for what it says.
class RawPeer {
 public:
  RawPeer(const std::string& address, const Identity& identity, const PeerChain& chain)
      : stub_(v1::PeerService::NewStub(Channel(address))), stream_(stub_->Gossip(&context_)) {
    v1::GossipMessage first;
    *first.mutable_status() = MakeStatus(identity, chain, SessionId());
    linked_ = stream_->Write(first) && stream_->Read(&first) && first.has_status();
    session_ = first.status().session();
  }
  ~RawPeer() { Disconnect(); }

  // The other end has answered with its status.
  bool linked() const { return linked_; }

  // Each false when the stream has ended.
  bool SendVotes(const std::vector<SignedVotePtr>& votes) {
    std::string batch;
    for (const SignedVotePtr& vote : votes) batch += SerializeVote(*vote);
    v1::GossipMessage message;
    message.set_votes(Compress(batch));
    return stream_->Write(message);
  }
  bool SendBlock(const SignedBlockWithAttestation& block) {
    v1::GossipMessage message;
    message.set_block(EncodeBlock(block));
    return stream_->Write(message);
  }
  // More than a message may have.
  bool SendOversized() {
    v1::GossipMessage message;
    message.set_votes(std::string(size_t{17} << 20, 'x'));
    return stream_->Write(message);
  }
  void SayGoodbye() {
    stream_->Write(MakeGoodbye({v1::PeerGoodbye::SHUTTING_DOWN, "for the test"}));
    stream_->WritesDone();
  }
  // The stream over which it is asked for blocks, which it does not answer.
  void OpenAnswer() {
    answer_ = stub_->Answer(&answer_context_);
    v1::BlocksAnswer first;
    first.set_session(session_);
    answer_->Write(first);
  }
  // All streams at once, without a word.
  void Disconnect() {
    answer_context_.TryCancel();
    context_.TryCancel();
  }
  // Reads until the stream ends; the reason of the goodbye that came, if one did.
  v1::PeerGoodbye::Reason AwaitEnd() {
    v1::PeerGoodbye::Reason reason = v1::PeerGoodbye::REASON_UNSPECIFIED;
    v1::GossipMessage message;
    while (stream_->Read(&message)) {
      if (message.has_goodbye()) reason = message.goodbye().reason();
    }
    return reason;
  }

 private:
  static std::shared_ptr<grpc::Channel> Channel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(std::numeric_limits<int>::max());
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  grpc::ClientContext context_;
  grpc::ClientContext answer_context_;
  const std::unique_ptr<v1::PeerService::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::GossipMessage, v1::GossipMessage>> stream_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::BlocksAnswer, v1::BlocksRequest>> answer_;
  std::string session_;
  bool linked_ = false;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_RAW_PEER_H_
