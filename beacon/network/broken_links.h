// Links that ended without a goodbye: by their connection's end, which is nobody's fault, or by their peer's doing.
#ifndef LEAN_BEACON_NETWORK_BROKEN_LINKS_H_
#define LEAN_BEACON_NETWORK_BROKEN_LINKS_H_

#include <chrono>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "beacon/network/link.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// A connection takes all of its streams with it. So the stream that answers our requests, over the same connection,
// tells the two apart: it stands when gRPC has ended the other one for a message that is too large, or the peer
// has. Without such a stream the peer has the worse of it. Thread-safe.
class BrokenLinks {
 public:
  // By then the end of a connection has shown on all of its streams.
  static constexpr std::chrono::seconds kWait{1};

  // One that broke_off().
  void Add(LinkPtr link, SteadyTime now);
  // Those of kWait ago whose peers are to blame. What asks over any of that age is closed.
  std::vector<LinkPtr> Judge(SteadyTime now);
  // Closes what asks over any of them.
  void Stop();

 private:
  using Broken = std::deque<std::pair<SteadyTime, LinkPtr>>;

  std::mutex mutex_;
  Broken broken_;  // guarded by mutex_; in order of time
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_BROKEN_LINKS_H_
