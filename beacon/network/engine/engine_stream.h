// The stream to the network engine. Opens again whenever it ends.
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
#include "beacon/network/engine/engine_link.h"
#include "beacon/network/engine/engine_transport.h"
#include "beacon/network/engine/outbox.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Thread-safe, except for Start and Stop. Has two threads: one reads, one writes.
class EngineStream final : public EngineLink {
 public:
  // Pauses between attempts grow from the first to the last. After a long-lived stream the next attempt is immediate.
  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLastPause{2000};

  // OK for unix:PATH and 127.0.0.1:PORT. InvalidArgument otherwise: a remote host must not act as the engine.
  static absl::Status CheckAddress(const std::string& address);

  // References outlive the stream. `address` is for people.
  EngineStream(std::string address, OpenEngineTransport open, EngineLinkOwner& owner, Clock& clock,
               std::shared_ptr<spdlog::logger> log)
      : address_(std::move(address)), open_(std::move(open)), owner_(owner), clock_(clock), log_(std::move(log)) {}
  // As Stop().
  ~EngineStream() override;
  EngineStream(const EngineStream&) = delete;
  EngineStream& operator=(const EngineStream&) = delete;

  void Start() override;
  void Stop() override;
  void Send(uint64_t stream, v1::BeaconToEngine message) override;
  void Tick(SteadyTime now) override;

  uint64_t attached() const override;
  size_t waiting_answer_bytes() const override;
  metrics::Footprint queue() const override;
  v1::EngineHello hello() const override;
  std::string trouble() const override;
  uint64_t lost() const override;
  void Watch(std::function<void(bool attached)> watcher) override;

 private:
  void Run(const std::stop_token& stop);
  // Runs one stream from its first message to its end. Returns why it ended, and sets whether it was attached.
  std::string RunStream(SteadyTime begin, bool* was_attached);
  absl::Status Handle(const v1::EngineToBeacon& message);
  // Ends the stream because of a message that violates the contract.
  void Refuse(const absl::Status& status);
  // Stops sending. False: no stream was attached.
  bool Detach();
  // Sends queued messages until the stream ends or Stop is called.
  void WriteAll(EngineTransport& transport);

  void EndLocked(std::string why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellWatcherLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (watcher_ != nullptr) watcher_(attached_ != 0);
  }

  const std::string address_;
  const OpenEngineTransport open_;
  EngineLinkOwner& owner_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  LineLimit log_limit_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t attached_ ABSL_GUARDED_BY(mutex_) = 0;                 // number of the attached stream; 0: none
  EngineTransport* transport_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the current stream
  Outbox outbox_ ABSL_GUARDED_BY(mutex_);
  std::optional<SteadyTime> writing_since_ ABSL_GUARDED_BY(mutex_);  // start of the write in progress
  SteadyTime heard_ ABSL_GUARDED_BY(mutex_);        // time of the last message, or of the stream's start
  std::string ending_why_ ABSL_GUARDED_BY(mutex_);  // why we end the stream
  v1::EngineHello hello_ ABSL_GUARDED_BY(mutex_);
  std::string trouble_ ABSL_GUARDED_BY(mutex_);
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void(bool)> watcher_ ABSL_GUARDED_BY(mutex_);

  uint64_t number_ = 0;  // of the newest stream; used by the thread only
  std::jthread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_
