// How a peer is asked for blocks: by unary calls when we dialled it, over its Answer stream when it dialled us.
#ifndef LEAN_BEACON_NETWORK_ANSWER_STREAMS_H_
#define LEAN_BEACON_NETWORK_ANSWER_STREAMS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/network/handshake.h"
#include "beacon/network/streams.h"
#include "common/clock/clock.h"
#include "grpcpp/generic/generic_stub.h"
#include "lean/v1/peer.pb.h"

namespace lean::beacon {

// For an answer to be there.
inline constexpr std::chrono::seconds kAnswerTime{8};

// Requests that one peer is asked at once.
inline constexpr size_t kMaxRequestsOpen = 4;

// Asks one peer. Thread-safe.
class BlockAsker {
 public:
  using Done = std::function<void(absl::StatusOr<v1::BlocksResponse>)>;

  virtual ~BlockAsker() = default;

  // `done` is called exactly once, from gRPC's threads or that of Tick or Close, or before the call returns.
  // ResourceExhausted: kMaxRequestsOpen are open. DeadlineExceeded after kAnswerTime. Unavailable: closed.
  virtual void Ask(const v1::BlocksRequest& request, Done done) = 0;
  virtual size_t open() const = 0;
  // Close was called, or its stream has ended.
  virtual bool closed() const = 0;
  virtual void Tick(SteadyTime now) = 0;
  // Ends what is open, and its streams.
  virtual void Close() = 0;
};

// For a peer that we dialled. Its unary calls live as long as they take; each keeps the asker alive.
class UnaryAsker final : public BlockAsker, public std::enable_shared_from_this<UnaryAsker> {
 public:
  UnaryAsker(std::shared_ptr<grpc::GenericStub> stub, const SessionId& session)
      : stub_(std::move(stub)), session_(session) {}

  // What has to be cancelled with the link: the stream that answers the peer's own requests.
  void SetOnClose(std::function<void()> on_close);

  void Ask(const v1::BlocksRequest& request, Done done) override;
  size_t open() const override;
  bool closed() const override;
  void Tick(SteadyTime) override {}  // gRPC watches the deadlines
  void Close() override;

 private:
  struct Call;

  void Finish(const std::shared_ptr<Call>& call, const grpc::Status& status);

  const std::shared_ptr<grpc::GenericStub> stub_;
  const SessionId session_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool closed_ = false;
  std::set<std::shared_ptr<Call>> calls_;
  std::function<void()> on_close_;
};

// For a peer that dialled us: the listener's end of its Answer stream.
class StreamAsker final : public BlockAsker, public StreamHandler, public std::enable_shared_from_this<StreamAsker> {
 public:
  // Attaches the asker to the link of this session; false: there is none.
  using Attach = std::function<bool(const SessionId&, std::shared_ptr<BlockAsker>)>;
  // What is no answer is told here, and the stream broken off.
  using Malformed = std::function<void(const SessionId&, std::string)>;

  StreamAsker(const Clock& clock, Attach attach, Malformed malformed)
      : clock_(clock), attach_(std::move(attach)), malformed_(std::move(malformed)), since_(clock.Steady()) {}

  void Start(Stream* stream);
  // It has named its session.
  bool attached() const;

  void Ask(const v1::BlocksRequest& request, Done done) override;
  size_t open() const override;
  bool closed() const override;
  void Tick(SteadyTime now) override;
  void Close() override;

  void OnRead(bool ok, const grpc::ByteBuffer& message) override;
  void OnWritten(bool ok) override;
  void OnClosed(const grpc::Status& status) override;

 private:
  struct Open {
    Done done;
    SteadyTime deadline;
  };

  void OnAnswer(v1::BlocksAnswer answer);
  void Break(const std::string& why);
  void PumpLocked();

  const Clock& clock_;
  const Attach attach_;
  const Malformed malformed_;
  const SteadyTime since_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Stream* stream_ = nullptr;
  bool attached_ = false;
  bool closed_ = false;
  bool writing_ = false;
  SessionId session_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Open> open_;
  std::deque<v1::BlocksRequest> to_send_;
};

// The dialler's end of an Answer stream: answers one request after the other.
class AnswerStream final : public StreamHandler, public std::enable_shared_from_this<AnswerStream> {
 public:
  // Answers on another thread, later; may drop the reply.
  using Serve = std::function<void(v1::BlocksRequest, std::function<void(absl::StatusOr<v1::BlocksResponse>)>)>;

  explicit AnswerStream(Serve serve) : serve_(std::move(serve)) {}

  // Names the session first.
  void Start(Stream* stream, const SessionId& session);
  void Cancel();

  void OnRead(bool ok, const grpc::ByteBuffer& message) override;
  void OnWritten(bool ok) override;
  void OnClosed(const grpc::Status& status) override;

 private:
  const Serve serve_;
  std::mutex mutex_;
  Stream* stream_ = nullptr;  // guarded by mutex_
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ANSWER_STREAMS_H_
