#include "beacon/services/events/vote_groups.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lean::beacon {

std::vector<VoteGroup> GroupByHead(absl::Span<const Attestation* const> votes) {
  std::map<std::pair<uint64_t, Root>, VoteGroup> groups;
  for (const Attestation* vote : votes) {
    VoteGroup& group = groups[{vote->data.slot, vote->data.head.root}];
    group.slot = vote->data.slot;
    group.head = vote->data.head;
    group.validators.push_back(vote->validator_id);
  }
  std::vector<VoteGroup> ordered;
  ordered.reserve(groups.size());
  for (auto& [place, group] : groups) {
    std::sort(group.validators.begin(), group.validators.end());
    group.validators.erase(std::unique(group.validators.begin(), group.validators.end()), group.validators.end());
    ordered.push_back(std::move(group));
  }
  return ordered;
}

size_t BytesInside(const std::vector<VoteGroup>& groups) {
  size_t bytes = groups.capacity() * sizeof(VoteGroup);
  for (const VoteGroup& group : groups) bytes += group.validators.capacity() * sizeof(uint64_t);
  return bytes;
}

}  // namespace lean::beacon
