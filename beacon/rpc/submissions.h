// The answers of DutyService that submit (proto/lean/v1/validator.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_SUBMISSIONS_H_
#define LEAN_BEACON_RPC_SUBMISSIONS_H_

#include "beacon/services/chain_service.h"
#include "common/rpc/unary_call.h"
#include "lean/v1/validator.pb.h"

namespace lean::beacon {

// Thread-safe. Each call converts on the caller's thread and replies, from there or from a thread of the service, once
// the chain has accepted, queued or refused the item. Replies refer to nothing of this object.
class Submissions {
 public:
  // `service` outlives the submissions.
  explicit Submissions(ChainService& service) : service_(service) {}

  void SubmitBlock(const v1::SubmitBlockRequest& request, rpc::Reply<v1::SubmitBlockResponse> reply) const;
  void SubmitVote(const v1::SubmitVoteRequest& request, rpc::Reply<v1::SubmitVoteResponse> reply) const;
  void SubmitVotes(const v1::SubmitVotesRequest& request, rpc::Reply<v1::SubmitVotesResponse> reply) const;

 private:
  ChainService& service_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SUBMISSIONS_H_
