#include "beacon/rpc/callers/kept_blocks.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

class KeptBlocksTest : public ::testing::Test {
 protected:
  static rpc::Caller Connection(int port) {
    return {.host = "ipv4:127.0.0.1", .connection = "ipv4:127.0.0.1:" + std::to_string(port)};
  }
  static Root RootOf(uint8_t fill) {
    Root root;
    root.data.fill(fill);
    return root;
  }
  // A block of this caller, whose root and votes are made of `fill`.
  bool Keep(int port, uint8_t fill, uint64_t slot = 1) {
    auto built = std::make_shared<BuiltBlock>();
    built->block.slot = slot;
    built->root = RootOf(fill);
    EXPECT_TRUE(built->block.body.attestations.push_back(Attestation{.validator_id = fill, .data = {}}));
    built->signatures.resize(1);
    return kept_.Keep(Connection(port), built);
  }
  bool Has(uint8_t fill) const { return kept_.ProposersVote(RootOf(fill)).has_value(); }

  ManualClock clock_{0};
  const std::shared_ptr<CallerBook> callers_ =
      std::make_shared<CallerBook>(clock_, std::chrono::milliseconds(4000), 16);
  KeptBlocks kept_{callers_};
};

TEST_F(KeptBlocksTest, KeepsTheNewestBlockOfACallerAndOfTheNewestSlot) {
  EXPECT_TRUE(Keep(1, 10));
  EXPECT_TRUE(Keep(1, 11));
  EXPECT_FALSE(Has(10));
  EXPECT_TRUE(Keep(2, 12));
  EXPECT_TRUE(Has(11));
  EXPECT_EQ(kept_.footprint().items, 2);
  EXPECT_EQ(kept_.footprint().bytes, 2 * sizeof(SignedAttestation));
  EXPECT_TRUE(Keep(2, 13, /*slot=*/2));
  EXPECT_FALSE(Has(11));
  EXPECT_EQ(kept_.footprint().items, 1);
}

TEST_F(KeptBlocksTest, CallersWithoutKeysDoNotDisplaceThoseWithKeys) {
  callers_->Count(Connection(0), 1, 0);
  for (int port = 0; port < 10; ++port) EXPECT_TRUE(Keep(port, static_cast<uint8_t>(port)));
  EXPECT_EQ(kept_.footprint().items, KeptBlocks::kMost);
  EXPECT_TRUE(Has(0));
  EXPECT_TRUE(Has(9));
  EXPECT_FALSE(Has(6)) << "the oldest of the others";
  callers_->Count(Connection(10), 0, 1);
  EXPECT_FALSE(Keep(10, 10)) << "a bad caller displaces nobody";
}

TEST_F(KeptBlocksTest, IsSignedOnceAndHeldUntilItIsForgotten) {
  ASSERT_TRUE(Keep(1, 10));
  SignatureBytes signature;
  signature.data.fill(1);
  EXPECT_EQ(kept_.Sign(RootOf(9), signature), nullptr);
  SignedBlockPtr block = kept_.Sign(RootOf(10), signature);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->message.block.body.attestations[0].validator_id, 10);
  ASSERT_EQ(block->signature.size(), 2);
  EXPECT_EQ(block->signature.back(), signature);
  EXPECT_EQ(kept_.Sign(RootOf(10), SignatureBytes{}), block) << "as it was signed first";
  EXPECT_EQ(kept_.footprint().items, 1);
  const std::weak_ptr<const SignedBlockWithAttestation> held = block;
  block.reset();
  EXPECT_FALSE(held.expired()) << "it may have to be submitted again";
  kept_.Forget(RootOf(10));
  EXPECT_TRUE(held.expired());
  EXPECT_EQ(kept_.footprint().items, 0);
  EXPECT_EQ(kept_.Sign(RootOf(10), signature), nullptr);
}

// With gRPC.
class SubmittedByItsSignature : public DutiesTest {
 protected:
  v1::BuildBlockResponse Header() {
    v1::BuildBlockRequest request = beacon_.BlockRequest(1);
    request.set_header_only(true);
    const auto built = BuildBlock(request);
    EXPECT_TRUE(built.status.ok()) << built.status;
    return built.response;
  }
  v1::SubmitBlockRequest Signed(const v1::BuildBlockResponse& built) {
    v1::SubmitBlockRequest request;
    request.mutable_kept()->set_block_root(built.proposer_attestation().data().head().root());
    request.mutable_kept()->set_signature(
        rpc::BytesToProto(beacon_.Sign(*rpc::FromProto(built.proposer_attestation()))));
    return request;
  }
  Called<v1::SubmitBlockResponse> Submit(const v1::SubmitBlockRequest& request) {
    return Call(beacon_.duties(), &DutyStub::SubmitBlock, request);
  }
};

TEST_F(SubmittedByItsSignature, ABlockIsAcceptedOnceAndKnownAfterwards) {
  beacon_.GoTo(1);
  const v1::BuildBlockResponse built = Header();
  EXPECT_FALSE(built.has_block());
  EXPECT_EQ(built.attestation_signatures_size(), 0);
  EXPECT_TRUE(built.kept());
  const auto header = rpc::FromProto(built.header());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(rpc::BytesToProto(ssz::HashTreeRoot(*header)), built.proposer_attestation().data().head().root());
  v1::SubmitBlockRequest wrong = Signed(built);
  (*wrong.mutable_kept()->mutable_signature())[100] ^= 1;
  EXPECT_EQ(Submit(wrong).response.result().reason(), "BAD_SIGNATURE") << "and the block is still kept";
  for (const v1::SubmitStatus expected : {v1::ACCEPTED, v1::ALREADY_KNOWN}) {
    const auto submitted = Submit(Signed(built));
    ASSERT_TRUE(submitted.status.ok()) << submitted.status;
    EXPECT_EQ(submitted.response.result().status(), expected) << submitted.response.DebugString();
    EXPECT_EQ(submitted.response.root(), built.proposer_attestation().data().head().root());
  }
}

// A disk that fails at times.
class FailingDisk final : public ChainObserver {
 public:
  void Fail(absl::Status status) {
    MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  void BlockImported(const Root&, const SignedBlockPtr&, const StatePtr&, const VoteMap&) override {}
  void VoteAccepted(const SignedVotePtr&) override {}
  void CheckpointsChanged(const ChainCheckpoints&) override {}
  absl::Status CanAccept() const override {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  mutable Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

TEST(KeptBlockOfABusyBeacon, IsSubmittedAgain) {
  FailingDisk disk;
  TestBeaconOptions options;
  options.observer = &disk;
  TestBeacon beacon(options);
  beacon.GoTo(1);
  v1::BuildBlockRequest build = beacon.BlockRequest(1);
  build.set_header_only(true);
  const v1::BuildBlockResponse built = Call(beacon.duties(), &DutyStub::BuildBlock, build).response;
  v1::SubmitBlockRequest request;
  request.mutable_kept()->set_block_root(built.proposer_attestation().data().head().root());
  request.mutable_kept()->set_signature(rpc::BytesToProto(beacon.Sign(*rpc::FromProto(built.proposer_attestation()))));
  const auto submit = [&] { return Call(beacon.duties(), &DutyStub::SubmitBlock, request); };
  disk.Fail(absl::ResourceExhaustedError("too much waits to be stored"));
  EXPECT_EQ(rpc::ReasonOf(submit().status), "OVERLOADED");
  disk.Fail(absl::UnavailableError("no space is left"));
  EXPECT_EQ(rpc::ReasonOf(submit().status), "STORAGE_FAILED");
  disk.Fail(absl::OkStatus());
  for (const v1::SubmitStatus expected : {v1::ACCEPTED, v1::ALREADY_KNOWN}) {
    const auto submitted = submit();
    ASSERT_TRUE(submitted.status.ok()) << submitted.status;
    EXPECT_EQ(submitted.response.result().status(), expected);
  }
}

TEST_F(SubmittedByItsSignature, AWholeAnswerIsKeptAsWell) {
  beacon_.GoTo(1);
  const auto built = BuildBlock(beacon_.BlockRequest(1));
  EXPECT_TRUE(built.response.has_block());
  EXPECT_FALSE(built.response.has_header());
  EXPECT_TRUE(built.response.kept());
  EXPECT_EQ(Submit(Signed(built.response)).response.result().status(), v1::ACCEPTED);
}

TEST_F(SubmittedByItsSignature, ABlockThatIsNotKeptIsAnError) {
  beacon_.GoTo(1);
  v1::SubmitBlockRequest request = Signed(Header());
  request.mutable_kept()->set_block_root(std::string(32, 'x'));
  const absl::Status status = Submit(request).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rpc::ReasonOf(status), "BLOCK_NOT_KEPT");
}

TEST_F(SubmittedByItsSignature, MalformedRequestsAreErrors) {
  beacon_.GoTo(1);
  const v1::SubmitBlockRequest good = Signed(Header());
  v1::SubmitBlockRequest short_root = good;
  short_root.mutable_kept()->mutable_block_root()->pop_back();
  v1::SubmitBlockRequest long_signature = good;
  long_signature.mutable_kept()->mutable_signature()->push_back('x');
  v1::SubmitBlockRequest both = good;
  both.mutable_block();
  for (const v1::SubmitBlockRequest& request : {short_root, long_signature, both}) {
    EXPECT_EQ(rpc::ReasonOf(Submit(request).status), "MALFORMED_REQUEST");
  }
}

}  // namespace
}  // namespace lean::beacon
