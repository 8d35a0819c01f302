// What a gRPC message of this project may weigh.
#ifndef LEAN_COMMON_RPC_LIMITS_H_
#define LEAN_COMMON_RPC_LIMITS_H_

namespace lean::rpc {

// Of one message in either direction: the largest valid block, with 4095 votes, has 13.3 MB.
inline constexpr int kMaxMessageBytes = 16 << 20;

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_LIMITS_H_
