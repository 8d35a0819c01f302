// Many chains on one seeded network: every node holds one validator, proposes and votes as the live node does, and
// hears of the others' blocks and votes late, in another order, or, while partitioned, not at all until the partition
// ends. Deterministic: the same options give the same run.
#ifndef LEAN_TESTS_SIMULATION_NETWORK_H_
#define LEAN_TESTS_SIMULATION_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <variant>
#include <vector>

#include "beacon/chain/lean_chain.h"

namespace lean::simulation {

// How nodes choose what to vote for.
enum class VoteRule {
  kOurs,       // beacon::BuildVote
  kReference,  // leanSpec's, but for a target older than its source, which would end the run at once
};

struct NetworkOptions {
  uint64_t seed = 0;
  size_t nodes = 10;
  VoteRule rule = VoteRule::kOurs;
  uint64_t calm_from_slot = 0;  // from here on everything arrives at once and everyone is there
  // Before that:
  uint64_t max_delay = 8;           // intervals that an item may take
  uint32_t absent_percent = 20;     // chance of a duty not being done
  uint64_t partition_slots = 12;    // length of a partition into two; the next one may follow at once
  uint32_t partition_percent = 50;  // chance of being partitioned for that long
};

class Network {
 public:
  explicit Network(const NetworkOptions& options);

  // Runs up to the beginning of a slot.
  void RunTo(uint64_t slot);
  // All nodes vote by this rule from now on.
  void UseRule(VoteRule rule) { options_.rule = rule; }

  const std::vector<beacon::LeanChain>& nodes() const { return nodes_; }
  // Over all nodes.
  uint64_t LowestFinalizedSlot() const;
  uint64_t HighestFinalizedSlot() const;

  // What must never happen, counted.
  size_t own_blocks_refused() const { return own_blocks_refused_; }
  size_t own_votes_refused() const { return own_votes_refused_; }
  size_t finality_reverts() const {
    return finality_reverts_;
  }  // a finalized block that a node's later one is not above

 private:
  using Item = std::variant<beacon::SignedBlockPtr, beacon::SignedVotePtr>;
  struct Delivery {
    uint64_t at = 0;  // interval
    Item item;
  };

  void RunInterval(uint64_t interval);
  void Propose(uint64_t slot);
  void Vote(uint64_t slot);
  void Publish(size_t from, const Item& item, uint64_t interval);
  void Deliver(size_t node, uint64_t interval);
  absl::StatusOr<beacon::ChainEvents> Submit(size_t node, const Item& item);
  void PlanPartition(uint64_t slot);
  bool IsAbsent(uint64_t slot);
  uint64_t Random(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }

  NetworkOptions options_;
  std::mt19937_64 random_;
  std::vector<beacon::LeanChain> nodes_;
  std::vector<std::vector<Delivery>> inboxes_;  // what is under way or waits for something else, by node
  std::vector<bool> side_;                      // of the partition, by node
  uint64_t partition_ends_ = 0;                 // interval
  uint64_t now_ = 0;                            // next interval to run
  size_t own_blocks_refused_ = 0;
  size_t own_votes_refused_ = 0;
  size_t finality_reverts_ = 0;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_NETWORK_H_
