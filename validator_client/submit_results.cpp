#include "validator_client/submit_results.h"

#include <algorithm>

namespace lean::validator {

bool AllTaken(const std::vector<SubmitResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const SubmitResult& result) {
    return result.status == SubmitResult::Status::kAccepted || result.status == SubmitResult::Status::kAlreadyKnown;
  });
}

std::vector<SubmitResult> BetterOf(std::vector<SubmitResult> first, const std::vector<SubmitResult>& second) {
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    // The enumerators stand in order, the best one first.
    if (second[i].status < first[i].status) first[i] = second[i];
  }
  return first;
}

}  // namespace lean::validator
