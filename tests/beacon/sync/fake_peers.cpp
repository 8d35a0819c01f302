#include "tests/beacon/sync/fake_peers.h"

#include <algorithm>

#include "common/ssz/ssz.h"

namespace lean::beacon {

void FakePeers::Add(uint64_t id, Peer peer) {
  peer.info.id = id;
  if (peer.info.name.empty()) peer.info.name = "fake";
  if (peer.info.head.root.IsZero() && !peer.canonical.empty()) {
    const Block& head = peer.canonical.back()->message.block;
    peer.info.head = {.root = ssz::HashTreeRoot(head), .slot = head.slot};
  }
  MutexLock lock(mutex_);
  peers_[id] = std::move(peer);
}

void FakePeers::Remove(uint64_t id) {
  MutexLock lock(mutex_);
  peers_.erase(id);
}

void FakePeers::Change(uint64_t id, const std::function<void(Peer&)>& change) {
  MutexLock lock(mutex_);
  change(peers_[id]);
}

size_t FakePeers::Expire() {
  std::vector<Done> unanswered;
  {
    MutexLock lock(mutex_);
    unanswered.swap(unanswered_);
  }
  for (const Done& done : unanswered) done(absl::DeadlineExceededError("no answer"));
  return unanswered.size();
}

std::vector<FakePeers::Offender> FakePeers::offenders() const {
  MutexLock lock(mutex_);
  return offenders_;
}

std::map<uint64_t, int> FakePeers::answered() const {
  MutexLock lock(mutex_);
  return answered_;
}

std::vector<PeerInfo> FakePeers::Peers() const {
  MutexLock lock(mutex_);
  std::vector<PeerInfo> infos;
  for (const auto& [id, peer] : peers_) infos.push_back(peer.info);
  return infos;
}

void FakePeers::Answer(uint64_t id, const std::function<absl::StatusOr<Blocks>(const Peer&)>& find, Done done) {
  absl::StatusOr<Blocks> answer = absl::NotFoundError("the peer is gone");
  {
    MutexLock lock(mutex_);
    const auto found = peers_.find(id);
    if (found != peers_.end() && found->second.silent) {
      unanswered_.push_back(std::move(done));
      return;
    }
    if (found != peers_.end()) {
      answer = find(found->second);
      ++answered_[id];
    }
  }
  done(std::move(answer));
}

void FakePeers::BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) {
  const auto find = [&](const Peer& from) -> absl::StatusOr<Blocks> {
    Blocks blocks;
    for (const Blocks* held : {&from.canonical, &from.others}) {
      for (const SignedBlockPtr& block : *held) {
        const Root root = ssz::HashTreeRoot(block->message.block);
        if (std::find(roots.begin(), roots.end(), root) != roots.end()) blocks.push_back(block);
      }
    }
    return blocks;
  };
  Answer(peer, find, std::move(done));
}

void FakePeers::BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) {
  const auto find = [&](const Peer& from) -> absl::StatusOr<Blocks> {
    if (!from.info.serves_range) return absl::UnavailableError("it serves no ranges");
    Blocks blocks;
    for (const SignedBlockPtr& block : from.canonical) {
      const uint64_t slot = block->message.block.slot;
      if (slot >= first_slot && slot < first_slot + count) blocks.push_back(block);
    }
    return from.change == nullptr ? blocks : from.change(std::move(blocks));
  };
  Answer(peer, find, std::move(done));
}

void FakePeers::Report(uint64_t peer, Offence offence, std::string) {
  MutexLock lock(mutex_);
  offenders_.push_back({.peer = peer, .offence = offence});
}

}  // namespace lean::beacon
