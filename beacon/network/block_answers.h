// Blocks in answer to a request: what is asked, what is given, and whether it is what was asked for.
#ifndef LEAN_BEACON_NETWORK_BLOCK_ANSWERS_H_
#define LEAN_BEACON_NETWORK_BLOCK_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip.h"
#include "beacon/services/block_source.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "lean/v1/peer.pb.h"

namespace lean::beacon {

// Of one answer's blocks, unless it is a single one.
inline constexpr size_t kAnswerBytes = size_t{4} << 20;

v1::BlocksRequest RequestByRoot(const std::vector<Root>& roots);
v1::BlocksRequest RequestByRange(uint64_t first_slot, uint64_t count);

// The answer to a peer's request, within its rates. Errors, as peer.proto has them: OVERLOADED, MALFORMED_REQUEST; the
// peer is reported for what no honest one asks.
absl::StatusOr<v1::BlocksResponse> AnswerRequest(const v1::BlocksRequest& request, GossipPeer& peer,
                                                 const BlockSource& source, const Clock& clock);

// The blocks of an answer to this request. InvalidArgument: more than was asked for or than an answer may hold, not
// blocks, not those that were asked for, or in a wrong order.
absl::StatusOr<std::vector<SignedBlockPtr>> CheckAnswer(const v1::BlocksRequest& request,
                                                        const v1::BlocksResponse& answer);

// What an answer of `peer` to what was asked at `asked`, or its not coming, is to whoever asked: the blocks, or an
// error of PeerBlocks::Done. The peer is reported for what no honest one answers.
absl::StatusOr<std::vector<SignedBlockPtr>> JudgeAnswer(const v1::BlocksRequest& request,
                                                        const absl::StatusOr<v1::BlocksResponse>& answer,
                                                        SteadyTime asked, GossipPeer& peer);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_BLOCK_ANSWERS_H_
