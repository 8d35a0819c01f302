// The errors of several beacons as one.
#ifndef LEAN_VALIDATOR_CLIENT_BEACON_ERRORS_H_
#define LEAN_VALIDATOR_CLIENT_BEACON_ERRORS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "validator_client/beacon_session.h"

namespace lean::validator {

// No thread is free for another call on it.
inline absl::Status BeaconIsBusy() { return absl::UnavailableError("it has not answered earlier calls yet"); }

// Those of the beacons that were tried.
class BeaconErrors {
 public:
  void Add(const BeaconSession& beacon, const absl::Status& status) {
    if (texts_.empty()) first_ = status;
    texts_.push_back(absl::StrCat(beacon.client().name(), ": ", status.message()));
  }

  // The error of one beacon as it is, those of several with their names. `none`: when nothing was tried.
  absl::Status Together(absl::Status none) const {
    if (texts_.empty()) return none;
    if (texts_.size() == 1) return first_;
    return absl::Status(first_.code(), absl::StrJoin(texts_, "; "));
  }

 private:
  absl::Status first_;
  std::vector<std::string> texts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_ERRORS_H_
