// DutyService as a validator client sees it.
#ifndef LEAN_TESTS_BEACON_RPC_DUTIES_FIXTURE_H_
#define LEAN_TESTS_BEACON_RPC_DUTIES_FIXTURE_H_

#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {

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

#endif  // LEAN_TESTS_BEACON_RPC_DUTIES_FIXTURE_H_
