#include "beacon/chain/vote_map.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {

const SignedVotePtr& VoteMap::Find(uint64_t validator) const {
  static const SignedVotePtr kNoVote;
  const auto it = places_.find(validator);
  return it == places_.end() ? kNoVote : votes_[it->second];
}

void VoteMap::Set(SignedVotePtr vote) {
  const auto [it, inserted] = places_.try_emplace(vote->message.validator_id, votes_.size());
  if (inserted) {
    votes_.push_back(std::move(vote));
  } else {
    votes_[it->second] = std::move(vote);
  }
}

void VoteMap::Erase(uint64_t validator) {
  const auto it = places_.find(validator);
  if (it == places_.end()) return;
  votes_[it->second] = nullptr;
  places_.erase(it);
  // Setting and erasing a vote repeatedly must not make the gaps grow.
  if (votes_.size() > 2 * places_.size() + 16) Compact();
}

void VoteMap::Clear() {
  places_.clear();
  votes_.clear();
}

std::vector<SignedVotePtr> VoteMap::ToVector() const {
  std::vector<SignedVotePtr> votes;
  votes.reserve(size());
  ForEach([&votes](const SignedVotePtr& vote) { votes.push_back(vote); });
  return votes;
}

void VoteMap::Compact() {
  votes_.erase(std::remove(votes_.begin(), votes_.end(), nullptr), votes_.end());
  for (size_t place = 0; place < votes_.size(); ++place) places_[votes_[place]->message.validator_id] = place;
}

}  // namespace lean::beacon
