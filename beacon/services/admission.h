// A budget for what is in flight, shared between origins.
#ifndef LEAN_BEACON_SERVICES_ADMISSION_H_
#define LEAN_BEACON_SERVICES_ADMISSION_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "beacon/services/submit.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Items and bytes that are in flight at once.
struct InFlight {
  size_t items = 0;
  size_t bytes = 0;
};

struct AdmissionLimits {
  InFlight total;
  InFlight peers;     // all peers together; the rest is left to our own validators
  InFlight one_peer;  // each of them
};

// Thread-safe. Never waits: what does not fit is turned away.
class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits) : limits_(limits) {}

  bool TryAcquire(const Origin& origin, const InFlight& what);

  // As much as was acquired.
  void Release(const Origin& origin, const InFlight& what);

  // Of all origins.
  InFlight used() const;

 private:
  const AdmissionLimits limits_;
  mutable Mutex mutex_;
  InFlight total_ ABSL_GUARDED_BY(mutex_);
  InFlight peers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Origin, InFlight> by_peer_ ABSL_GUARDED_BY(mutex_);  // of peers that have something in flight
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_ADMISSION_H_
