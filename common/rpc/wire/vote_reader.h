// Reads votes from the wire form of lean.v1 into containers, without building messages: a message of a vote consists of
// six messages and four strings.
#ifndef LEAN_COMMON_RPC_WIRE_VOTE_READER_H_
#define LEAN_COMMON_RPC_WIRE_VOTE_READER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "common/containers/attestation.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace lean::rpc {

using VoteList = std::vector<std::shared_ptr<const SignedAttestation>>;

// The votes of a message whose field 1 is `repeated SignedAttestation`, as SubmitVotesRequest is: 1 to `most`. Each is
// the result of FromProto. nullopt: the message is not of the plain form that encoders write, in which every field of a
// vote appears once with its right size, or not at all if it is the number 0, and there are no other fields. It may be
// valid nevertheless: parse it as a message.
std::optional<VoteList> ReadPlainVotes(google::protobuf::io::ZeroCopyInputStream& bytes, size_t most);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_WIRE_VOTE_READER_H_
