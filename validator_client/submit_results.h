// What several beacons said to the same submission, as one answer.
#ifndef LEAN_VALIDATOR_CLIENT_SUBMIT_RESULTS_H_
#define LEAN_VALIDATOR_CLIENT_SUBMIT_RESULTS_H_

#include <vector>

#include "validator_client/beacon_client.h"

namespace lean::validator {

// Every item is in the chain of the beacon that answered: no other needs to be asked.
bool AllTaken(const std::vector<SubmitResult>& results);

// Of two answers for the same items, in order: the better result of each (taken, then queued, then refused).
std::vector<SubmitResult> BetterOf(std::vector<SubmitResult> first, const std::vector<SubmitResult>& second);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SUBMIT_RESULTS_H_
