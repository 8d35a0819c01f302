// The stream to the network engine: opened, kept open, and opened again when it ends.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "beacon/network/peer_channels.h"
#include "beacon/network/streams.h"
#include "beacon/network_engine/engine_codec.h"
#include "beacon/network_engine/engine_outbox.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Who works with the stream. Calls come one after the other; but for Hello, from gRPC's threads and under no lock.
// `stream` numbers the streams of this process, from 1 on.
class EngineStreamOwner {
 public:
  virtual ~EngineStreamOwner() = default;

  // The first message of a stream. Must not call the stream.
  virtual v1::BeaconHello Hello() = 0;
  // The engine has said hello: from now on Send works.
  virtual void OnAttached(uint64_t stream, const EngineInfo& info) = 0;
  // Not OK: this is not of the contract, and the stream ends.
  virtual absl::Status OnMessage(uint64_t stream, const v1::EngineToBeacon& message) = 0;
  // A stream that was attached has ended.
  virtual void OnDetached(uint64_t stream) = 0;
};

// Thread-safe, except for Tick and Stop.
class EngineStream {
 public:
  // Pauses between attempts grow from the first to the last; an engine that stood for long is dialled at once.
  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLastPause{2000};

  // OK for unix:PATH and 127.0.0.1:PORT. InvalidArgument says what is expected: nobody else may speak for an engine.
  static absl::Status CheckAddress(const std::string& address);

  // All of it outlives the stream. `address` has passed CheckAddress.
  EngineStream(std::string address, EngineStreamOwner& owner, const Clock& clock, std::shared_ptr<spdlog::logger> log);
  // As Stop().
  ~EngineStream();
  EngineStream(const EngineStream&) = delete;
  EngineStream& operator=(const EngineStream&) = delete;

  // Opens a stream when it is time to, and ends one that stands still. To be called several times a second.
  void Tick(SteadyTime now);
  // Ends the stream and waits until it has. May be called again.
  void Stop();

  // Calls add(EngineOutbox&) and sends what that has added, when `stream` is the one that is attached; otherwise it is
  // void, and so is what it would have added.
  template <typename Add>
  void Send(uint64_t stream, Add add) {
    std::lock_guard lock(mutex_);
    if (stream == 0 || stream != AttachedLocked()) return;
    add(outbox_);
    PumpLocked();
  }

  // The number of the stream that is attached; 0: none is.
  uint64_t attached() const;
  size_t waiting_answer_bytes() const;
  // What the engine said of itself last.
  std::optional<EngineInfo> info() const;
  // Why there is no engine, for people; empty while one is attached.
  std::string trouble() const;
  // Streams that were attached and have ended.
  uint64_t lost() const;

 private:
  class Session;
  enum class State { kIdle, kHello, kAttached, kEnding };

  void DialLocked(SteadyTime now);
  void OnRead(bool ok, const grpc::ByteBuffer& bytes);
  void OnWritten(bool ok);
  void OnClosed(const grpc::Status& status);
  absl::Status Handle(const grpc::ByteBuffer& bytes);

  uint64_t AttachedLocked() const { return state_ == State::kAttached ? number_ : 0; }
  void PumpLocked();
  void WriteLocked(const v1::BeaconToEngine& message, SteadyTime now);
  void EndLocked(std::string why);
  void LogTroubleLocked(SteadyTime now);

  const std::string address_;
  EngineStreamOwner& owner_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  LineLimit log_limit_;
  PeerChannels channels_;

  mutable std::mutex mutex_;
  std::condition_variable closed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  State state_ = State::kIdle;
  uint64_t number_ = 0;       // of the newest stream
  Stream* stream_ = nullptr;  // null once it is closed
  EngineOutbox outbox_;
  bool writing_ = false;
  SteadyTime writing_since_;
  SteadyTime heard_;           // the last message, or the begin of the stream
  bool was_attached_ = false;  // the newest stream
  SteadyTime attached_since_;
  std::string ending_why_;  // why we ended the stream
  std::chrono::milliseconds pause_ = kFirstPause;
  SteadyTime next_dial_;
  std::optional<EngineInfo> info_;
  std::string trouble_ = "it was not dialled yet";
  SteadyTime trouble_since_;
  std::optional<SteadyTime> trouble_logged_;
  uint64_t lost_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_STREAM_H_
