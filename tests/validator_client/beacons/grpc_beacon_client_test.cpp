#include "validator_client/beacons/grpc_beacon_client.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/bytes/bytes.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/validator_client/beacons/fake_services.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

v1::AttestationData VoteData(uint64_t slot) {
  return rpc::ToProto(AttestationData{slot, {FakeRoot(3), slot}, {FakeRoot(2), 0}, {FakeRoot(2), 0}});
}

// Adds `count` validators with the keys of FakePubkey.
void AddValidators(size_t count, v1::GetValidatorsResponse& response) {
  for (size_t index = 0; index < count; ++index) {
    v1::ValidatorView& validator = *response.add_validators();
    validator.set_index(index);
    validator.set_pubkey(ToHex(FakePubkey(index).span()));
    validator.set_latest_vote_slot(index);
  }
  response.set_total(count);
}

class GrpcBeaconClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartServer(0);
    rpc::ChannelOptions options;
    options.min_backoff = milliseconds(20);
    options.max_backoff = milliseconds(50);
    const std::string address = absl::StrCat("127.0.0.1:", port_);
    const auto channel = rpc::MakeChannel(address, options);
    ASSERT_TRUE(channel.ok()) << channel.status();
    client_ = std::make_unique<GrpcBeaconClient>(address, [channel = *channel] { return channel; });
  }
  void TearDown() override { StopServer(); }

  void StartServer(int port) {
    // Another process may have taken the port meanwhile, for a connection that soon ends.
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    do {
      grpc::ServerBuilder builder;
      builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &port_);
      builder.SetMaxReceiveMessageSize(16 << 20);
      builder.RegisterService(&service_);
      builder.RegisterService(&registry_service_);
      server_ = builder.BuildAndStart();
    } while (server_ == nullptr && std::chrono::steady_clock::now() < give_up);
    ASSERT_NE(server_, nullptr);
    ASSERT_NE(port_, 0);
  }
  void StopServer() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  FakeDutyService service_;
  FakeRegistryService registry_service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcBeaconClient> client_;
};

TEST_F(GrpcBeaconClientTest, GetsTheWholeRegistryAtItsLimit) {
  registry_service_.get_validators = [](const v1::GetValidatorsRequest& request, v1::GetValidatorsResponse& response) {
    EXPECT_EQ(request.start(), 0);
    EXPECT_EQ(request.limit(), 4096);
    AddValidators(4096, response);
  };
  const absl::StatusOr<Registry> registry = client_->GetRegistry(seconds(10));
  ASSERT_TRUE(registry.ok()) << registry.status();
  ASSERT_EQ(registry->size(), 4096);
  EXPECT_EQ((*registry)[77], FakePubkey(77));
}

TEST_F(GrpcBeaconClientTest, RefusesARegistryThatIsNotWholeAndInOrder) {
  const auto error_of = [&](const std::function<void(v1::GetValidatorsResponse&)>& bend) {
    registry_service_.get_validators = [&](const v1::GetValidatorsRequest&, v1::GetValidatorsResponse& response) {
      AddValidators(3, response);
      bend(response);
    };
    const absl::Status status = client_->GetRegistry(seconds(10)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    return std::string(status.message());
  };
  const std::string prefix = "the beacon's answer to GetValidators is malformed: ";
  EXPECT_EQ(error_of([](v1::GetValidatorsResponse& response) { response.set_total(4); }),
            prefix + "validators: 3 of 4, expected all of 4096 at most");
  EXPECT_EQ(error_of([](v1::GetValidatorsResponse& response) { AddValidators(4094, response); }),
            prefix + "validators: 4097 of 4094, expected all of 4096 at most");
  EXPECT_EQ(error_of([](v1::GetValidatorsResponse& response) { response.mutable_validators(2)->set_index(1); }),
            prefix + "validators: index 1 is at position 2");
  EXPECT_TRUE(absl::StartsWith(
      error_of([](v1::GetValidatorsResponse& response) { response.mutable_validators(1)->set_pubkey("0x12"); }),
      prefix + "pubkey: "));
}

TEST_F(GrpcBeaconClientTest, GetDutiesCarriesEveryField) {
  service_.get_duties = [](const v1::GetDutiesRequest& request, v1::GetDutiesResponse& response) {
    EXPECT_EQ(request.slot(), 9);
    EXPECT_EQ(request.pubkeys_size(), 2);
    EXPECT_EQ(request.pubkeys(1), rpc::BytesToProto(FakePubkey(4)));
    response.add_duties()->set_known(false);
    v1::ValidatorDuty& duty = *response.add_duties();
    duty.set_known(true);
    duty.add_indices(4);
    duty.add_indices(7);
    response.set_proposer_index(1);
    response.set_validator_count(8);
    response.set_genesis_block_root(rpc::BytesToProto(FakeRoot(1)));
    response.set_genesis_state_root(rpc::BytesToProto(FakeRoot(2)));
    response.set_genesis_time(1'700'000'000);
    response.set_slot_duration_ms(4000);
    response.set_xmss_log_lifetime(16);
    response.set_signature_form("flat");
    response.set_time_ms(1'700'000'123'456);
    response.set_current_slot(-3);
    response.set_head_slot(6);
    response.set_refusal("STORAGE_FAILED");
    response.set_refusal_message("the disk is full");
    return grpc::Status::OK;
  };
  const auto answer = client_->GetDuties({FakePubkey(0), FakePubkey(4)}, 9, seconds(10));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->duties.size(), 2);
  EXPECT_FALSE(answer->duties[0].known);
  EXPECT_TRUE(answer->duties[1].known);
  EXPECT_EQ(answer->duties[1].indices, (std::vector<uint64_t>{4, 7}));
  EXPECT_EQ(answer->proposer_index, 1);
  EXPECT_EQ(answer->validator_count, 8);
  EXPECT_EQ(answer->genesis_block_root, FakeRoot(1));
  EXPECT_EQ(answer->genesis_time, 1'700'000'000);
  EXPECT_EQ(answer->slot_duration_ms, 4000);
  EXPECT_EQ(answer->xmss_log_lifetime, 16);
  EXPECT_EQ(answer->signature_form, "flat");
  EXPECT_EQ(answer->time_ms, 1'700'000'123'456);
  EXPECT_EQ(answer->head_slot, 6);
  EXPECT_FALSE(answer->synced);
  EXPECT_EQ(answer->refusal, "STORAGE_FAILED");
  EXPECT_EQ(answer->refusal_message, "the disk is full");
}

TEST_F(GrpcBeaconClientTest, BuildsAndSubmitsABlock) {
  Block block;
  block.slot = 9;
  block.proposer_index = 1;
  block.parent_root = FakeRoot(5);
  const Attestation vote = *rpc::FromProto([] {
    v1::Attestation message;
    message.set_validator_index(1);
    *message.mutable_data() = VoteData(9);
    return message;
  }());
  ASSERT_TRUE(block.body.attestations.push_back(vote));
  service_.build_block = [&](const v1::BuildBlockRequest& request, v1::BuildBlockResponse& response) {
    EXPECT_EQ(request.slot(), 9);
    EXPECT_EQ(request.proposer_index(), 1);
    EXPECT_EQ(request.genesis_block_root(), rpc::BytesToProto(FakeRoot(1)));
    *response.mutable_block() = rpc::ToProto(block);
    *response.mutable_proposer_attestation() = rpc::ToProto(vote);
    response.add_attestation_signatures(std::string(SignatureBytes::kSize, 'x'));
    response.set_time_ms(77);
    return grpc::Status::OK;
  };
  const auto built = client_->BuildBlock(9, 1, FakeRoot(1), BlockForm::kWhole, seconds(10));
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_FALSE(built->kept) << "a beacon that does not say so";
  EXPECT_EQ(built->block, block);
  EXPECT_EQ(built->proposer_attestation, vote);
  ASSERT_EQ(built->attestation_signatures.size(), 1);
  EXPECT_EQ(built->attestation_signatures[0].data[0], 'x');
  EXPECT_EQ(built->time_ms, 77);

  SignedBlockWithAttestation signed_block;
  signed_block.message = {block, vote};
  ASSERT_TRUE(signed_block.signature.push_back(built->attestation_signatures[0]));
  ASSERT_TRUE(signed_block.signature.push_back(SignatureBytes{}));
  service_.submit_block = [&](const v1::SubmitBlockRequest& request, v1::SubmitBlockResponse& response) {
    EXPECT_EQ(*rpc::FromProto(request.block()), signed_block);
    response.mutable_result()->set_status(v1::REFUSED);
    response.mutable_result()->set_reason("STALE");
    response.mutable_result()->set_message("old");
    return grpc::Status::OK;
  };
  const auto result = client_->SubmitBlock(signed_block, seconds(10));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, SubmitResult::Status::kRefused);
  EXPECT_EQ(result->reason, "STALE");
  EXPECT_EQ(result->message, "old");
}

TEST_F(GrpcBeaconClientTest, GetsTheHeaderOfABlockAndSubmitsItsSignature) {
  Block block;
  block.slot = 9;
  block.parent_root = FakeRoot(5);
  ASSERT_TRUE(block.body.attestations.push_back(Attestation{}));
  const Root root = ssz::HashTreeRoot(block);
  v1::Attestation vote;
  *vote.mutable_data() = VoteData(9);
  service_.build_block = [&](const v1::BuildBlockRequest& request, v1::BuildBlockResponse& response) {
    if (request.header_only()) {
      *response.mutable_header() = rpc::ToProto(HeaderOf(block, ssz::HashTreeRoot(block.body)));
    } else {
      *response.mutable_block() = rpc::ToProto(block);
    }
    response.set_vote_count(1);
    *response.mutable_proposer_attestation() = vote;
    return grpc::Status::OK;
  };
  const auto header = client_->BuildBlock(9, 1, FakeRoot(1), BlockForm::kHeader, seconds(10));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_TRUE(header->kept);
  EXPECT_EQ(header->vote_count, 1);
  EXPECT_TRUE(header->body_root.has_value());
  EXPECT_EQ(ssz::HashTreeRoot(header->Header()), root);
  const auto whole = client_->BuildBlock(9, 1, FakeRoot(1), BlockForm::kWhole, seconds(10));
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_FALSE(whole->body_root.has_value());
  EXPECT_EQ(ssz::HashTreeRoot(whole->Header()), root);

  SignatureBytes signature;
  signature.data.fill(7);
  service_.submit_block = [&](const v1::SubmitBlockRequest& request, v1::SubmitBlockResponse& response) {
    EXPECT_FALSE(request.has_block());
    EXPECT_EQ(request.kept().block_root(), rpc::BytesToProto(root));
    EXPECT_EQ(request.kept().signature(), rpc::BytesToProto(signature));
    response.mutable_result()->set_status(v1::ACCEPTED);
    return grpc::Status::OK;
  };
  const auto result = client_->SubmitKeptBlock(root, signature, seconds(10));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, SubmitResult::Status::kAccepted);
}

TEST_F(GrpcBeaconClientTest, ABlockThatIsNotKeptIsNotFound) {
  service_.submit_block = [](const v1::SubmitBlockRequest&, v1::SubmitBlockResponse&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such block");
  };
  EXPECT_TRUE(absl::IsNotFound(client_->SubmitKeptBlock(FakeRoot(1), SignatureBytes{}, seconds(10)).status()));
}

TEST_F(GrpcBeaconClientTest, SubmitsABatchOfVotesWithAResultEach) {
  std::vector<SignedAttestation> votes(4);
  for (size_t i = 0; i < votes.size(); ++i) votes[i].message.validator_id = i;
  service_.submit_votes = [&](const v1::SubmitVotesRequest& request, v1::SubmitVotesResponse& response) {
    EXPECT_EQ(request.votes_size(), 4);
    EXPECT_EQ(*rpc::FromProto(request.votes(3)), votes[3]);
    for (const v1::SubmitStatus status : {v1::ACCEPTED, v1::ALREADY_KNOWN, v1::QUEUED, v1::REFUSED}) {
      response.add_results()->set_status(status);
    }
    return grpc::Status::OK;
  };
  const auto results = client_->SubmitVotes(votes, seconds(10));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 4);
  EXPECT_EQ((*results)[0].status, SubmitResult::Status::kAccepted);
  EXPECT_EQ((*results)[1].status, SubmitResult::Status::kAlreadyKnown);
  EXPECT_EQ((*results)[2].status, SubmitResult::Status::kQueued);
  EXPECT_EQ((*results)[3].status, SubmitResult::Status::kRefused);
}

TEST_F(GrpcBeaconClientTest, AsksForVotesThatItDoesNotKnow) {
  service_.get_liveness = [](const v1::GetLivenessRequest& request, v1::GetLivenessResponse& response) {
    EXPECT_EQ(request.indices_size(), 2);
    EXPECT_EQ(request.from_slot(), 8);
    EXPECT_TRUE(request.show_votes());
    EXPECT_EQ(request.known_roots_size(), 1);
    EXPECT_EQ(request.known_roots(0), rpc::BytesToProto(FakeRoot(1)));
    response.add_validators()->set_live(true);
    response.mutable_validators(0)->set_latest_vote_slot(9);
    *response.mutable_validators(0)->mutable_vote() = rpc::ToProto(FakeVote(4, 9, 7));
    response.add_validators();
    return grpc::Status::OK;
  };
  const LivenessQuery query{.indices = {4, 5}, .from_slot = 8, .known_roots = {FakeRoot(1)}};
  const auto answer = client_->GetLiveness(query, seconds(10));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->size(), 2);
  EXPECT_TRUE((*answer)[0].live);
  EXPECT_EQ((*answer)[0].latest_vote_slot, 9);
  ASSERT_NE((*answer)[0].vote, nullptr);
  EXPECT_EQ(*(*answer)[0].vote, FakeVote(4, 9, 7));
  EXPECT_FALSE((*answer)[1].live);
  EXPECT_EQ((*answer)[1].vote, nullptr);

  service_.get_liveness = [](const v1::GetLivenessRequest&, v1::GetLivenessResponse& response) {
    response.add_validators()->mutable_vote()->set_signature("short");
    return grpc::Status::OK;
  };
  EXPECT_EQ(client_->GetLiveness(query, seconds(10)).status().code(), absl::StatusCode::kInternal);
}

TEST_F(GrpcBeaconClientTest, KeepsTheBeaconsReason) {
  service_.build_vote = [](const v1::BuildVoteRequest&, v1::BuildVoteResponse&) {
    return rpc::ToGrpcStatus(rpc::MakeError(absl::StatusCode::kFailedPrecondition, "WRONG_GENESIS", "not this chain"));
  };
  const absl::Status status = client_->BuildVote(9, FakeRoot(1), seconds(10)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "not this chain");
  EXPECT_EQ(rpc::ReasonOf(status), "WRONG_GENESIS");
}

TEST_F(GrpcBeaconClientTest, RefusesMalformedAnswers) {
  const auto refusal = [this] { return client_->BuildVote(9, FakeRoot(1), seconds(10)).status(); };
  service_.build_vote = [](const v1::BuildVoteRequest&, v1::BuildVoteResponse&) { return grpc::Status::OK; };
  EXPECT_EQ(refusal().message(), "the beacon's answer to BuildVote is malformed: data: is missing");
  service_.build_vote = [](const v1::BuildVoteRequest&, v1::BuildVoteResponse& response) {
    *response.mutable_data() = VoteData(9);
    response.mutable_data()->mutable_head()->set_root("short");
    return grpc::Status::OK;
  };
  EXPECT_EQ(refusal().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(refusal().message(), "head.root: 5 bytes, expected 32")) << refusal();
  service_.submit_votes = [](const v1::SubmitVotesRequest&, v1::SubmitVotesResponse& response) {
    response.add_results();
    return grpc::Status::OK;
  };
  EXPECT_EQ(client_->SubmitVotes({SignedAttestation{}}, seconds(10)).status().code(), absl::StatusCode::kInternal);
}

TEST_F(GrpcBeaconClientTest, RefusesAnAnswerOfTooManyFields) {
  service_.get_duties = [](const v1::GetDutiesRequest&, v1::GetDutiesResponse& response) {
    for (int i = 0; i < 200'000; ++i) response.add_duties();
    return grpc::Status::OK;
  };
  EXPECT_EQ(client_->GetDuties({}, 9, seconds(30)).status().code(), absl::StatusCode::kInternal);
}

TEST_F(GrpcBeaconClientTest, AHungBeaconIsLeftAtTheDeadline) {
  service_.hang = true;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client_->BuildVote(9, FakeRoot(1), milliseconds(100)).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
  service_.hang = false;
  service_.build_vote = [](const v1::BuildVoteRequest&, v1::BuildVoteResponse& response) {
    *response.mutable_data() = VoteData(9);
    return grpc::Status::OK;
  };
  EXPECT_TRUE(client_->BuildVote(9, FakeRoot(1), seconds(10)).ok());
}

TEST_F(GrpcBeaconClientTest, AsksNothingWhenNoTimeIsLeft) {
  std::atomic<int> calls{0};
  service_.build_vote = [&](const v1::BuildVoteRequest&, v1::BuildVoteResponse&) {
    ++calls;
    return grpc::Status::OK;
  };
  for (const int64_t ms : {0, -5}) {
    EXPECT_EQ(client_->BuildVote(9, FakeRoot(1), milliseconds(ms)).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
  EXPECT_EQ(calls, 0);
}

TEST_F(GrpcBeaconClientTest, ReconnectsToABeaconThatCameBack) {
  service_.build_vote = [](const v1::BuildVoteRequest&, v1::BuildVoteResponse& response) {
    *response.mutable_data() = VoteData(9);
    return grpc::Status::OK;
  };
  ASSERT_TRUE(client_->BuildVote(9, FakeRoot(1), seconds(10)).ok());
  const int port = port_;
  StopServer();
  EXPECT_EQ(client_->BuildVote(9, FakeRoot(1), seconds(10)).status().code(), absl::StatusCode::kUnavailable);
  StartServer(port);
  absl::Status status = absl::UnavailableError("not tried");
  for (int i = 0; i < 500 && !status.ok(); ++i) {
    status = client_->BuildVote(9, FakeRoot(1), seconds(10)).status();
    if (!status.ok()) std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(GrpcBeaconClientTest, CancelEndsACallUnderWayAndEveryLaterOne) {
  service_.hang = true;
  absl::Status status;
  std::thread caller([&] { status = client_->BuildVote(9, FakeRoot(1), seconds(600)).status(); });
  service_.hanging.WaitForNotification();
  client_->Cancel();
  caller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client_->BuildVote(9, FakeRoot(1), seconds(600)).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lean::validator
