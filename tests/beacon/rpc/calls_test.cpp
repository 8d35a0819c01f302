// Deadlines, callers that leave, messages of the largest size, and how the service ends.
#include <future>
#include <optional>
#include <shared_mutex>

#include "common/containers/attestation.h"
#include "common/containers/limits.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::HasSubstr;

// Holds the chain's read lock, so that its writer cannot go on, until it is let go of.
class HeldChain {
 public:
  explicit HeldChain(ChainService& service) {
    reader_ = std::async(std::launch::async, [this, &service] {
      service.Read([this](const LeanChain&) {
        held_.set_value();
        release_.get_future().wait();
      });
    });
    held_.get_future().wait();
  }
  ~HeldChain() { Release(); }

  void Release() {
    if (released_) return;
    released_ = true;
    release_.set_value();
    reader_.wait();
  }

 private:
  std::promise<void> held_;
  std::promise<void> release_;
  std::future<void> reader_;
  bool released_ = false;
};

std::future<absl::Status> SubmitAsync(TestBeacon& beacon, grpc::ClientContext& context,
                                      const v1::SubmitVotesRequest& request) {
  return std::async(std::launch::async, [&] {
    v1::SubmitVotesResponse response;
    return rpc::FromGrpcStatus(beacon.duties().SubmitVotes(&context, request, &response));
  });
}

v1::SubmitVotesRequest OneVote(TestBeacon& beacon) {
  beacon.GoTo(1);
  beacon.Propose(1);
  beacon.GoTo(1, 1);
  v1::SubmitVotesRequest request;
  *request.add_votes() = beacon.Vote(1, 0);
  return request;
}

TEST(CallsTest, ADeadlineIsObeyedWhileTheChainIsBusy) {
  TestBeacon beacon;
  const v1::SubmitVotesRequest request = OneVote(beacon);
  HeldChain held(beacon.service());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  EXPECT_EQ(SubmitAsync(beacon, context, request).get().code(), absl::StatusCode::kDeadlineExceeded);
  held.Release();
  // The chain goes on, and nothing is left of the call.
  beacon.AwaitNoCalls();
  EXPECT_TRUE(Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest()).status.ok());
}

TEST(CallsTest, ACallerThatLeavesLeavesNothingBehind) {
  TestBeacon beacon;
  const v1::SubmitVotesRequest request = OneVote(beacon);
  HeldChain held(beacon.service());
  grpc::ClientContext context;
  auto status = SubmitAsync(beacon, context, request);
  while (beacon.rpc().active_calls() == 0) std::this_thread::yield();
  context.TryCancel();
  EXPECT_EQ(status.get().code(), absl::StatusCode::kCancelled);
  held.Release();
  beacon.AwaitNoCalls();
  EXPECT_TRUE(Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest()).status.ok());
}

TEST(CallsTest, TheServiceStopsWhileASubmissionWaits) {
  TestBeacon beacon;
  const v1::SubmitVotesRequest request = OneVote(beacon);
  HeldChain held(beacon.service());
  grpc::ClientContext context;
  auto status = SubmitAsync(beacon, context, request);
  while (beacon.rpc().active_calls() == 0) std::this_thread::yield();
  beacon.rpc().Stop();
  EXPECT_FALSE(status.get().ok());
  held.Release();
  beacon.AwaitNoCalls();
}

TEST(CallsTest, AfterTheChainStoppedSubmissionsSaySo) {
  TestBeacon beacon;
  const v1::SubmitVotesRequest request = OneVote(beacon);
  beacon.service().Stop();
  const absl::Status status = Call(beacon.duties(), &DutyStub::SubmitVotes, request).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(rpc::ReasonOf(status), "SHUTTING_DOWN");
}

TEST(CallsTest, ASecondServiceOnThePortIsRefused) {
  TestBeacon beacon;
  const std::string address = beacon.rpc().address().ToString();
  const SlotClock slots(kGenesisTime, 4000);
  const MemoryBlockSource blocks(beacon.service());
  auto second = RpcService::Start({.service = beacon.service(),
                                   .blocks = blocks,
                                   .clock = beacon.clock(),
                                   .slots = slots,
                                   .spec = {},
                                   .genesis = beacon.genesis(),
                                   .sync = [] { return SyncStatus(); },
                                   .events = beacon.events()},
                                  {.node_name = "second", .server = {.address = address, .tls = {}, .log = nullptr}});
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), HasSubstr("cannot listen on " + address + ": Address already in use"));
}

// A chain of 4096 validators that all voted for genesis, so that a block takes in 4095 votes.
TestBeaconOptions FullChain() {
  TestBeaconOptions options;
  options.validators = kValidatorRegistryLimit;
  options.prepare = [](LeanChain& chain) {
    const Checkpoint genesis = chain.head();
    chain.OnInterval(kIntervalsPerSlot);
    for (uint64_t validator = 0; validator < kValidatorRegistryLimit; ++validator) {
      auto vote = std::make_shared<SignedAttestation>();
      vote->message = {validator, {.slot = 1, .head = genesis, .target = genesis, .source = genesis}};
      vote->signature.data.fill(0xff);
      ASSERT_TRUE(chain.OnVote(vote).ok());
    }
  };
  return options;
}

TEST(LargestBlockTest, PassesBothWays) {
  TestBeacon beacon(FullChain());
  beacon.GoTo(2);
  const auto built = Call(beacon.duties(), &DutyStub::BuildBlock, beacon.BlockRequest(2));
  ASSERT_TRUE(built.status.ok()) << built.status;
  ASSERT_EQ(built.response.block().attestations_size(), 4095);
  ASSERT_EQ(built.response.attestation_signatures_size(), 4095);
  EXPECT_GT(built.response.ByteSizeLong(), 13'000'000u);

  v1::SubmitBlockRequest request;
  v1::SignedBlock& block = *request.mutable_block();
  *block.mutable_block() = built.response.block();
  *block.mutable_proposer_attestation() = built.response.proposer_attestation();
  *block.mutable_signatures() = built.response.attestation_signatures();
  block.add_signatures(rpc::BytesToProto(beacon.Sign(*rpc::FromProto(built.response.proposer_attestation()))));
  EXPECT_GT(request.ByteSizeLong(), 13'200'000u);
  const auto submitted = Call(beacon.duties(), &DutyStub::SubmitBlock, request);
  ASSERT_TRUE(submitted.status.ok()) << submitted.status;
  // It was looked at as a whole: the proposer's signature is good, those of the votes are not.
  EXPECT_EQ(submitted.response.result().status(), v1::REFUSED);
  EXPECT_EQ(submitted.response.result().reason(), "BAD_SIGNATURE");
  EXPECT_EQ(submitted.response.root(), built.response.proposer_attestation().data().head().root());
}

TEST(LargestBlockTest, AMessageOver16MiBIsRefusedAndTheBeaconGoesOn) {
  TestBeacon beacon;
  // A client of another make, which sends what ours would not.
  auto stub = v1::DutyService::NewStub(
      grpc::CreateChannel(beacon.rpc().address().ToString(), grpc::InsecureChannelCredentials()));
  v1::SubmitVoteRequest request;
  request.mutable_vote()->set_signature(std::string(rpc::kMaxMessageBytes, 's'));
  grpc::ClientContext context;
  v1::SubmitVoteResponse response;
  EXPECT_EQ(stub->SubmitVote(&context, request, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  beacon.AwaitNoCalls();
  EXPECT_TRUE(Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest()).status.ok());
}

}  // namespace
}  // namespace lean::beacon
