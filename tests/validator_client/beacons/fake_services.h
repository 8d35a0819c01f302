// The services of a beacon, which answer what a test says.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_BEACONS_FAKE_SERVICES_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_BEACONS_FAKE_SERVICES_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "grpcpp/server_context.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "lean/v1/validator.grpc.pb.h"

namespace lean::validator {

// Answers what the test says, or never. Thread-safe once the answers are set.
class FakeDutyService : public v1::DutyService::Service {
 public:
  std::function<grpc::Status(const v1::GetDutiesRequest&, v1::GetDutiesResponse&)> get_duties;
  std::function<grpc::Status(const v1::BuildBlockRequest&, v1::BuildBlockResponse&)> build_block;
  std::function<grpc::Status(const v1::BuildVoteRequest&, v1::BuildVoteResponse&)> build_vote;
  std::function<grpc::Status(const v1::SubmitBlockRequest&, v1::SubmitBlockResponse&)> submit_block;
  std::function<grpc::Status(const v1::SubmitVotesRequest&, v1::SubmitVotesResponse&)> submit_votes;
  std::function<grpc::Status(const v1::GetLivenessRequest&, v1::GetLivenessResponse&)> get_liveness;
  std::atomic<bool> hang{false};
  absl::Notification hanging;  // the first call hangs

  grpc::Status GetDuties(grpc::ServerContext* context, const v1::GetDutiesRequest* request,
                         v1::GetDutiesResponse* response) override {
    return Answer(*context, get_duties, *request, *response);
  }
  grpc::Status GetLiveness(grpc::ServerContext* context, const v1::GetLivenessRequest* request,
                           v1::GetLivenessResponse* response) override {
    return Answer(*context, get_liveness, *request, *response);
  }
  grpc::Status BuildBlock(grpc::ServerContext* context, const v1::BuildBlockRequest* request,
                          v1::BuildBlockResponse* response) override {
    return Answer(*context, build_block, *request, *response);
  }
  grpc::Status BuildVote(grpc::ServerContext* context, const v1::BuildVoteRequest* request,
                         v1::BuildVoteResponse* response) override {
    return Answer(*context, build_vote, *request, *response);
  }
  grpc::Status SubmitBlock(grpc::ServerContext* context, const v1::SubmitBlockRequest* request,
                           v1::SubmitBlockResponse* response) override {
    return Answer(*context, submit_block, *request, *response);
  }
  grpc::Status SubmitVotes(grpc::ServerContext* context, const v1::SubmitVotesRequest* request,
                           v1::SubmitVotesResponse* response) override {
    return Answer(*context, submit_votes, *request, *response);
  }

 private:
  template <typename Handler, typename Request, typename Response>
  grpc::Status Answer(grpc::ServerContext& context, const Handler& handler, const Request& request,
                      Response& response) {
    if (hang) {
      if (!hanging.HasBeenNotified()) hanging.Notify();
      while (!context.IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return grpc::Status::CANCELLED;
    }
    return handler ? handler(request, response) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "not scripted");
  }
};

class FakeRegistryService : public v1::BeaconService::Service {
 public:
  std::function<void(const v1::GetValidatorsRequest&, v1::GetValidatorsResponse&)> get_validators;

  grpc::Status GetValidators(grpc::ServerContext*, const v1::GetValidatorsRequest* request,
                             v1::GetValidatorsResponse* response) override {
    get_validators(*request, *response);
    return grpc::Status::OK;
  }
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_BEACONS_FAKE_SERVICES_H_
