#include "tests/bench/load/clients.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "grpcpp/grpcpp.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "lean/v1/validator.grpc.pb.h"

namespace lean::load {
namespace {

// More than any answer takes that is of use: a duty has an interval.
constexpr std::chrono::seconds kAnswerDeadline{10};
constexpr std::chrono::seconds kConnectDeadline{10};

// Why an answer is bad; empty: it is good.
std::string Complaint(const v1::GetHeadResponse&) { return ""; }
std::string Complaint(const v1::BuildVoteResponse&) { return ""; }
std::string Complaint(const v1::SubmitVotesResponse& response) {
  for (const v1::SubmitResult& result : response.results()) {
    if (result.status() != v1::ACCEPTED && result.status() != v1::QUEUED) return result.reason();
  }
  return "";
}

}  // namespace

struct Clients::Connection {
  explicit Connection(std::shared_ptr<grpc::Channel> its_channel)
      : channel(std::move(its_channel)),
        queries(v1::BeaconService::NewStub(channel)),
        duties(v1::DutyService::NewStub(channel)) {}

  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::BeaconService::Stub> queries;
  const std::unique_ptr<v1::DutyService::Stub> duties;
};

// The tag of a call in the queue.
struct Clients::Pending {
  virtual ~Pending() = default;
  // Why its answer is bad; empty: it is good.
  virtual std::string Why() const = 0;

  Call call;
  grpc::ClientContext context;
  grpc::Status status;
};

template <typename Response>
struct Clients::PendingCall final : Pending {
  std::string Why() const override {
    if (status.ok()) return Complaint(response);
    const std::string reason = rpc::ReasonOf(rpc::FromGrpcStatus(status));
    return reason.empty() ? absl::StrCat("code ", status.error_code()) : reason;
  }

  Response response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
};

absl::StatusOr<std::unique_ptr<Clients>> Clients::Connect(const std::string& beacon, size_t count) {
  std::unique_ptr<Clients> clients(new Clients);
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(auto channel, rpc::MakeChannel(beacon));
    channel->GetState(/*try_to_connect=*/true);
    clients->connections_.push_back(std::make_unique<Connection>(std::move(channel)));
  }
  const auto deadline = std::chrono::system_clock::now() + kConnectDeadline;
  for (const auto& connection : clients->connections_) {
    if (!connection->channel->WaitForConnected(deadline)) {
      return absl::UnavailableError(absl::StrCat("not all of ", count, " connections to ", beacon, " were opened"));
    }
  }
  clients->receiver_ = std::thread([self = clients.get()] { self->Receive(); });
  return clients;
}

Clients::~Clients() {
  queue_.Shutdown();
  if (receiver_.joinable()) receiver_.join();
}

void Clients::Send(size_t client, Time due, const v1::GetHeadRequest& request) {
  Start<v1::GetHeadResponse>(*connections_[client]->queries, &v1::BeaconService::Stub::AsyncGetHead, due, request);
}

void Clients::Send(size_t client, Time due, const v1::BuildVoteRequest& request) {
  Start<v1::BuildVoteResponse>(*connections_[client]->duties, &v1::DutyService::Stub::AsyncBuildVote, due, request);
}

void Clients::Send(size_t client, Time due, const v1::SubmitVotesRequest& request) {
  Start<v1::SubmitVotesResponse>(*connections_[client]->duties, &v1::DutyService::Stub::AsyncSubmitVotes, due, request);
}

template <typename Response, typename Stub, typename Request, typename Method>
void Clients::Start(Stub& stub, Method method, Time due, const Request& request) {
  auto pending = std::make_unique<PendingCall<Response>>();
  pending->context.set_deadline(std::chrono::system_clock::now() + kAnswerDeadline);
  pending->call.due = due;
  {
    MutexLock lock(mutex_);
    ++under_way_;
  }
  pending->call.sent = std::chrono::steady_clock::now();
  pending->reader = (stub.*method)(&pending->context, request, &queue_);
  PendingCall<Response>* const tag = pending.release();  // Receive owns it again
  tag->reader->Finish(&tag->response, &tag->status, tag);
}

void Clients::Receive() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(tag));
    pending->call.done = std::chrono::steady_clock::now();
    const std::string why = pending->Why();
    pending->call.good = why.empty();
    {
      MutexLock lock(mutex_);
      calls_.push_back(pending->call);
      if (!why.empty()) ++errors_[why];
      --under_way_;
    }
    changed_.NotifyAll();
  }
}

void Clients::Wait() {
  MutexLock lock(mutex_);
  changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return under_way_ == 0; });
}

std::vector<Call> Clients::TakeCalls() {
  Wait();
  MutexLock lock(mutex_);
  return std::exchange(calls_, {});
}

std::map<std::string, size_t> Clients::errors() const {
  MutexLock lock(mutex_);
  return errors_;
}

}  // namespace lean::load
