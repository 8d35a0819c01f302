// PeerService's methods and messages as raw calls have them.
#ifndef LEAN_BEACON_NETWORK_MESSAGES_H_
#define LEAN_BEACON_NETWORK_MESSAGES_H_

#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_writer.h"

namespace lean::beacon {

inline constexpr char kGossipMethod[] = "/lean.v1.PeerService/Gossip";
inline constexpr char kAnswerMethod[] = "/lean.v1.PeerService/Answer";
inline constexpr char kBlocksByRootMethod[] = "/lean.v1.PeerService/BlocksByRoot";
inline constexpr char kBlocksByRangeMethod[] = "/lean.v1.PeerService/BlocksByRange";

inline grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& message) {
  constexpr int kBlockBytes = 1 << 20;
  grpc::ByteBuffer bytes;
  {
    grpc::ProtoBufferWriter writer(&bytes, kBlockBytes, static_cast<int>(message.ByteSizeLong()));
    message.SerializeToZeroCopyStream(&writer);
  }
  return bytes;
}

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_MESSAGES_H_
