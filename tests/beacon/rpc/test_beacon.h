// A beacon in the test's process: real chain, services, signatures and gRPC server; time moved by hand.
#ifndef LEAN_TESTS_BEACON_RPC_TEST_BEACON_H_
#define LEAN_TESTS_BEACON_RPC_TEST_BEACON_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/rpc/rpc_service.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/events/event_history.h"
#include "common/clock/manual_clock.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/rpc/wire/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "lean/v1/validator.grpc.pb.h"
#include "tests/common/patience.h"

namespace lean::beacon {

using DutyStub = v1::DutyService::Stub;
using QueryStub = v1::BeaconService::Stub;

inline constexpr uint64_t kGenesisTime = 1'700'000'000;  // Unix seconds

struct TestBeaconOptions {
  size_t validators = 4;
  // Called with the chain before it is served.
  std::function<void(LeanChain&)> prepare;
  std::function<SyncStatus()> sync = [] { return SyncStatus(); };
  KeptChain kept = {};
  const PeerList* peers = nullptr;    // null: there is no network
  ChainObserver* observer = nullptr;  // null: the chain is not stored
};

class TestBeacon {
 public:
  explicit TestBeacon(const TestBeaconOptions& options = {});
  ~TestBeacon();

  // Moves the clock to an interval of a slot, and waits until the chain's time is there.
  void GoTo(uint64_t slot, uint32_t interval = 0);
  ManualClock& clock() { return clock_; }
  uint64_t slot_ms() const { return spec_.slot_duration_ms; }

  const Genesis& genesis() const { return genesis_; }
  ChainService& service() { return *service_; }
  RpcService& rpc() { return *rpc_; }
  EventHistory& events() { return events_; }
  QueryStub& queries() { return *queries_; }
  DutyStub& duties() { return *duties_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // All validators share one key: its leaf of a slot signs whatever a test asks for.
  SignatureBytes Sign(const Attestation& vote) const;
  const PublicKeyBytes& pubkey() const { return pubkey_; }

  v1::BuildBlockRequest BlockRequest(uint64_t slot) const;
  v1::BuildVoteRequest VoteRequest(uint64_t slot) const;

  // Builds, signs and submits the block of a slot, which is the current one. Its root.
  Root Propose(uint64_t slot);
  // A signed vote of a validator, from BuildVote.
  v1::SignedAttestation Vote(uint64_t slot, uint64_t validator);

  // Waits until no call is under way any more.
  void AwaitNoCalls();

 private:
  NetworkSpec spec_;
  crypto::SignatureScheme scheme_;
  PublicKeyBytes pubkey_;
  Genesis genesis_;
  ManualClock clock_;
  EventHistory events_{1};
  OutboundChannel outbound_;
  std::unique_ptr<ChainService> service_;
  std::unique_ptr<MemoryBlockSource> blocks_;
  std::unique_ptr<RpcService> rpc_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::BeaconService::Stub> queries_;
  std::unique_ptr<v1::DutyService::Stub> duties_;
};

// What one call gave.
template <typename Response>
struct Called {
  absl::Status status;
  Response response;
};

// Calls a method of a stub: Call<v1::GetHeadResponse>(stub, &Stub::GetHead, request).
template <typename Response, typename Stub, typename Request>
Called<Response> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request) {
  Called<Response> called;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  called.status = rpc::FromGrpcStatus((stub.*method)(&context, request, &called.response));
  return called;
}

class DutiesTest : public ::testing::Test {
 protected:
  Called<v1::BuildBlockResponse> BuildBlock(const v1::BuildBlockRequest& request) {
    return Call(beacon_.duties(), &DutyStub::BuildBlock, request);
  }
  Called<v1::BuildVoteResponse> BuildVote(const v1::BuildVoteRequest& request) {
    return Call(beacon_.duties(), &DutyStub::BuildVote, request);
  }
  v1::SubmitResult SubmitVote(const v1::SignedAttestation& vote) {
    v1::SubmitVoteRequest request;
    *request.mutable_vote() = vote;
    const auto submitted = Call(beacon_.duties(), &DutyStub::SubmitVote, request);
    EXPECT_TRUE(submitted.status.ok()) << submitted.status;
    return submitted.response.result();
  }

  TestBeacon beacon_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_RPC_TEST_BEACON_H_
