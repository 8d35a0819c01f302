#include "beacon/network/seen_items.h"

namespace lean::beacon {

bool SeenItems::Insert(const Root& key) {
  std::lock_guard lock(mutex_);
  if (!keys_.insert(key).second) return false;
  order_.push_back(key);
  if (order_.size() > capacity_) {
    keys_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

bool SeenItems::Contains(const Root& key) const {
  std::lock_guard lock(mutex_);
  return keys_.contains(key);
}

void SeenItems::Erase(const Root& key) {
  std::lock_guard lock(mutex_);
  keys_.erase(key);
}

size_t SeenItems::size() const {
  std::lock_guard lock(mutex_);
  return keys_.size();
}

}  // namespace lean::beacon
