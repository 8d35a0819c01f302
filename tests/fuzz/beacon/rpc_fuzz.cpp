// Calls of clients, from good ones to arbitrary bytes, to the handlers of both services: each is answered, an error has
// a reason, what the beacon builds it accepts, and a beacon that was called still does its duties.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "lean/v1/beacon.pb.h"
#include "lean/v1/validator.pb.h"
#include "tests/fuzz/beacon/fuzzed_beacon.h"
#include "tests/fuzz/fuzzing.h"
#include "tests/simulation/world/beacon_calls.h"

namespace lean::fuzz {
namespace {

class Run {
 public:
  explicit Run(ByteSpan bytes) : input_(bytes) {}

  void Go() {
    for (int step = 0; step < kMostSteps && !input_.empty(); ++step) Step();
    v1::BuildVoteRequest request;
    SetNetwork(request);
    request.set_slot(beacon_.slot());
    v1::BuildVoteResponse response;
    Require(calls_->Call("BuildVote", request, response).ok());
  }

 private:
  static constexpr int kMostSteps = 48;

  // Names our network, where a request does.
  void SetNetwork(google::protobuf::Message& request) {
    const auto* const field = request.GetDescriptor()->FindFieldByName("genesis_block_root");
    if (field == nullptr) return;
    request.GetReflection()->SetString(&request, field, rpc::BytesToProto(beacon_.served().genesis.block_root));
  }

  template <typename Request, typename Response>
  void Call(const char* method, const Request& request) {
    Response response;
    const absl::Status status = calls_->Call(method, request, response);
    Require(status.ok() || !rpc::ReasonOf(status).empty());
    Require(status.code() != absl::StatusCode::kInternal && status.code() != absl::StatusCode::kUnknown);
  }

  // With the bytes of a request, as a server reads them.
  template <typename Request, typename Response>
  void CallBytes(const char* method, absl::string_view bytes) {
    google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    Request request;
    const bool in_limits = rpc::CheckWireLimits(stream, *Request::descriptor()).ok();
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    Require(in_limits);
    if (!input_.Chance(8)) SetNetwork(request);
    Call<Request, Response>(method, request);
  }

  void CallAny(size_t method, absl::string_view bytes) {
    switch (method) {
      case 0:
        return CallBytes<v1::GetDutiesRequest, v1::GetDutiesResponse>("GetDuties", bytes);
      case 1:
        return CallBytes<v1::BuildBlockRequest, v1::BuildBlockResponse>("BuildBlock", bytes);
      case 2:
        return CallBytes<v1::BuildVoteRequest, v1::BuildVoteResponse>("BuildVote", bytes);
      case 3:
        return CallBytes<v1::SubmitBlockRequest, v1::SubmitBlockResponse>("SubmitBlock", bytes);
      case 4:
        return CallBytes<v1::SubmitVotesRequest, v1::SubmitVotesResponse>("SubmitVotes", bytes);
      case 5:
        return CallBytes<v1::GetLivenessRequest, v1::GetLivenessResponse>("GetLiveness", bytes);
      case 6:
        return CallBytes<v1::GetHeadRequest, v1::GetHeadResponse>("GetHead", bytes);
      case 7:
        return CallBytes<v1::GetChainStatusRequest, v1::GetChainStatusResponse>("GetChainStatus", bytes);
      case 8:
        return CallBytes<v1::GetBlockRequest, v1::GetBlockResponse>("GetBlock", bytes);
      case 9:
        return CallBytes<v1::GetStateRequest, v1::GetStateResponse>("GetState", bytes);
      case 10:
        return CallBytes<v1::GetValidatorsRequest, v1::GetValidatorsResponse>("GetValidators", bytes);
      case 11:
        return CallBytes<v1::GetForkChoiceRequest, v1::GetForkChoiceResponse>("GetForkChoice", bytes);
      case 12:
        return CallBytes<v1::GetLatestVotesRequest, v1::GetLatestVotesResponse>("GetLatestVotes", bytes);
      case 13:
        return CallBytes<v1::GetParticipationRequest, v1::GetParticipationResponse>("GetParticipation", bytes);
      default:
        return CallBytes<v1::GetCheckpointRequest, v1::GetCheckpointResponse>("GetCheckpoint", bytes);
    }
  }

  void Step() {
    switch (input_.Below(6)) {
      case 0:
      case 1:
        return CallAny(input_.Below(15), input_.Text());
      case 2:
        return SubmitBlock();
      case 3:
        return SubmitVotes();
      case 4: {  // the message of a duty, changed
        const beacon::SignedBlockPtr block = beacon_.Build(beacon_.slot());
        if (block == nullptr) return;
        v1::SubmitBlockRequest request;
        *request.mutable_block() = rpc::ToProto(*block);
        std::string bytes = request.SerializeAsString();
        const absl::string_view over = input_.Text();
        const size_t begin = (input_.Byte() | size_t{input_.Byte()} << 8) % bytes.size();
        const size_t count = std::min(over.size(), bytes.size() - begin);
        bytes.replace(begin, count, over.data(), count);
        return CallAny(3, bytes);
      }
      default:
        beacon_.Advance(std::chrono::milliseconds(4 * input_.Byte()));
    }
  }

  // What the beacon builds it accepts, once.
  void SubmitBlock() {
    const beacon::SignedBlockPtr block = beacon_.Build(beacon_.slot());
    if (block == nullptr) return;
    v1::SubmitBlockRequest request;
    SetNetwork(request);
    *request.mutable_block() = rpc::ToProto(*block);
    v1::SubmitBlockResponse response;
    const absl::Status status = calls_->Call("SubmitBlock", request, response);
    Require(!absl::IsInvalidArgument(status));
  }
  void SubmitVotes() {
    v1::SubmitVotesRequest request;
    SetNetwork(request);
    const size_t count = 1 + input_.Below(5);
    for (size_t i = 0; i < count; ++i) {
      const beacon::SignedVotePtr vote = beacon_.Vote(input_.Below(FuzzedBeacon::kValidators + 1), beacon_.slot());
      if (vote == nullptr) return;
      *request.add_votes() = rpc::ToProto(*vote);
      if (input_.Chance(8)) request.mutable_votes(static_cast<int>(i))->mutable_signature()->resize(input_.Byte());
    }
    v1::SubmitVotesResponse response;
    if (calls_->Call("SubmitVotes", request, response).ok()) Require(response.results_size() == request.votes_size());
  }

  Input input_;
  FuzzedBeacon beacon_;
  const std::unique_ptr<simulation::BeaconCalls> calls_ = simulation::MakeBeaconCalls(beacon_.served());
};

}  // namespace
}  // namespace lean::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lean::fuzz::Run(lean::ByteSpan(data, size)).Go();
  return 0;
}
