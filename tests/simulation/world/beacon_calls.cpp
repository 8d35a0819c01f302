#include "tests/simulation/world/beacon_calls.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "beacon/rpc/beacon_queries.h"
#include "beacon/rpc/callers/caller_book.h"
#include "beacon/rpc/callers/kept_blocks.h"
#include "beacon/rpc/callers/vote_screening.h"
#include "beacon/rpc/duties.h"
#include "beacon/rpc/submissions.h"
#include "common/status/status_macros.h"

namespace lean::simulation {
namespace {

class Handlers final : public BeaconCalls {
 public:
  explicit Handlers(const beacon::ServedChain& chain)
      : service_(chain.service),
        queries_(chain),
        callers_(std::make_shared<beacon::CallerBook>(chain.clock, SlotOf(chain), chain.validator_count())),
        kept_blocks_(std::make_shared<beacon::KeptBlocks>(callers_)),
        duties_(chain, *kept_blocks_),
        screening_(std::make_shared<beacon::VoteScreening>(
            [&service = chain.service](std::vector<beacon::SignedVotePtr> votes, beacon::VoteScreening::Done done) {
              service.SubmitVotes(std::move(votes), beacon::Origin::Local(), std::move(done));
            },
            callers_, chain.clock, SlotOf(chain), chain.validator_count())),
        submissions_(service_, callers_, screening_, kept_blocks_) {
    Add<v1::GetDutiesRequest, v1::GetDutiesResponse>("GetDuties",
                                                     [this](const auto& r) { return duties_.GetDuties(r); });
    Add<v1::BuildBlockRequest, v1::BuildBlockResponse>(
        "BuildBlock", [this](const auto& r) { return duties_.BuildBlock(kCaller, r); });
    Add<v1::BuildVoteRequest, v1::BuildVoteResponse>("BuildVote",
                                                     [this](const auto& r) { return duties_.BuildVote(r); });
    Add<v1::GetLivenessRequest, v1::GetLivenessResponse>("GetLiveness",
                                                         [this](const auto& r) { return duties_.GetLiveness(r); });
    Add<v1::GetHeadRequest, v1::GetHeadResponse>("GetHead", [this](const auto& r) { return queries_.GetHead(r); });
    Add<v1::GetChainStatusRequest, v1::GetChainStatusResponse>(
        "GetChainStatus", [this](const auto& r) { return queries_.GetChainStatus(r); });
    Add<v1::GetBlockRequest, v1::GetBlockResponse>("GetBlock", [this](const auto& r) { return queries_.GetBlock(r); });
    Add<v1::GetStateRequest, v1::GetStateResponse>("GetState", [this](const auto& r) { return queries_.GetState(r); });
    Add<v1::GetValidatorsRequest, v1::GetValidatorsResponse>(
        "GetValidators", [this](const auto& r) { return queries_.GetValidators(r); });
    Add<v1::GetForkChoiceRequest, v1::GetForkChoiceResponse>(
        "GetForkChoice", [this](const auto& r) { return queries_.GetForkChoice(r); });
    Add<v1::GetLatestVotesRequest, v1::GetLatestVotesResponse>(
        "GetLatestVotes", [this](const auto& r) { return queries_.GetLatestVotes(r); });
    Add<v1::GetParticipationRequest, v1::GetParticipationResponse>(
        "GetParticipation", [this](const auto& r) { return queries_.GetParticipation(r); });
    Add<v1::GetCheckpointRequest, v1::GetCheckpointResponse>(
        "GetCheckpoint", [this](const auto& r) { return queries_.GetCheckpoint(r); });
    Add<v1::SubmitBlockRequest, v1::SubmitBlockResponse>("SubmitBlock", [this](const auto& r) {
      return Await<v1::SubmitBlockResponse>([&](auto reply) { submissions_.SubmitBlock(kCaller, r, reply); });
    });
    Add<v1::SubmitVotesRequest, v1::SubmitVotesResponse>(
        "SubmitVotes", [this](const auto& r) -> absl::StatusOr<v1::SubmitVotesResponse> {
          ASSIGN_OR_RETURN(beacon::SubmittedVotes votes, beacon::Convert(r));
          return Await<v1::SubmitVotesResponse>(
              [&](auto reply) { submissions_.SubmitVotes(kCaller, std::move(votes), reply); });
        });
  }
  ~Handlers() override { screening_->Stop(); }

  absl::Status Call(const char* method, const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    const auto found = methods_.find(method);
    if (found == methods_.end()) return absl::UnimplementedError(absl::StrCat(method, " is not simulated"));
    return found->second(request, response);
  }

 private:
  using Method = std::function<absl::Status(const google::protobuf::Message&, google::protobuf::Message&)>;
  inline static const rpc::Caller kCaller{.host = "client", .connection = "client"};

  static std::chrono::milliseconds SlotOf(const beacon::ServedChain& chain) {
    return std::chrono::milliseconds(chain.spec.slot_duration_ms);
  }

  template <typename Request, typename Response, typename Handle>
  void Add(const char* name, Handle handle) {
    methods_[name] = [handle](const google::protobuf::Message& request,
                              google::protobuf::Message& response) -> absl::Status {
      ASSIGN_OR_RETURN(static_cast<Response&>(response), handle(static_cast<const Request&>(request)));
      return absl::OkStatus();
    };
  }

  // Works for the chain until the reply is there.
  template <typename Response, typename Submit>
  absl::StatusOr<Response> Await(Submit submit) {
    const auto answer = std::make_shared<std::optional<absl::StatusOr<Response>>>();
    submit([answer](absl::StatusOr<Response> result) { *answer = std::move(result); });
    while (!answer->has_value() && service_.Step()) {
    }
    if (!answer->has_value()) return absl::DeadlineExceededError("no answer");
    return *std::move(*answer);
  }

  beacon::ChainService& service_;
  const beacon::BeaconQueries queries_;
  const std::shared_ptr<beacon::CallerBook> callers_;
  const std::shared_ptr<beacon::KeptBlocks> kept_blocks_;
  const beacon::Duties duties_;
  const std::shared_ptr<beacon::VoteScreening> screening_;
  const beacon::Submissions submissions_;
  std::map<std::string, Method> methods_;
};

}  // namespace

std::unique_ptr<BeaconCalls> MakeBeaconCalls(const beacon::ServedChain& chain) {
  return std::make_unique<Handlers>(chain);
}

}  // namespace lean::simulation
