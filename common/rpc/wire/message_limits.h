// Limits of one message: its bytes, and its memory before it is parsed. The check of memory is written here because
// Protocol Buffers limits only the bytes of a message, and some messages decode to 25 times their size.
#ifndef LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_
#define LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace lean::rpc {

// In either direction. The largest valid block, with 4095 votes, has 13.3 MB.
inline constexpr int kMaxMessageBytes = 16 << 20;

// The most fields of one message, including its sub-messages. A list of packed numbers counts as one field per byte.
// The largest valid block has 57,350.
inline constexpr size_t kMaxMessageFields = 100'000;

// The deepest nesting of sub-messages. The votes of a block have depth 6.
inline constexpr int kMaxMessageDepth = 16;

// Reads the wire form of a message of this type without building it. A sub-message of 2 bytes on the wire takes 50
// bytes or more in memory, so 16 MiB of empty ones would take hundreds of megabytes. MALFORMED_REQUEST: more fields or
// deeper nesting than the limits, or not a message.
absl::Status CheckWireLimits(google::protobuf::io::ZeroCopyInputStream& bytes,
                             const google::protobuf::Descriptor& type);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_MESSAGE_LIMITS_H_
