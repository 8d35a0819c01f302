// The stream to the network engine: opened, kept open, and opened again when it ends.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "beacon/network/engine/outbox.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "grpcpp/client_context.h"
#include "lean/v1/network_engine.grpc.pb.h"

namespace lean::beacon {

// Who works with the stream. Calls come one after the other, from the stream's thread and under no lock. `stream`
// numbers the streams of this process, from 1 on.
class EngineStreamOwner {
 public:
  virtual ~EngineStreamOwner() = default;

  // The first message of a stream.
  virtual v1::BeaconHello Hello() = 0;
  // The engine has said hello: from now on Send works.
  virtual void OnAttached(uint64_t stream) = 0;
  // Not OK: this is not of the contract, and the stream ends.
  virtual absl::Status OnMessage(uint64_t stream, const v1::EngineToBeacon& message) = 0;
  // A stream that was attached has ended.
  virtual void OnDetached(uint64_t stream) = 0;
};

// Thread-safe, except for Start and Stop. Two threads of its own: one reads, one writes.
class EngineStream {
 public:
  // Pauses between attempts grow from the first to the last; an engine that stood for long is dialled at once.
  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLastPause{2000};

  // OK for unix:PATH and 127.0.0.1:PORT. InvalidArgument says what is expected: nobody else may speak for an engine.
  static absl::Status CheckAddress(const std::string& address);

  // All of it outlives the stream. `address` has passed CheckAddress.
  EngineStream(std::string address, EngineStreamOwner& owner, Clock& clock, std::shared_ptr<spdlog::logger> log)
      : address_(std::move(address)), owner_(owner), clock_(clock), log_(std::move(log)) {}
  // As Stop().
  ~EngineStream();
  EngineStream(const EngineStream&) = delete;
  EngineStream& operator=(const EngineStream&) = delete;

  void Start();
  // Ends the stream and waits until it has. May be called again.
  void Stop();

  // Void when `stream` is not the one that is attached.
  void Send(uint64_t stream, v1::BeaconToEngine message);
  // Ends a stream that stands still. To be called several times a second.
  void Tick(SteadyTime now);

  // The number of the stream that is attached; 0: none is.
  uint64_t attached() const;
  size_t waiting_answer_bytes() const;
  // What the engine said of itself last; empty: none has said anything yet.
  v1::EngineHello hello() const;
  // Why there is no engine, for people; empty while one is attached.
  std::string trouble() const;
  // Streams that were attached and have ended.
  uint64_t lost() const;
  // Tells whether one is attached, now and at each change, under a lock; it must not call back. Null: no one.
  void Watch(std::function<void(bool attached)> watcher);

 private:
  using Stream = grpc::ClientReaderWriter<v1::BeaconToEngine, v1::EngineToBeacon>;

  void Run(const std::stop_token& stop);
  // A stream from its first message to its end. Says why it has ended, and whether it was attached.
  std::string RunStream(SteadyTime begin, bool* was_attached);
  absl::Status Handle(const v1::EngineToBeacon& message);
  // What came is not of the contract.
  void Refuse(const absl::Status& status);
  // Nothing more is sent. False: it was not attached.
  bool Detach();
  // Sends what waits until the stream ends, or we stop.
  void WriteAll(Stream& stream);

  void EndLocked(std::string why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellWatcherLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (watcher_ != nullptr) watcher_(attached_ != 0);
  }

  const std::string address_;
  EngineStreamOwner& owner_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  LineLimit log_limit_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t attached_ ABSL_GUARDED_BY(mutex_) = 0;                   // the stream that is; 0: none
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the stream that is under way
  Outbox outbox_ ABSL_GUARDED_BY(mutex_);
  std::optional<SteadyTime> writing_since_ ABSL_GUARDED_BY(mutex_);  // the message that is on the way
  SteadyTime heard_ ABSL_GUARDED_BY(mutex_);                         // the last message, or the begin of the stream
  std::string ending_why_ ABSL_GUARDED_BY(mutex_);                   // why we end it
  v1::EngineHello hello_ ABSL_GUARDED_BY(mutex_);
  std::string trouble_ ABSL_GUARDED_BY(mutex_);
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void(bool)> watcher_ ABSL_GUARDED_BY(mutex_);

  uint64_t number_ = 0;  // of the newest stream; the thread's
  std::jthread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_
