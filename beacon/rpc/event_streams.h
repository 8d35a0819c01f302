// BeaconService.StreamEvents: streams of events to callers that each read at their own pace.
#ifndef LEAN_BEACON_RPC_EVENT_STREAMS_H_
#define LEAN_BEACON_RPC_EVENT_STREAMS_H_

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "beacon/services/events/event_history.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/connections/open_connections.h"
#include "common/rpc/server/unary_call.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace lean::beacon {

// A stream has one message at a time on its way, so a caller that does not read costs the memory of that message and
// no more. Messages are made on the schedule. Thread-safe.
class EventStreams {
 public:
  static constexpr size_t kMostStreams = 64;
  static constexpr size_t kMostOfCaller = 16;  // of one Caller::host
  static constexpr size_t kMostEvents = 256;   // in a message

  // `requests` counts what callers send; may be null. `history` outlives this object, and so do the streams: it may be
  // destroyed only after gRPC has ended all of them.
  EventStreams(EventHistory& history, rpc::Schedule schedule, std::shared_ptr<rpc::RequestBytes> requests)
      : history_(history), schedule_(std::move(schedule)), requests_(std::move(requests)) {}

  // The handler of the method.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Open(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes);

  // Refuses further streams, and ends those that are open with SHUTTING_DOWN. May be called again.
  void Stop();

  size_t size() const;

 private:
  class Stream;

  absl::Status Admit(const std::string& host);
  void Enter(const std::shared_ptr<Stream>& stream);
  void Leave(const std::shared_ptr<Stream>& stream, const std::string& host);

  EventHistory& history_;
  const rpc::Schedule schedule_;
  const std::shared_ptr<rpc::RequestBytes> requests_;
  mutable Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;                                  // admitted
  absl::flat_hash_map<std::string, size_t> by_host_ ABSL_GUARDED_BY(mutex_);  // of them; none is 0
  std::set<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_EVENT_STREAMS_H_
