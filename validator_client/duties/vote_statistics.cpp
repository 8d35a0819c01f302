#include "validator_client/duties/vote_statistics.h"

#include <algorithm>

namespace lean::validator {

const VoteStatistics::Counts& VoteStatistics::Add(const Attestation& vote) {
  const Link link{vote.data.source.slot, vote.data.target.slot};
  std::deque<Link>& earlier = links_[vote.validator_id];
  const auto encloses = [](const Link& outer, const Link& inner) {
    return outer.source_slot < inner.source_slot && inner.target_slot < outer.target_slot;
  };
  const bool repeated = std::any_of(earlier.begin(), earlier.end(),
                                    [&link](const Link& other) { return other.target_slot == link.target_slot; });
  const bool surrounding = std::any_of(earlier.begin(), earlier.end(), [&](const Link& other) {
    return encloses(link, other) || encloses(other, link);
  });
  counts_.repeated_targets += repeated ? 1 : 0;
  counts_.surrounding += surrounding ? 1 : 0;
  earlier.push_back(link);
  if (earlier.size() > kKept) earlier.pop_front();
  return counts_;
}

}  // namespace lean::validator
