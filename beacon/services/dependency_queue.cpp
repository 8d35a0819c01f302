#include "beacon/services/dependency_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lean::beacon {
namespace {

// Whether two items of one root are the same.
bool AreSame(const WaitingItem& a, const WaitingItem& b) {
  const auto* block = std::get_if<SignedBlockPtr>(&a.content);
  const auto* other = std::get_if<SignedBlockPtr>(&b.content);
  if (block == nullptr || other == nullptr) return block == other;
  return (*block)->message.proposer_attestation == (*other)->message.proposer_attestation;
}

}  // namespace

uint64_t WaitingItem::slot() const {
  if (const auto* block = std::get_if<SignedBlockPtr>(&content)) return (*block)->message.block.slot;
  return std::get<SignedVotePtr>(content)->message.data.slot;
}

size_t WaitingItem::bytes() const {
  return std::visit([](const auto& pointer) { return BytesOf(*pointer); }, content);
}

DependencyQueue::AddResult DependencyQueue::Add(WaitingItem item, const Dependency& dependency, int64_t slot,
                                                std::vector<WaitingItem>* displaced) {
  if (const std::optional<Order> same = FindSame(item)) {
    ChargeToLesser(*same, item.origin);
    return AddResult::kAlreadyWaiting;
  }
  return Insert({.item = std::move(item), .order = next_order_++, .arrival_slot = slot}, dependency, displaced);
}

DependencyQueue::AddResult DependencyQueue::AddBack(Taken taken, const Dependency& dependency,
                                                    std::vector<WaitingItem>* displaced) {
  if (FindSame(taken.item).has_value()) return AddResult::kAlreadyWaiting;
  return Insert(std::move(taken), dependency, displaced);
}

std::optional<DependencyQueue::Order> DependencyQueue::FindSame(const WaitingItem& item) const {
  const auto found = by_root_.find(item.root);
  if (found == by_root_.end()) return std::nullopt;
  const auto same = std::find_if(found->second.begin(), found->second.end(),
                                 [&](Order order) { return AreSame(entries_.at(order).item, item); });
  return same == found->second.end() ? std::nullopt : std::optional<Order>(*same);
}

DependencyQueue::AddResult DependencyQueue::Insert(Taken taken, const Dependency& dependency,
                                                   std::vector<WaitingItem>* displaced) {
  const size_t bytes = taken.item.bytes();
  const std::optional<std::vector<Order>> room = FindRoom(taken.item.origin, bytes);
  if (!room.has_value()) return AddResult::kFull;
  for (Order order : *room) displaced->push_back(Remove(order).item);

  Charge(taken.order, taken.item.origin, bytes);
  blocks_ += taken.item.is_block();
  bytes_ += bytes;
  if (taken.item.is_block()) block_bytes_ += bytes;
  by_root_[taken.item.root].insert(taken.order);
  if (const Root* root = std::get_if<Root>(&dependency)) {
    by_block_[*root].insert(taken.order);
  } else {
    by_slot_[std::get<int64_t>(dependency)].insert(taken.order);
  }
  entries_.emplace(
      taken.order,
      Entry{
          .item = std::move(taken.item), .dependency = dependency, .arrival_slot = taken.arrival_slot, .bytes = bytes});
  return AddResult::kAdded;
}

std::optional<std::vector<DependencyQueue::Order>> DependencyQueue::FindRoom(const Origin& origin, size_t bytes) const {
  // What each origin would hold, and which of its newest items would be displaced.
  struct Rest {
    size_t items = 0;
    size_t bytes = 0;
    std::set<Order>::const_reverse_iterator newest;
  };
  size_t items_left = entries_.size() + 1;
  size_t bytes_left = bytes_ + bytes;
  std::vector<Order> room;
  if (items_left <= limits_.max_items && bytes_left <= limits_.max_bytes) return room;

  size_t own_items = 1;
  size_t own_bytes = bytes;
  std::vector<Rest> others;
  for (const auto& [holder, share] : shares_) {
    if (holder == origin) {
      own_items += share.orders.size();
      own_bytes += share.bytes;
    } else {
      others.push_back({share.orders.size(), share.bytes, share.orders.rbegin()});
    }
  }
  while (items_left > limits_.max_items || bytes_left > limits_.max_bytes) {
    const bool by_items = items_left > limits_.max_items;
    Rest* most = nullptr;
    for (Rest& rest : others) {
      if (most == nullptr || (by_items ? rest.items > most->items : rest.bytes > most->bytes)) most = &rest;
    }
    if (most == nullptr || (by_items ? most->items <= own_items : most->bytes <= own_bytes)) return std::nullopt;
    const Order order = *most->newest++;
    const size_t freed = entries_.at(order).bytes;
    room.push_back(order);
    --most->items;
    most->bytes -= freed;
    --items_left;
    bytes_left -= freed;
  }
  return room;
}

std::vector<DependencyQueue::Taken> DependencyQueue::TakeForBlock(const Root& root) {
  std::vector<Taken> taken;
  const auto found = by_block_.find(root);
  if (found == by_block_.end()) return taken;
  const std::set<Order> orders = found->second;
  for (Order order : orders) taken.push_back(Remove(order));
  return taken;
}

std::vector<DependencyQueue::Taken> DependencyQueue::TakeForSlot(int64_t slot) {
  std::set<Order> orders;
  for (auto it = by_slot_.begin(); it != by_slot_.end() && it->first <= slot; ++it) {
    orders.insert(it->second.begin(), it->second.end());
  }
  std::vector<Taken> taken;
  for (Order order : orders) taken.push_back(Remove(order));
  return taken;
}

std::vector<DependencyQueue::Taken> DependencyQueue::TakeExpired(int64_t slot) {
  std::vector<Taken> expired;
  while (!entries_.empty() && slot - entries_.begin()->second.arrival_slot >= limits_.expiry_slots) {
    expired.push_back(Remove(entries_.begin()->first));
  }
  return expired;
}

void DependencyQueue::SetTimeBack(int64_t slot) {
  for (auto& [order, entry] : entries_) entry.arrival_slot = std::min(entry.arrival_slot, slot);
}

DependencyQueue::Taken DependencyQueue::Remove(Order order) {
  const auto found = entries_.find(order);
  Entry& entry = found->second;
  const auto erase = [order](auto& index, const auto& key) {
    const auto orders = index.find(key);
    orders->second.erase(order);
    if (orders->second.empty()) index.erase(orders);
  };
  if (const Root* root = std::get_if<Root>(&entry.dependency)) {
    erase(by_block_, *root);
  } else {
    erase(by_slot_, std::get<int64_t>(entry.dependency));
  }
  Discharge(order, entry.item.origin, entry.bytes);
  blocks_ -= entry.item.is_block();
  bytes_ -= entry.bytes;
  if (entry.item.is_block()) block_bytes_ -= entry.bytes;
  erase(by_root_, entry.item.root);
  Taken taken{.item = std::move(entry.item), .order = order, .arrival_slot = entry.arrival_slot};
  entries_.erase(found);
  return taken;
}

void DependencyQueue::Charge(Order order, const Origin& origin, size_t bytes) {
  Share& share = shares_[origin];
  share.orders.insert(order);
  share.bytes += bytes;
}

void DependencyQueue::Discharge(Order order, const Origin& origin, size_t bytes) {
  const auto share = shares_.find(origin);
  share->second.orders.erase(order);
  share->second.bytes -= bytes;
  if (share->second.orders.empty()) shares_.erase(share);
}

void DependencyQueue::ChargeToLesser(Order order, const Origin& origin) {
  Entry& entry = entries_.at(order);
  const auto other = shares_.find(origin);
  const size_t other_bytes = other == shares_.end() ? 0 : other->second.bytes;
  if (origin == entry.item.origin || other_bytes + entry.bytes >= shares_.at(entry.item.origin).bytes) return;
  Discharge(order, entry.item.origin, entry.bytes);
  entry.item.origin = origin;
  Charge(order, origin, entry.bytes);
}

}  // namespace lean::beacon
