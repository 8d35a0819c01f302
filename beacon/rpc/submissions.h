// The handlers of DutyService that submit blocks and votes (proto/lean/v1/validator.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_SUBMISSIONS_H_
#define LEAN_BEACON_RPC_SUBMISSIONS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/rpc/callers/caller_book.h"
#include "beacon/rpc/callers/kept_blocks.h"
#include "beacon/rpc/callers/vote_screening.h"
#include "beacon/services/chain_service.h"
#include "common/rpc/server/unary_call.h"
#include "common/rpc/wire/vote_reader.h"
#include "grpcpp/support/byte_buffer.h"
#include "lean/v1/validator.pb.h"

namespace lean::beacon {

// The votes of a SubmitVotesRequest.
struct SubmittedVotes {
  struct Malformed {
    size_t place = 0;  // in the request
    std::string message;
  };

  rpc::VoteList votes;               // those that are well-formed, in order
  std::vector<Malformed> malformed;  // the others, in order
};

// Decodes a request: without messages if it is as encoders write it, otherwise like any other. MALFORMED_REQUEST: no
// such message, no votes or too many.
absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, SubmittedVotes& votes);
absl::StatusOr<SubmittedVotes> Convert(const v1::SubmitVotesRequest& request);

// Thread-safe. Each call converts the request on the caller's thread and replies, on that thread or on one of the
// service's, once the chain has accepted, queued or refused the item. Replies do not refer to this object.
class Submissions {
 public:
  // `service` outlives the submissions.
  Submissions(ChainService& service, std::shared_ptr<CallerBook> callers, std::shared_ptr<VoteScreening> votes,
              std::shared_ptr<KeptBlocks> kept)
      : service_(service), callers_(std::move(callers)), votes_(std::move(votes)), kept_(std::move(kept)) {}

  void SubmitBlock(const rpc::Caller& caller, const v1::SubmitBlockRequest& request,
                   rpc::Reply<v1::SubmitBlockResponse> reply) const;
  void SubmitVote(const rpc::Caller& caller, const v1::SubmitVoteRequest& request,
                  rpc::Reply<v1::SubmitVoteResponse> reply) const;
  void SubmitVotes(const rpc::Caller& caller, SubmittedVotes votes, rpc::Reply<v1::SubmitVotesResponse> reply) const;

 private:
  void SubmitKept(const rpc::Caller& caller, const v1::KeptBlock& request,
                  rpc::Reply<v1::SubmitBlockResponse> reply) const;

  ChainService& service_;
  const std::shared_ptr<CallerBook> callers_;
  const std::shared_ptr<VoteScreening> votes_;
  const std::shared_ptr<KeptBlocks> kept_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SUBMISSIONS_H_
