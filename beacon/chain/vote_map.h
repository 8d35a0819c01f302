// The latest vote of each validator, in the order in which validators first appeared. A replaced vote keeps its place;
// an erased one loses it. The order is part of the reference's behaviour, since the votes of a body have it. Copying
// copies handles. Thread compatible.
#ifndef LEAN_BEACON_CHAIN_VOTE_MAP_H_
#define LEAN_BEACON_CHAIN_VOTE_MAP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "beacon/chain/chain_types.h"

namespace lean::beacon {

class VoteMap {
 public:
  // The validator's vote, or null. Any index is allowed: fork choice counts what was accepted, and bounds are checked
  // where votes enter the node.
  const SignedVotePtr& Find(uint64_t validator) const;

  // Sets the vote of vote->message.validator_id. vote is not null.
  void Set(SignedVotePtr vote);
  void Erase(uint64_t validator);
  void Clear();

  size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }

  // Calls f(const SignedVotePtr&) for each vote in order.
  template <typename F>
  void ForEach(F f) const {
    for (const SignedVotePtr& vote : votes_) {
      if (vote != nullptr) f(vote);
    }
  }

  // The votes in order.
  std::vector<SignedVotePtr> ToVector() const;

 private:
  // Removes the gaps that Erase left.
  void Compact();

  absl::flat_hash_map<uint64_t, size_t> places_;  // validator to place in votes_
  std::vector<SignedVotePtr> votes_;              // null where a vote was erased
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_VOTE_MAP_H_
