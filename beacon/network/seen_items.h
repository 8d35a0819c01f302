// Which blocks and votes have come by.
#ifndef LEAN_BEACON_NETWORK_SEEN_ITEMS_H_
#define LEAN_BEACON_NETWORK_SEEN_ITEMS_H_

#include <cstddef>
#include <deque>
#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// A bounded set of ItemKeys that forgets the oldest. Thread-safe.
class SeenItems {
 public:
  explicit SeenItems(size_t capacity) : capacity_(capacity) {}

  // False: it was there.
  bool Insert(const Root& key);
  bool Contains(const Root& key) const;
  // So that another copy is taken for a new item.
  void Erase(const Root& key);
  size_t size() const;

 private:
  const size_t capacity_;
  mutable std::mutex mutex_;
  // Both guarded by mutex_. A key that was erased stays in order_ until its time; when it was inserted again meanwhile
  // it is forgotten that much earlier.
  absl::flat_hash_set<Root> keys_;
  std::deque<Root> order_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_SEEN_ITEMS_H_
