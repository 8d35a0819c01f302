#include "validator_client/signing/remote_signer.h"

#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/client/channel.h"
#include "common/rpc/wire/convert.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "lean/v1/signer.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSlot = 9;

// A signer whose answers a test can change.
class FakeSigner : public v1::Signer::Service {
 public:
  std::function<void(v1::ListKeysResponse&)> bend_keys;
  std::function<grpc::Status(const v1::SignVotesRequest&, v1::SignVotesResponse&)> sign;
  std::atomic<int> calls = 0;

  grpc::Status ListKeys(grpc::ServerContext*, const v1::ListKeysRequest*, v1::ListKeysResponse* response) override {
    for (uint64_t i = 0; i < 2; ++i) {
      v1::SignerKey& key = *response->add_keys();
      key.set_pubkey(rpc::BytesToProto(FakePubkey(i)));
      key.set_validator_index(i);
      key.set_last_slot(999);
      key.set_xmss_log_lifetime(16);
    }
    response->mutable_keys(1)->set_highest_signed_slot(7);
    if (bend_keys) bend_keys(*response);
    return grpc::Status::OK;
  }

  grpc::Status SignVotes(grpc::ServerContext*, const v1::SignVotesRequest* request,
                         v1::SignVotesResponse* response) override {
    ++calls;
    if (sign) return sign(*request, *response);
    for (int i = 0; i < request->votes_size(); ++i) {
      response->add_results()->set_signature(std::string(SignatureBytes().data.size(), static_cast<char>(i + 1)));
    }
    return grpc::Status::OK;
  }
};

class RemoteSignerTest : public ::testing::Test {
 protected:
  RemoteSignerTest() : address_("unix:" + dir_.path() + "/signer") { Serve(); }
  ~RemoteSignerTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  void Serve() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(&fake_);
    server_ = builder.BuildAndStart();
  }

  absl::StatusOr<std::unique_ptr<RemoteSigner>> Connect() {
    ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(address_));
    return RemoteSigner::Connect([channel] { return channel; }, records_, limit_);
  }

  static Attestation Vote(uint64_t index) {
    return Attestation{index, AttestationData{kSlot, {FakeRoot(1), kSlot}, {FakeRoot(2), 0}, {FakeRoot(2), 0}}};
  }

  TemporaryFolder dir_;
  const std::string address_;
  FakeSigner fake_;
  RemoteRecords records_;
  NoSlotLimit limit_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(RemoteSignerTest, HasTheSignersKeysAndWhatTheyHaveSigned) {
  const auto signer = Connect();
  ASSERT_TRUE(signer.ok()) << signer.status();
  const KeySetPtr keys = (*signer)->keys();
  ASSERT_EQ(keys->size(), 2);
  const ValidatorKey& key = keys->all()[1];
  EXPECT_EQ(key.index, 1);
  EXPECT_EQ(key.key->pubkey(), FakePubkey(1));
  EXPECT_EQ(key.key->active_slots(), (SlotRange{0, 1000}));
  EXPECT_EQ(key.key->log_lifetime(), 16);
  EXPECT_EQ(*(*signer)->HighestSlot(key), 7);
  EXPECT_EQ(*(*signer)->HighestSlot(keys->all()[0]), std::nullopt);
  EXPECT_FALSE(key.key->Sign(kSlot, FakeRoot(1)).ok()) << "whole votes only";
  EXPECT_FALSE(records_.Reserve({{FakePubkey(0), kSlot, FakeRoot(1)}}).ok()) << "nothing is granted here";
}

TEST_F(RemoteSignerTest, SendsWholeVotesAndTakesAResultForEach) {
  const auto signer = Connect();
  ASSERT_TRUE(signer.ok()) << signer.status();
  fake_.sign = [](const v1::SignVotesRequest& request, v1::SignVotesResponse& response) {
    EXPECT_EQ(request.slot(), kSlot);
    EXPECT_EQ(request.votes_size(), 2);
    EXPECT_EQ(request.votes(1).pubkey(), rpc::BytesToProto(FakePubkey(1)));
    EXPECT_EQ(request.votes(1).attestation().validator_index(), 1);
    response.add_results()->set_signature(std::string(SignatureBytes().data.size(), 'x'));
    response.add_results()->set_reason("RECORDS");
    response.mutable_results(1)->set_message("the leaf has signed");
    return grpc::Status::OK;
  };
  const auto results = (*signer)->Sign(kSlot, {Vote(0), Vote(5), Vote(1)});
  ASSERT_EQ(results.size(), 3);
  ASSERT_TRUE(results[0].ok()) << results[0].status();
  EXPECT_EQ(results[0]->data[0], 'x');
  EXPECT_EQ(results[1].status().code(), absl::StatusCode::kFailedPrecondition) << "not one of the signer's";
  EXPECT_THAT(results[2].status().message(), HasSubstr("the leaf has signed"));
  EXPECT_TRUE(*(*signer)->LeafUsed((*signer)->keys()->all()[0], kSlot));
  const auto may = [this](uint64_t index, uint64_t slot, const Root& root) {
    return *records_.MayHaveSigned({FakePubkey(index), slot, root});
  };
  EXPECT_TRUE(may(0, kSlot, ssz::HashTreeRoot(Vote(0))));
  EXPECT_FALSE(may(0, kSlot, FakeRoot(1))) << "asked for by another client";
  EXPECT_FALSE(may(0, kSlot + 1, FakeRoot(1)));
  EXPECT_TRUE(may(1, 7, FakeRoot(1))) << "before this client asked for anything";
  EXPECT_FALSE(may(1, kSlot, ssz::HashTreeRoot(Vote(1))));
  EXPECT_EQ(*records_.SignedRoots(kSlot, 10), std::vector<Root>{ssz::HashTreeRoot(Vote(0))});
  EXPECT_EQ(*records_.SignedRoots(kSlot + 1, 10), std::vector<Root>());
  EXPECT_FALSE(*(*signer)->LeafUsed((*signer)->keys()->all()[1], kSlot)) << "refused, so nothing is known to be used";
}

TEST_F(RemoteSignerTest, AnAnswerThatIsLostMayHaveUsedTheLeaf) {
  const auto signer = Connect();
  ASSERT_TRUE(signer.ok()) << signer.status();
  fake_.sign = [](const v1::SignVotesRequest&, v1::SignVotesResponse&) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  };
  EXPECT_FALSE((*signer)->Sign(kSlot, {Vote(0)})[0].ok());
  EXPECT_EQ(fake_.calls, 1) << "not tried again";
  EXPECT_TRUE(*(*signer)->LeafUsed((*signer)->keys()->all()[0], kSlot));
}

TEST_F(RemoteSignerTest, OddAnswersSignNothing) {
  const auto signer = Connect();
  ASSERT_TRUE(signer.ok()) << signer.status();
  fake_.sign = [](const v1::SignVotesRequest&, v1::SignVotesResponse&) { return grpc::Status::OK; };
  EXPECT_FALSE((*signer)->Sign(kSlot, {Vote(0)})[0].ok()) << "a result is missing";
  fake_.sign = [](const v1::SignVotesRequest&, v1::SignVotesResponse& response) {
    response.add_results()->set_signature("short");
    return grpc::Status::OK;
  };
  EXPECT_FALSE((*signer)->Sign(kSlot + 1, {Vote(0)})[0].ok());
}

TEST_F(RemoteSignerTest, OddKeysAreRefused) {
  const std::vector<std::function<void(v1::ListKeysResponse&)>> bends = {
      [](v1::ListKeysResponse& answer) { answer.clear_keys(); },
      [](v1::ListKeysResponse& answer) { answer.mutable_keys(0)->set_pubkey("short"); },
      [](v1::ListKeysResponse& answer) { answer.mutable_keys(1)->set_validator_index(0); },
      [](v1::ListKeysResponse& answer) { answer.mutable_keys(1)->set_pubkey(answer.keys(0).pubkey()); },
      [](v1::ListKeysResponse& answer) { answer.mutable_keys(1)->set_xmss_log_lifetime(8); },
      [](v1::ListKeysResponse& answer) { answer.mutable_keys(1)->set_first_slot(1000); },
  };
  for (const auto& bend : bends) {
    fake_.bend_keys = bend;
    EXPECT_EQ(Connect().status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(RemoteSignerTest, ASignerThatComesBackIsUsedAgain) {
  const auto signer = Connect();
  ASSERT_TRUE(signer.ok()) << signer.status();
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE((*signer)->Sign(kSlot, {Vote(0)})[0].ok());
  Serve();
  uint64_t slot = kSlot;
  const auto signs = [&] {
    Attestation vote = Vote(0);
    vote.data.slot = ++slot;
    return (*signer)->Sign(slot, {vote})[0].ok();
  };
  while (!signs()) std::this_thread::yield();  // it reconnects by itself
}

}  // namespace
}  // namespace lean::validator
