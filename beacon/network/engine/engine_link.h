// The connection to the network engine, as the network uses it. Without gRPC: EngineStream has the real one, and a
// simulation has its own.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_LINK_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_LINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock/clock.h"
#include "common/metrics/footprint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// Handles the messages of the link. Calls come one at a time and without a lock. `stream` is the number of the stream,
// counted from 1 in this process.
class EngineLinkOwner {
 public:
  virtual ~EngineLinkOwner() = default;

  // The first message of a stream.
  virtual v1::BeaconHello Hello() = 0;
  // The engine has sent its hello. From now on Send works.
  virtual void OnAttached(uint64_t stream) = 0;
  // An error means that the message violates the contract; it ends the stream.
  virtual absl::Status OnMessage(uint64_t stream, const v1::EngineToBeacon& message) = 0;
  // An attached stream has ended.
  virtual void OnDetached(uint64_t stream) = 0;
};

// Opens a stream to the engine again whenever it ends. Thread-safe, except for Start and Stop.
class EngineLink {
 public:
  virtual ~EngineLink() = default;

  virtual void Start() = 0;
  // Ends the stream and waits for its end. May be called again.
  virtual void Stop() = 0;

  // Drops the message when `stream` is not the attached one.
  virtual void Send(uint64_t stream, v1::BeaconToEngine message) = 0;
  // Ends a stream without progress. Call it several times a second.
  virtual void Tick(SteadyTime now) = 0;

  // The number of the attached stream; 0: none.
  virtual uint64_t attached() const = 0;
  // Bytes of the answers to peers that wait to be sent.
  virtual size_t waiting_answer_bytes() const = 0;
  // Of the messages to the engine that wait.
  virtual metrics::Footprint queue() const = 0;
  // The hello of the last engine; empty before the first.
  virtual v1::EngineHello hello() const = 0;
  // Why no engine is attached, for people; empty while one is.
  virtual std::string trouble() const = 0;
  // The number of attached streams that have ended.
  virtual uint64_t lost() const = 0;
  // Calls `watcher` now and at each change with whether an engine is attached. It is called under a lock and must not
  // call back. Null removes the watcher.
  virtual void Watch(std::function<void(bool attached)> watcher) = 0;
};

// Makes the link of a network, which outlives it.
using MakeEngineLink = std::function<std::unique_ptr<EngineLink>(EngineLinkOwner& owner)>;

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_LINK_H_
