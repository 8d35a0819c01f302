// What waits to be sent to one peer.
#ifndef LEAN_BEACON_NETWORK_SEND_QUEUE_H_
#define LEAN_BEACON_NETWORK_SEND_QUEUE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/bytes/bytes.h"

namespace lean::beacon {

// An item as it leaves, shared by all peers that it goes to.
struct OutgoingItem {
  Root key;                                  // ItemKey
  std::shared_ptr<const std::string> bytes;  // a block: compressed; a vote: its SSZ, compressed with its batch
};

// Bounded: of votes the oldest make room for new ones; with too many blocks the peer reads too slowly to be of use.
// Thread compatible.
class SendQueue {
 public:
  struct Limits {
    size_t blocks = 64;
    size_t block_bytes = size_t{32} << 20;
    size_t votes = 1024;

    // For a registry: the votes of two slots, so that a slot's votes all fit in at once while the last slot's are still
    // leaving. At 4096 validators 27 MB; peers share the items that go to several of them.
    static Limits For(size_t validators);
  };

  explicit SendQueue(const Limits& limits) : limits_(limits) {}

  // False: it does not fit. A block always does when there is none.
  bool PushBlock(OutgoingItem block);
  // How many votes made room.
  size_t PushVote(OutgoingItem vote);

  bool empty() const { return blocks_.empty() && votes_.empty(); }
  size_t blocks() const { return blocks_.size(); }
  size_t votes() const { return votes_.size(); }

  // Blocks first, in order. Then votes in order, at most `max_votes` at once. `skip(key)`: drops the item instead.
  struct Block {
    OutgoingItem item;
  };
  using Votes = std::vector<OutgoingItem>;
  using Next = std::variant<std::monostate, Block, Votes>;
  template <typename Skip>
  Next Pop(size_t max_votes, Skip skip) {
    while (!blocks_.empty()) {
      OutgoingItem item = std::move(blocks_.front());
      blocks_.pop_front();
      block_bytes_ -= item.bytes->size();
      if (!skip(item.key)) return Block{std::move(item)};
    }
    Votes votes;
    while (!votes_.empty() && votes.size() < max_votes) {
      if (!skip(votes_.front().key)) votes.push_back(std::move(votes_.front()));
      votes_.pop_front();
    }
    if (votes.empty()) return std::monostate();
    return votes;
  }

 private:
  const Limits limits_;
  std::deque<OutgoingItem> blocks_;
  std::deque<OutgoingItem> votes_;
  size_t block_bytes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_SEND_QUEUE_H_
