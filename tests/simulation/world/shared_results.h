// Results that are the same on every node: computed by the first node that needs them, by the real functions, and
// looked up by the others.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SHARED_RESULTS_H_
#define LEAN_TESTS_SIMULATION_WORLD_SHARED_RESULTS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "beacon/chain/chain_functions.h"
#include "beacon/services/checks/signature_verifier.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::simulation {

// Values by key, the newest ones.
template <typename Key, typename Value>
class Memo {
 public:
  explicit Memo(size_t capacity) : capacity_(capacity) {}

  // The value of a key; `compute` makes it the first time.
  template <typename Compute>
  const Value& Get(const Key& key, const Compute& compute) {
    const auto found = values_.find(key);
    if (found != values_.end()) return found->second;
    Value value = compute();
    if (order_.size() == capacity_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
    return values_.emplace(key, std::move(value)).first->second;
  }

 private:
  const size_t capacity_;
  absl::node_hash_map<Key, Value> values_;
  std::deque<Key> order_;  // of values_
};

// One thread. Outlives the functions that it gives.
class SharedResults {
 public:
  explicit SharedResults(size_t validators) : vote_ids_(kVoteSlots * 2 * (validators + 1)) {}

  beacon::ChainFunctions ChainFunctions();
  beacon::VerifierFunctions VerifierFunctions();

 private:
  // A signed vote, alone or in a block, by its address; the owner keeps it.
  struct VotePlace {
    const Attestation* vote = nullptr;
    const SignatureBytes* signature = nullptr;
    std::shared_ptr<const void> owner;

    friend bool operator==(const VotePlace& a, const VotePlace& b) {
      return a.vote == b.vote && a.signature == b.signature;
    }
    template <typename H>
    friend H AbslHashValue(H state, const VotePlace& place) {
      return H::combine(std::move(state), place.vote, place.signature);
    }
  };

  static constexpr size_t kVoteSlots = 8;
  static constexpr size_t kBlocks = 256;

  Root BodyRoot(const beacon::SignedBlockPtr& block);

  // By address; the key keeps the block.
  Memo<beacon::SignedBlockPtr, Root> body_roots_{kBlocks};
  Memo<Root, absl::StatusOr<beacon::StatePtr>> transitions_{kBlocks};  // by block
  Memo<VotePlace, beacon::SignedVoteId> vote_ids_;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SHARED_RESULTS_H_
