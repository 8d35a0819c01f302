// Limits of one message: its bytes, and what it costs in memory before it is parsed. The latter is written here because
// Protocol Buffers bounds only the bytes of a message, and some bytes decode to 25 times their size.
#ifndef LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_
#define LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace lean::rpc {

// Of one message in either direction: the largest valid block, with 4095 votes, has 13.3 MB.
inline constexpr int kMaxMessageBytes = 16 << 20;

// Fields of one message, those of its sub-messages included; a list of packed numbers counts as many as it has bytes.
// The largest valid block has 57,350.
inline constexpr size_t kMaxMessageFields = 100'000;

// Deepest nesting of sub-messages; a block's votes lie 6 deep.
inline constexpr int kMaxMessageDepth = 16;

// Walks the wire form of a message of this type without building it. A sub-message of 2 bytes on the wire takes some 50
// bytes in memory and more, so that 16 MiB of empty ones would take hundreds of megabytes: those are refused here.
// MALFORMED_REQUEST: more fields or deeper than the limits, or not a message at all.
absl::Status CheckWireLimits(google::protobuf::io::ZeroCopyInputStream& bytes,
                             const google::protobuf::Descriptor& type);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_
