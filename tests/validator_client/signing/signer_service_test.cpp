#include "validator_client/signing/signer_service.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/manual_clock.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "lean/v1/signer.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSlot = 9;  // slot that the clock shows

Attestation VoteBy(uint64_t index, uint64_t slot = kSlot, uint8_t head = 1) {
  return Attestation{index, AttestationData{slot, {FakeRoot(head), slot}, {FakeRoot(2), 0}, {FakeRoot(2), 0}}};
}

v1::SignVotesRequest VotesRequest(const std::vector<Attestation>& votes, uint64_t slot = kSlot) {
  v1::SignVotesRequest request;
  request.set_slot(slot);
  for (const Attestation& vote : votes) {
    v1::VoteToSign& item = *request.add_votes();
    item.set_pubkey(rpc::BytesToProto(FakePubkey(vote.validator_id)));
    *item.mutable_attestation() = rpc::ToProto(vote);
  }
  return request;
}

v1::SignBlockRequest BlockRequest(uint64_t proposer = 1, uint64_t slot = kSlot, uint8_t state_root = 4) {
  Block block;
  block.slot = slot;
  block.proposer_index = proposer;
  block.parent_root = FakeRoot(3);
  block.state_root = FakeRoot(state_root);
  Attestation vote = VoteBy(proposer, slot);
  vote.data.head.root = ssz::HashTreeRoot(block);
  v1::SignBlockRequest request;
  request.set_pubkey(rpc::BytesToProto(FakePubkey(proposer)));
  *request.mutable_block() = rpc::ToProto(block);
  *request.mutable_proposer_attestation() = rpc::ToProto(vote);
  return request;
}

std::string SignatureOf(const Attestation& vote) {
  return rpc::BytesToProto(FakeSignature(FakePubkey(vote.validator_id), vote.data.slot, ssz::HashTreeRoot(vote)));
}

class SignerServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 0; i < 3; ++i) {
      keys_.push_back(std::make_shared<FakeKey>(i));
      validators_.push_back(ValidatorKey{i, keys_.back(), ""});
    }
    Restart(/*first_slot=*/0);
  }

  // Restarts the process with its files.
  void Restart(uint64_t first_slot) {
    requests_.reset();
    signer_.reset();
    records_.reset();
    auto records = SqliteSigningRecords::Open({.path = dir_.path() + "/records", .create = true});
    ASSERT_TRUE(records.ok()) << records.status();
    records_ = *std::move(records);
    limit_ = std::make_unique<SlotLimit>(clock_, kSlotMs);
    limit_->TrustGenesis(SlotClock(kGenesisTime, kSlotMs));
    signer_ = std::make_unique<Signer>(validators_, *records_, *limit_, [](std::function<void()> task) { task(); });
    requests_ = std::make_unique<SignRequests>(*signer_, *records_, clock_, SlotClock(kGenesisTime, kSlotMs),
                                               first_slot, log_.logger());
  }

  static int64_t WallMs(int64_t slot) { return static_cast<int64_t>(kGenesisTime) * 1000 + slot * kSlotMs + 100; }
  // Time passes until this slot; before it, the clock is set back.
  void SetSlot(int64_t slot) {
    const int64_t ahead = WallMs(slot) - clock_.WallMs();
    if (ahead >= 0) {
      clock_.Advance(std::chrono::milliseconds(ahead));
    } else {
      clock_.SetWallMs(WallMs(slot));
    }
  }

  size_t SignedCount() const {
    size_t count = 0;
    for (const auto& key : keys_) count += key->signed_roots().size();
    return count;
  }

  // The reason of an answer with one result, or of its error.
  std::string ReasonOfVote(const v1::SignVotesRequest& request) {
    const auto response = requests_->SignVotes(request);
    return response.ok() ? response->results(0).reason() : rpc::ReasonOf(response.status());
  }
  std::string ReasonOfBlock(const v1::SignBlockRequest& request) {
    const auto response = requests_->SignBlock(request);
    return response.ok() ? response->result().reason() : rpc::ReasonOf(response.status());
  }

  TemporaryFolder dir_;
  CapturedLog log_;
  ManualClock clock_{static_cast<int64_t>(kGenesisTime) * 1000 + kSlot * kSlotMs + 100};
  std::vector<std::shared_ptr<FakeKey>> keys_;
  std::vector<ValidatorKey> validators_;
  std::unique_ptr<SqliteSigningRecords> records_;
  std::unique_ptr<SlotLimit> limit_;
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<SignRequests> requests_;
};

TEST_F(SignerServiceTest, SignsTheRecomputedRootsOfVotes) {
  const std::vector<Attestation> votes = {VoteBy(2), VoteBy(0)};
  const auto response = requests_->SignVotes(VotesRequest(votes));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->results_size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(response->results(i).signature(), SignatureOf(votes[static_cast<size_t>(i)]));
    EXPECT_EQ(response->results(i).reason(), "");
  }
}

TEST_F(SignerServiceTest, SignsTheProposersVoteOfABlock) {
  const v1::SignBlockRequest request = BlockRequest();
  const auto response = requests_->SignBlock(request);
  ASSERT_TRUE(response.ok()) << response.status();
  const auto vote = rpc::FromProto(request.proposer_attestation());
  ASSERT_TRUE(vote.ok());
  EXPECT_EQ(response->result().signature(), SignatureOf(*vote));
}

TEST_F(SignerServiceTest, SignsOnlyForTheSlotOfItsOwnClock) {
  for (const uint64_t slot : {kSlot - 1, kSlot + 1, kSlot + 1000, ~uint64_t{0}}) {
    EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, slot)}, slot)), "WRONG_SLOT") << slot;
    EXPECT_EQ(ReasonOfBlock(BlockRequest(1, slot)), "WRONG_SLOT") << slot;
  }
  SetSlot(-1);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, 0)}, 0)), "WRONG_SLOT");
  EXPECT_EQ(SignedCount(), 0);
}

TEST_F(SignerServiceTest, SignsNothingInTheSlotInWhichItStarted) {
  Restart(kSlot + 1);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0)})), "JUST_STARTED");
  EXPECT_EQ(ReasonOfBlock(BlockRequest()), "JUST_STARTED");
  SetSlot(kSlot + 1);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, kSlot + 1)}, kSlot + 1)), "");
}

TEST_F(SignerServiceTest, AClockThatWasAheadAtTheStartDelaysItByOneSlot) {
  Restart(/*first_slot=*/kSlot + 501);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0)})), "JUST_STARTED") << "an earlier process may have signed in it";
  EXPECT_EQ(requests_->ListKeys({})->first_slot(), kSlot + 1);
  SetSlot(kSlot + 1);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, kSlot + 1)}, kSlot + 1)), "");
}

TEST_F(SignerServiceTest, AClockThatWasBehindAtTheStartDelaysItByOneSlot) {
  clock_.SetWallMs(WallMs(kSlot - 501));
  Restart(/*first_slot=*/kSlot - 500);
  clock_.SetWallMs(WallMs(kSlot));
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0)})), "JUST_STARTED") << "an earlier process may have signed in it";
  EXPECT_EQ(requests_->ListKeys({})->first_slot(), kSlot + 1);
  SetSlot(kSlot + 1);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, kSlot + 1)}, kSlot + 1)), "");
}

TEST_F(SignerServiceTest, OneRootALeafAcrossVotesBlocksAndRestarts) {
  ASSERT_EQ(ReasonOfVote(VotesRequest({VoteBy(1)})), "");
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(1)})), "") << "the same vote again";
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(1, kSlot, 7)})), "RECORDS");
  EXPECT_EQ(ReasonOfBlock(BlockRequest(1)), "RECORDS");
  Restart(0);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(1, kSlot, 7)})), "RECORDS");
  EXPECT_EQ(ReasonOfBlock(BlockRequest(1)), "RECORDS");
  SetSlot(kSlot - 1);  // a clock set back
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(1, kSlot - 1)}, kSlot - 1)), "RECORDS");
}

TEST_F(SignerServiceTest, OneRefusalDoesNotTouchTheOthers) {
  ASSERT_EQ(ReasonOfVote(VotesRequest({VoteBy(1)})), "");
  v1::SignVotesRequest request = VotesRequest({VoteBy(1, kSlot, 7), VoteBy(5), VoteBy(2)});
  const auto response = requests_->SignVotes(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).reason(), "RECORDS");
  EXPECT_EQ(response->results(1).reason(), "UNKNOWN_KEY");
  EXPECT_EQ(response->results(2).signature(), SignatureOf(VoteBy(2)));
  EXPECT_EQ(log_.Count("signatures=1 refused=2"), 1) << log_.text();
}

TEST_F(SignerServiceTest, AKeySignsForItsOwnValidatorAlone) {
  v1::SignVotesRequest request = VotesRequest({VoteBy(0)});
  request.mutable_votes(0)->mutable_attestation()->set_validator_index(1);
  EXPECT_EQ(ReasonOfVote(request), "INVALID_MESSAGE");
  request.mutable_votes(0)->mutable_attestation()->set_validator_index(77);
  EXPECT_EQ(ReasonOfVote(request), "INVALID_MESSAGE");
  EXPECT_EQ(SignedCount(), 0);
}

TEST_F(SignerServiceTest, RefusesWhatNoHonestBeaconBuilds) {
  Attestation vote = VoteBy(0);
  vote.data.target.slot = kSlot + 1;
  EXPECT_EQ(ReasonOfVote(VotesRequest({vote})), "INVALID_MESSAGE");
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0, kSlot - 1)})), "INVALID_MESSAGE") << "a vote of another slot inside";
  v1::SignBlockRequest block = BlockRequest();
  block.mutable_block()->set_state_root(rpc::BytesToProto(FakeRoot(99)));
  EXPECT_EQ(ReasonOfBlock(block), "INVALID_MESSAGE") << "the vote is for another block";
  block = BlockRequest();
  block.mutable_block()->set_proposer_index(2);
  EXPECT_EQ(ReasonOfBlock(block), "INVALID_MESSAGE");
  EXPECT_EQ(SignedCount(), 0);
}

TEST_F(SignerServiceTest, NamesTheFieldThatIsMalformed) {
  EXPECT_EQ(ReasonOfVote(v1::SignVotesRequest()), "MALFORMED_REQUEST");
  v1::SignVotesRequest request = VotesRequest({VoteBy(0), VoteBy(1)});
  request.mutable_votes(1)->set_pubkey("short");
  EXPECT_THAT(requests_->SignVotes(request).status().message(), HasSubstr("votes[1].pubkey: 5 bytes, expected 52"));
  request = VotesRequest({VoteBy(0)});
  request.mutable_votes(0)->clear_attestation();
  EXPECT_THAT(requests_->SignVotes(request).status().message(), HasSubstr("votes[0].attestation: missing"));
  EXPECT_EQ(ReasonOfVote(VotesRequest(std::vector<Attestation>(4097, VoteBy(0)))), "MALFORMED_REQUEST");
  v1::SignBlockRequest block = BlockRequest();
  block.clear_block();
  EXPECT_EQ(ReasonOfBlock(block), "MALFORMED_REQUEST");
  EXPECT_EQ(SignedCount(), 0);
}

TEST_F(SignerServiceTest, AKeyThatIsNotReadyLeavesNoRecord) {
  validators_[0].key = std::make_shared<FakeKey>(0, SlotRange{0, 1 << 20}, SlotRange{100, 200});
  Restart(0);
  EXPECT_EQ(ReasonOfVote(VotesRequest({VoteBy(0)})), "KEY_NOT_READY");
  const auto highest = records_->HighestSlot(FakePubkey(0));
  ASSERT_TRUE(highest.ok());
  EXPECT_FALSE(highest->has_value());
}

TEST_F(SignerServiceTest, SignsNothingForAClockThatJumpedHoursAhead) {
  ASSERT_EQ(ReasonOfVote(VotesRequest({VoteBy(0)})), "");
  constexpr uint64_t kFar = kSlot + 1030;
  const v1::SignVotesRequest far = VotesRequest({VoteBy(1, kFar)}, kFar);
  clock_.SetWallMs(WallMs(kFar - 1));
  EXPECT_EQ(requests_->ListKeys({})->first_slot(), kFar);
  SetSlot(kFar);
  EXPECT_EQ(ReasonOfVote(far), "TOO_FAR_AHEAD");
  EXPECT_FALSE(records_->HighestSlot(FakePubkey(1))->has_value());
  // A start believes the clock, like an operator.
  Restart(0);
  EXPECT_EQ(ReasonOfVote(far), "");
}

TEST_F(SignerServiceTest, ListsItsKeys) {
  ASSERT_EQ(ReasonOfVote(VotesRequest({VoteBy(1)})), "");
  const auto response = requests_->ListKeys({});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->current_slot(), kSlot);
  ASSERT_EQ(response->keys_size(), 3);
  EXPECT_EQ(response->keys(1).pubkey(), rpc::BytesToProto(FakePubkey(1)));
  EXPECT_EQ(response->keys(1).validator_index(), 1);
  EXPECT_EQ(response->keys(1).highest_signed_slot(), kSlot);
  EXPECT_FALSE(response->keys(0).has_highest_signed_slot());
  EXPECT_TRUE(response->keys(0).ready());
}

TEST_F(SignerServiceTest, ListensOnAUnixSocketOrWithClientCertificatesOnly) {
  rpc::ServerOptions options;
  options.log = log_.logger();
  options.address = "127.0.0.1:0";
  EXPECT_EQ(StartSignerServer(*requests_, options).status().code(), absl::StatusCode::kInvalidArgument);
  options.tls.cert = options.tls.key = "somewhere.pem";
  EXPECT_EQ(StartSignerServer(*requests_, options).status().code(), absl::StatusCode::kInvalidArgument)
      << "TLS alone lets everybody in";
  options.tls.client_ca = "authority.pem";
  EXPECT_TRUE(CheckSignerAddress(options).ok());
}

TEST_F(SignerServiceTest, ServesOnAUnixSocketInAPrivateFolder) {
  rpc::ServerOptions options;
  options.log = log_.logger();
  options.address = "unix:" + dir_.path() + "/signer.sock";
  ASSERT_EQ(chmod(dir_.path().c_str(), 0750), 0);
  EXPECT_EQ(StartSignerServer(*requests_, options).status().code(), absl::StatusCode::kPermissionDenied);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0700), 0);
  const auto server = StartSignerServer(*requests_, options);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(StartSignerServer(*requests_, options).status().message(), HasSubstr("another process serves it"));

  const auto channel = rpc::MakeChannel(options.address);
  ASSERT_TRUE(channel.ok()) << channel.status();
  const auto stub = v1::Signer::NewStub(*channel);
  grpc::ClientContext context;
  v1::SignVotesResponse response;
  const grpc::Status status = stub->SignVotes(&context, VotesRequest({VoteBy(2)}), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.results(0).signature(), SignatureOf(VoteBy(2)));
}

TEST_F(SignerServiceTest, LeavesWhatIsNoSocketAlone) {
  const std::string path = dir_.path() + "/file";
  std::ofstream(path) << "mine";
  rpc::ServerOptions options;
  options.log = log_.logger();
  options.address = "unix:" + path;
  EXPECT_THAT(StartSignerServer(*requests_, options).status().message(), HasSubstr("something else than a socket"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace lean::validator
