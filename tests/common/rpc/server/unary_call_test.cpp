#include "common/rpc/server/unary_call.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/client/channel.h"
#include "common/rpc/server/server.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/rpc/server/test_service.h"

namespace lean::rpc {
namespace {

using v1::GetValidatorsRequest;
using v1::GetValidatorsResponse;

// One answer, kept by the test until it is given.
class KeptReply {
 public:
  TestService::Handle Handler() {
    return
        [this](const GetValidatorsRequest&, Reply<GetValidatorsResponse> reply) { begun_.set_value(std::move(reply)); };
  }
  Reply<GetValidatorsResponse> Take() { return begun_.get_future().get(); }

 private:
  std::promise<Reply<GetValidatorsResponse>> begun_;
};

class UnaryCallTest : public ::testing::Test {
 protected:
  void Serve(TestService::Handle handle, size_t capacity = 8, const UnreadLimits& unread = {}) {
    pool_ = std::make_unique<TestPool>(capacity);
    service_ = std::make_unique<TestService>(pool_->Scheduler(), std::move(handle), unread);
    auto server = Server::Start({.address = "127.0.0.1:0", .tls = {}, .log = SilentLog()},
                                {{service_.get(), v1::BeaconService::service_full_name()}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto channel = MakeChannel(server_->address().ToString());
    ASSERT_TRUE(channel.ok()) << channel.status();
    channel_ = *channel;
  }

  // Runs one call to its end on a thread of its own.
  std::future<absl::Status> CallAsync(grpc::ClientContext& context) {
    return std::async(std::launch::async, [this, &context] {
      GetValidatorsResponse response;
      return FromGrpcStatus(
          v1::BeaconService::NewStub(channel_)->GetValidators(&context, GetValidatorsRequest(), &response));
    });
  }

  absl::Status CallWithBytes(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    std::promise<grpc::Status> done;
    grpc::GenericStub(channel_).UnaryCall(&context, "/lean.v1.BeaconService/GetValidators", {}, &request, &response,
                                          [&](grpc::Status status) { done.set_value(std::move(status)); });
    return FromGrpcStatus(done.get_future().get());
  }

  // The server's own view of a call lags behind the client's by a moment.
  void AwaitNoCalls() {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (service_->dispatcher().active() != 0 && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    EXPECT_EQ(service_->dispatcher().active(), 0);
  }

  std::unique_ptr<TestPool> pool_;
  std::unique_ptr<TestService> service_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TestService::Handle Echo() {
  return [](const GetValidatorsRequest& request, auto reply) {
    GetValidatorsResponse response;
    response.set_total(request.start());
    reply(std::move(response));
  };
}

TEST_F(UnaryCallTest, AnswersFromAnotherThread) {
  KeptReply kept;
  Serve(kept.Handler());
  grpc::ClientContext context;
  auto status = CallAsync(context);
  Reply<GetValidatorsResponse> reply = kept.Take();
  EXPECT_EQ(service_->dispatcher().active(), 1);
  std::thread([&] { reply(GetValidatorsResponse()); }).join();
  EXPECT_EQ(status.get(), absl::OkStatus());
  reply = nullptr;
  AwaitNoCalls();
}

TEST_F(UnaryCallTest, OnlyTheFirstAnswerCounts) {
  Serve([](const GetValidatorsRequest&, Reply<GetValidatorsResponse> reply) {
    reply(GetValidatorsResponse());
    reply(absl::InternalError("second"));
  });
  grpc::ClientContext context;
  EXPECT_EQ(CallAsync(context).get(), absl::OkStatus());
}

TEST_F(UnaryCallTest, BytesThatAreNoMessageAreMalformed) {
  Serve(Echo());
  for (const std::string& bytes : {std::string("\xff\xff"), std::string("\x08"), std::string("\x0a\x05x")}) {
    const absl::Status status = CallWithBytes(bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), "MALFORMED_REQUEST");
  }
  EXPECT_EQ(CallWithBytes("\x08\x01"), absl::OkStatus());
}

TEST_F(UnaryCallTest, AMillionEmptyFieldsAreMalformed) {
  Serve(Echo());
  std::string bytes;
  for (int i = 0; i < 1'000'000; ++i) bytes += std::string("\x08\x00", 2);
  EXPECT_EQ(ReasonOf(CallWithBytes(bytes)), "MALFORMED_REQUEST");
}

TEST_F(UnaryCallTest, ADeadlineEndsACallThatIsNeverAnswered) {
  KeptReply kept;
  Serve(kept.Handler());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(3));
  auto status = CallAsync(context);
  Reply<GetValidatorsResponse> reply = kept.Take();
  EXPECT_EQ(status.get().code(), absl::StatusCode::kDeadlineExceeded);
  // The answer comes too late, goes nowhere, and the call is released.
  reply(GetValidatorsResponse());
  reply = nullptr;
  AwaitNoCalls();
}

TEST_F(UnaryCallTest, ACallerThatLeavesReleasesItsCall) {
  KeptReply kept;
  Serve(kept.Handler());
  grpc::ClientContext context;
  auto status = CallAsync(context);
  Reply<GetValidatorsResponse> reply = kept.Take();
  context.TryCancel();
  EXPECT_EQ(status.get().code(), absl::StatusCode::kCancelled);
  reply = nullptr;
  AwaitNoCalls();
}

TEST_F(UnaryCallTest, WorkIsNotBegunAfterTheDeadline) {
  std::atomic<int> begun{0};
  std::promise<void> release;
  Serve([&](const GetValidatorsRequest&, Reply<GetValidatorsResponse> reply) {
    if (begun.fetch_add(1) == 0) release.get_future().wait();
    reply(GetValidatorsResponse());
  });
  grpc::ClientContext first;
  auto first_status = CallAsync(first);
  while (begun.load() == 0) std::this_thread::yield();

  constexpr std::chrono::milliseconds kTimeout{3000};
  grpc::ClientContext second;
  second.set_deadline(std::chrono::system_clock::now() + kTimeout);
  auto second_status = CallAsync(second);
  pool_->AwaitWaiting(1);
  // The server had the call by now, and with it its timeout, which gRPC has rounded up by a tenth at most.
  const auto server_deadline = std::chrono::system_clock::now() + kTimeout + kTimeout / 10;
  EXPECT_EQ(second_status.get().code(), absl::StatusCode::kDeadlineExceeded);
  std::this_thread::sleep_until(server_deadline);

  release.set_value();
  EXPECT_EQ(first_status.get(), absl::OkStatus());
  pool_->AwaitWaiting(0);
  AwaitNoCalls();
  EXPECT_EQ(begun.load(), 1);
}

TEST_F(UnaryCallTest, AFullPoolRefusesAndGoesOn) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> begun{0};
  Serve(
      [&begun, released](const GetValidatorsRequest&, Reply<GetValidatorsResponse> reply) {
        begun.fetch_add(1);
        released.wait();
        reply(GetValidatorsResponse());
      },
      1);
  grpc::ClientContext running;
  auto running_status = CallAsync(running);
  while (begun.load() == 0) std::this_thread::yield();
  grpc::ClientContext waiting;
  auto waiting_status = CallAsync(waiting);
  pool_->AwaitWaiting(1);

  grpc::ClientContext refused;
  const absl::Status status = CallAsync(refused).get();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");

  release.set_value();
  EXPECT_EQ(running_status.get(), absl::OkStatus());
  EXPECT_EQ(waiting_status.get(), absl::OkStatus());
  AwaitNoCalls();
}

// A call of whose answer no more than its beginning is read until Read.
class LateReader {
 public:
  explicit LateReader(const std::shared_ptr<grpc::Channel>& channel)
      : call_(v1::BeaconService::NewStub(channel)->AsyncGetValidators(&context_, GetValidatorsRequest(), &queue_)) {
    call_->ReadInitialMetadata(nullptr);  // sends the request as well
    beginning_ = std::thread([this] { Next(); });
  }
  ~LateReader() {
    context_.TryCancel();
    if (beginning_.joinable()) Read().IgnoreError();
    queue_.Shutdown();
  }

  absl::Status Read() {
    beginning_.join();
    grpc::Status status;
    GetValidatorsResponse response;
    call_->Finish(&response, &status, nullptr);
    Next();
    return FromGrpcStatus(status);
  }

 private:
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<GetValidatorsResponse>> call_;
  std::thread beginning_;
};

constexpr size_t kMiB = size_t{1} << 20;

class UnreadAnswerTest : public UnaryCallTest {
 protected:
  void ServeAnswers(size_t bytes, const UnreadLimits& unread) {
    Serve(
        [this, bytes](const GetValidatorsRequest&, Reply<GetValidatorsResponse> reply) {
          GetValidatorsResponse response;
          response.add_validators()->set_pubkey(std::string(bytes, 'x'));
          reply(std::move(response));
          ++answered_;
        },
        64, unread);
  }
  // A call that the server has answered.
  std::unique_ptr<LateReader> Ask(const std::shared_ptr<grpc::Channel>& channel) {
    auto reader = std::make_unique<LateReader>(channel);
    ++asked_;
    while (answered_ < asked_) std::this_thread::yield();
    return reader;
  }
  // A connection of its own, which takes no more of an answer than is asked for.
  std::shared_ptr<grpc::Channel> Connection() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    return grpc::CreateCustomChannel(server_->address().ToString(), grpc::InsecureChannelCredentials(), arguments);
  }

 private:
  int asked_ = 0;
  std::atomic<int> answered_ = 0;
};

TEST_F(UnreadAnswerTest, WhoDoesNotReadGetsNoMoreAnswers) {
  ServeAnswers(8 * kMiB, {.connection_bytes = 30 * kMiB, .bytes = 100 * kMiB});
  const std::shared_ptr<grpc::Channel> connection = Connection();
  std::vector<std::unique_ptr<LateReader>> unread;
  for (int i = 0; i < 3; ++i) unread.push_back(Ask(connection));
  const absl::Status refused = Ask(connection)->Read();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "OVERLOADED");
  EXPECT_EQ(Ask(Connection())->Read(), absl::OkStatus());
  // What was answered is still there, and once it is read there is room again.
  for (const auto& reader : unread) EXPECT_EQ(reader->Read(), absl::OkStatus());
  unread.clear();
  AwaitNoCalls();
  EXPECT_EQ(Ask(connection)->Read(), absl::OkStatus());
}

TEST_F(UnreadAnswerTest, WhatNobodyReadsGivesWayToWhoReads) {
  ServeAnswers(8 * kMiB, {.connection_bytes = 36 * kMiB, .bytes = 36 * kMiB});
  const std::shared_ptr<grpc::Channel> connection = Connection();
  std::vector<std::unique_ptr<LateReader>> unread;
  for (int i = 0; i < 4; ++i) unread.push_back(Ask(connection));
  EXPECT_EQ(Ask(Connection())->Read(), absl::OkStatus());
  EXPECT_EQ(unread.front()->Read().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(unread.back()->Read(), absl::OkStatus());
  unread.clear();
  AwaitNoCalls();
}

TEST_F(UnaryCallTest, AServerStopsWhileACallIsUnanswered) {
  KeptReply kept;
  Serve(kept.Handler());
  grpc::ClientContext context;
  auto status = CallAsync(context);
  Reply<GetValidatorsResponse> reply = kept.Take();
  server_->Shutdown(std::chrono::milliseconds(50));
  EXPECT_FALSE(status.get().ok());
  reply(GetValidatorsResponse());
  reply = nullptr;
  AwaitNoCalls();
}

}  // namespace
}  // namespace lean::rpc
