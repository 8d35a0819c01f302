#include "beacon/services/admission.h"

namespace lean::beacon {
namespace {

bool Fits(const InFlight& used, const InFlight& more, const InFlight& limit) {
  return used.items <= limit.items && more.items <= limit.items - used.items &&  //
         used.bytes <= limit.bytes && more.bytes <= limit.bytes - used.bytes;
}

void Add(InFlight& used, const InFlight& more) {
  used.items += more.items;
  used.bytes += more.bytes;
}

void Subtract(InFlight& used, const InFlight& less) {
  used.items -= less.items;
  used.bytes -= less.bytes;
}

}  // namespace

bool Admission::TryAcquire(const Origin& origin, const InFlight& what) {
  MutexLock lock(mutex_);
  if (!Fits(total_, what, limits_.total)) return false;
  if (origin.kind == Origin::kPeer) {
    const auto found = by_peer_.find(origin);
    const InFlight own = found == by_peer_.end() ? InFlight() : found->second;
    if (!Fits(peers_, what, limits_.peers) || !Fits(own, what, limits_.one_peer)) return false;
    Add(peers_, what);
    Add(by_peer_[origin], what);
  }
  Add(total_, what);
  return true;
}

void Admission::Release(const Origin& origin, const InFlight& what) {
  MutexLock lock(mutex_);
  Subtract(total_, what);
  if (origin.kind != Origin::kPeer) return;
  Subtract(peers_, what);
  const auto own = by_peer_.find(origin);
  Subtract(own->second, what);
  if (own->second.items == 0 && own->second.bytes == 0) by_peer_.erase(own);
}

InFlight Admission::used() const {
  MutexLock lock(mutex_);
  return total_;
}

}  // namespace lean::beacon
