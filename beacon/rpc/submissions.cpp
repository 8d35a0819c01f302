#include "beacon/rpc/submissions.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "grpcpp/support/proto_buffer_reader.h"

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

absl::StatusOr<v1::SubmitVotesResponse> Answer(const std::vector<SubmittedVotes::Malformed>& malformed,
                                               const std::vector<SubmitOutcome>& outcomes) {
  v1::SubmitVotesResponse response;
  response.mutable_results()->Reserve(static_cast<int>(malformed.size() + outcomes.size()));
  absl::Status last;
  size_t not_taken = 0;
  auto wrong = malformed.begin();
  const auto put_malformed = [&] {
    while (wrong != malformed.end() && wrong->place == static_cast<size_t>(response.results_size())) {
      v1::SubmitResult& result = *response.add_results();
      result.set_status(v1::REFUSED);
      result.set_reason(std::string(reason::kMalformed));
      result.set_message(wrong++->message);
    }
  };
  for (const SubmitOutcome& outcome : outcomes) {
    put_malformed();
    Fill(outcome, *response.add_results());
    if (absl::Status status = NotTaken(outcome); !status.ok()) {
      last = std::move(status);
      ++not_taken;
    }
  }
  put_malformed();
  // When no vote of the batch was checked, the call fails, so that the caller repeats it.
  if (not_taken > 0 && not_taken == static_cast<size_t>(response.results_size())) return last;
  return response;
}

// Answers the call with the outcome of its block, and counts it for the caller.
auto BlockAnswer(std::shared_ptr<CallerBook> callers, const rpc::Caller& caller,
                 rpc::Reply<v1::SubmitBlockResponse> reply) {
  return [callers = std::move(callers), caller, reply = std::move(reply)](const SubmitOutcome& outcome) {
    callers->Count(caller, outcome.status == SubmitOutcome::kAccepted ? 1 : 0,
                   outcome.reason == reason::kBadSignature ? 1 : 0);
    RETURN_IF_ERROR(NotTaken(outcome), reply(_));
    v1::SubmitBlockResponse response;
    Fill(outcome, *response.mutable_result());
    response.set_root(rpc::BytesToProto(outcome.root));
    reply(std::move(response));
  };
}

}  // namespace

absl::Status DecodeRequest(const grpc::ByteBuffer& bytes, SubmittedVotes& votes) {
  grpc::ByteBuffer to_read = bytes;
  grpc::ProtoBufferReader reader(&to_read);
  if (!reader.status().ok()) return rpc::MalformedRequest("the bytes cannot be read");
  if (std::optional<rpc::VoteList> plain = rpc::ReadPlainVotes(reader, kMaxVotes)) {
    votes.votes = *std::move(plain);
    return absl::OkStatus();
  }
  v1::SubmitVotesRequest request;
  RETURN_IF_ERROR(rpc::DecodeRequest(bytes, request));
  ASSIGN_OR_RETURN(votes, Convert(request));
  return absl::OkStatus();
}

absl::StatusOr<SubmittedVotes> Convert(const v1::SubmitVotesRequest& request) {
  if (request.votes_size() == 0) return rpc::MalformedRequest("votes: none");
  if (request.votes_size() > kMaxVotes) {
    return rpc::MalformedRequest(absl::StrCat("votes: ", request.votes_size(), ", at most ", kMaxVotes));
  }
  SubmittedVotes votes;
  for (int i = 0; i < request.votes_size(); ++i) {
    absl::StatusOr<SignedAttestation> vote = rpc::FromProto(request.votes(i));
    if (vote.ok()) {
      votes.votes.push_back(std::make_shared<const SignedAttestation>(*std::move(vote)));
    } else {
      votes.malformed.push_back({.place = static_cast<size_t>(i), .message = std::string(vote.status().message())});
    }
  }
  return votes;
}

void Submissions::SubmitBlock(const rpc::Caller& caller, const v1::SubmitBlockRequest& request,
                              rpc::Reply<v1::SubmitBlockResponse> reply) const {
  if (request.has_block() && request.has_kept()) return reply(rpc::MalformedRequest("block, kept: only one of them"));
  if (request.has_kept()) return SubmitKept(caller, request.kept(), std::move(reply));
  if (!request.has_block()) return reply(rpc::MalformedRequest("block: missing"));
  ASSIGN_OR_RETURN(SignedBlockWithAttestation block, rpc::FromProto(request.block()),
                   reply(rpc::MalformedRequest(absl::StrCat("block.", _.message()))));
  service_.SubmitBlock(std::make_shared<const SignedBlockWithAttestation>(std::move(block)), Origin::Local(),
                       BlockAnswer(callers_, caller, std::move(reply)));
}

void Submissions::SubmitKept(const rpc::Caller& caller, const v1::KeptBlock& request,
                             rpc::Reply<v1::SubmitBlockResponse> reply) const {
  Root root;
  SignatureBytes signature;
  RETURN_IF_ERROR(rpc::TakeBytes(request.block_root(), "kept.block_root", root), reply(_));
  RETURN_IF_ERROR(rpc::TakeBytes(request.signature(), "kept.signature", signature), reply(_));
  const auto answer = BlockAnswer(callers_, caller, reply);
  const std::optional<Attestation> vote = kept_->ProposersVote(root);
  if (vote.has_value()) {
    // Checked first, because a block can be signed once only.
    if (const std::optional<Refusal> refusal = service_.CheckSignature(*vote, signature)) {
      return answer({.status = SubmitOutcome::kRefused,
                     .reason = std::string(refusal->reason),
                     .message = refusal->message,
                     .root = root});
    }
    if (SignedBlockPtr block = kept_->Sign(root, signature)) {
      return service_.SubmitBuiltBlock(std::move(block), [answer, kept = kept_, root](const SubmitOutcome& outcome) {
        // If the chain has no room for it now, the client submits it again.
        if (NotTaken(outcome).ok()) kept->Forget(root);
        answer(outcome);
      });
    }
  }
  if (service_.HasBlock(root)) {
    return answer({.status = SubmitOutcome::kAlreadyKnown, .reason = "", .message = "", .root = root});
  }
  reply(rpc::MakeError(absl::StatusCode::kNotFound, "BLOCK_NOT_KEPT",
                       absl::StrCat("the beacon does not keep the block ", ShortHex(root.span()))));
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

void Submissions::SubmitVotes(const rpc::Caller& caller, SubmittedVotes votes,
                              rpc::Reply<v1::SubmitVotesResponse> reply) const {
  const size_t count = votes.votes.size();
  if (count == 0) return reply(Answer(votes.malformed, {}));
  votes_->SubmitVotes(caller, std::move(votes.votes),
                      [reply = std::move(reply), malformed = std::move(votes.malformed),
                       count](const std::vector<SubmitOutcome>& outcomes) {
                        if (outcomes.size() != count) {
                          return reply(absl::InternalError("the chain did not answer for every vote"));
                        }
                        reply(Answer(malformed, outcomes));
                      });
}

}  // namespace lean::beacon
