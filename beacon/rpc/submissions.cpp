#include "beacon/rpc/submissions.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr int kMaxVotes = 4096;

// The error of the call when the chain has not checked the item; OK otherwise.
absl::Status NotTaken(const SubmitOutcome& outcome) {
  switch (outcome.status) {
    case SubmitOutcome::kOverloaded:
      return rpc::MakeError(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                            outcome.message.empty() ? "too much is in flight; try again" : outcome.message);
    case SubmitOutcome::kStorageFailed:
      return rpc::MakeError(absl::StatusCode::kUnavailable, reason::kStorageFailed, outcome.message);
    case SubmitOutcome::kShuttingDown:
      return rpc::MakeError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the beacon is stopping");
    default:
      return absl::OkStatus();
  }
}

v1::SubmitStatus StatusOf(const SubmitOutcome& outcome) {
  switch (outcome.status) {
    case SubmitOutcome::kAccepted:
      return v1::ACCEPTED;
    case SubmitOutcome::kAlreadyKnown:
      return v1::ALREADY_KNOWN;
    case SubmitOutcome::kQueued:
      return v1::QUEUED;
    default:
      return v1::REFUSED;
  }
}

void Fill(const SubmitOutcome& outcome, v1::SubmitResult& result) {
  result.set_status(StatusOf(outcome));
  result.set_reason(outcome.reason);
  result.set_message(outcome.message);
}

// The votes of a batch that can be submitted, and the results of the others, by position in the request.
struct Batch {
  std::vector<SignedVotePtr> votes;
  std::vector<int> places;  // of votes
  v1::SubmitVotesResponse response;
};

Batch Convert(const v1::SubmitVotesRequest& request) {
  Batch batch;
  batch.votes.reserve(static_cast<size_t>(request.votes_size()));
  batch.places.reserve(static_cast<size_t>(request.votes_size()));
  for (int i = 0; i < request.votes_size(); ++i) {
    v1::SubmitResult& result = *batch.response.add_results();
    absl::StatusOr<SignedAttestation> vote = rpc::FromProto(request.votes(i));
    if (!vote.ok()) {
      result.set_status(v1::REFUSED);
      result.set_reason(std::string(reason::kMalformed));
      result.set_message(std::string(vote.status().message()));
      continue;
    }
    batch.votes.push_back(std::make_shared<const SignedAttestation>(*std::move(vote)));
    batch.places.push_back(i);
  }
  return batch;
}

absl::StatusOr<v1::SubmitVotesResponse> Answer(Batch batch, const std::vector<SubmitOutcome>& outcomes) {
  if (outcomes.size() != batch.places.size()) return absl::InternalError("the chain did not answer for every vote");
  absl::Status last;
  size_t not_taken = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    Fill(outcomes[i], *batch.response.mutable_results(batch.places[i]));
    if (absl::Status status = NotTaken(outcomes[i]); !status.ok()) {
      last = std::move(status);
      ++not_taken;
    }
  }
  // When no vote of the batch was checked, the call fails, so that the caller repeats it.
  if (not_taken > 0 && not_taken == static_cast<size_t>(batch.response.results_size())) return last;
  return std::move(batch.response);
}

}  // namespace

void Submissions::SubmitBlock(const rpc::Caller& caller, const v1::SubmitBlockRequest& request,
                              rpc::Reply<v1::SubmitBlockResponse> reply) const {
  if (!request.has_block()) return reply(rpc::MalformedRequest("block: missing"));
  ASSIGN_OR_RETURN(SignedBlockWithAttestation block, rpc::FromProto(request.block()),
                   reply(rpc::MalformedRequest(absl::StrCat("block.", _.message()))));
  service_.SubmitBlock(std::make_shared<const SignedBlockWithAttestation>(std::move(block)), Origin::Local(),
                       [reply = std::move(reply), caller, callers = callers_](const SubmitOutcome& outcome) {
                         callers->Count(caller, outcome.status == SubmitOutcome::kAccepted ? 1 : 0,
                                        outcome.reason == reason::kBadSignature ? 1 : 0);
                         RETURN_IF_ERROR(NotTaken(outcome), reply(_));
                         v1::SubmitBlockResponse response;
                         Fill(outcome, *response.mutable_result());
                         response.set_root(rpc::BytesToProto(outcome.root));
                         reply(std::move(response));
                       });
}

void Submissions::SubmitVote(const rpc::Caller& caller, const v1::SubmitVoteRequest& request,
                             rpc::Reply<v1::SubmitVoteResponse> reply) const {
  if (!request.has_vote()) return reply(rpc::MalformedRequest("vote: missing"));
  ASSIGN_OR_RETURN(SignedAttestation vote, rpc::FromProto(request.vote()),
                   reply(rpc::MalformedRequest(absl::StrCat("vote.", _.message()))));
  votes_->SubmitVotes(caller, {std::make_shared<const SignedAttestation>(std::move(vote))},
                      [reply = std::move(reply)](const std::vector<SubmitOutcome>& outcomes) {
                        if (outcomes.size() != 1) return reply(absl::InternalError("the chain gave no answer"));
                        RETURN_IF_ERROR(NotTaken(outcomes[0]), reply(_));
                        v1::SubmitVoteResponse response;
                        Fill(outcomes[0], *response.mutable_result());
                        reply(std::move(response));
                      });
}

void Submissions::SubmitVotes(const rpc::Caller& caller, const v1::SubmitVotesRequest& request,
                              rpc::Reply<v1::SubmitVotesResponse> reply) const {
  if (request.votes_size() == 0) return reply(rpc::MalformedRequest("votes: none"));
  if (request.votes_size() > kMaxVotes) {
    return reply(rpc::MalformedRequest(absl::StrCat("votes: ", request.votes_size(), ", at most ", kMaxVotes)));
  }
  Batch batch = Convert(request);
  if (batch.votes.empty()) return reply(std::move(batch.response));
  std::vector<SignedVotePtr> votes = std::move(batch.votes);
  votes_->SubmitVotes(
      caller, std::move(votes),
      [reply = std::move(reply), batch = std::move(batch)](const std::vector<SubmitOutcome>& outcomes) mutable {
        reply(Answer(std::move(batch), outcomes));
      });
}

}  // namespace lean::beacon
