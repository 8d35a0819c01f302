// What carries the messages of one stream to the network engine. Without gRPC, so that tests carry them in memory,
// where the thread sanitizer sees every access.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_TRANSPORT_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

// One thread may read while another writes. Read, Write and Start block until they succeed or the stream has ended.
class EngineTransport {
 public:
  virtual ~EngineTransport() = default;

  // Called once, before the first message.
  virtual void Start() = 0;
  // False: the stream has ended.
  virtual bool Read(v1::EngineToBeacon* message) = 0;
  virtual bool Write(const v1::BeaconToEngine& message) = 0;
  // Nothing more is written.
  virtual void WritesDone() = 0;
  // Called once, after Read has returned false and the last call has returned. Returns why the stream ended, in the
  // words of the engine or of the transport; may be empty.
  virtual std::string Finish() = 0;
  // Ends the stream. For any thread, before and after Start.
  virtual void Cancel() = 0;
};

// Makes the transport of a new stream. An error says why there is none.
using OpenEngineTransport = std::function<absl::StatusOr<std::unique_ptr<EngineTransport>>()>;

// Streams over gRPC to an address that has passed EngineStream::CheckAddress.
OpenEngineTransport EngineOverGrpc(std::string address);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_TRANSPORT_H_
