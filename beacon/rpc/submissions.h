// The handlers of DutyService that submit blocks and votes (proto/lean/v1/validator.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_SUBMISSIONS_H_
#define LEAN_BEACON_RPC_SUBMISSIONS_H_

#include <memory>
#include <utility>

#include "beacon/rpc/caller_book.h"
#include "beacon/rpc/vote_screening.h"
#include "beacon/services/chain_service.h"
#include "common/rpc/server/unary_call.h"
#include "lean/v1/validator.pb.h"

namespace lean::beacon {

// Thread-safe. Each call converts the request on the caller's thread and replies, on that thread or on one of the
// service's, once the chain has accepted, queued or refused the item. Replies do not refer to this object.
class Submissions {
 public:
  // `service` outlives the submissions.
  Submissions(ChainService& service, std::shared_ptr<CallerBook> callers, std::shared_ptr<VoteScreening> votes)
      : service_(service), callers_(std::move(callers)), votes_(std::move(votes)) {}

  void SubmitBlock(const rpc::Caller& caller, const v1::SubmitBlockRequest& request,
                   rpc::Reply<v1::SubmitBlockResponse> reply) const;
  void SubmitVote(const rpc::Caller& caller, const v1::SubmitVoteRequest& request,
                  rpc::Reply<v1::SubmitVoteResponse> reply) const;
  void SubmitVotes(const rpc::Caller& caller, const v1::SubmitVotesRequest& request,
                   rpc::Reply<v1::SubmitVotesResponse> reply) const;

 private:
  ChainService& service_;
  const std::shared_ptr<CallerBook> callers_;
  const std::shared_ptr<VoteScreening> votes_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SUBMISSIONS_H_
