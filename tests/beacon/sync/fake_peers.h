// Peers that hold chains and behave as told, for tests of what asks them.
#ifndef LEAN_TESTS_BEACON_SYNC_FAKE_PEERS_H_
#define LEAN_TESTS_BEACON_SYNC_FAKE_PEERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/network/peers/peer_view.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

class FakePeers : public PeerBlocks {
 public:
  using Blocks = std::vector<SignedBlockPtr>;

  struct Peer {
    PeerInfo info;
    Blocks canonical;  // ascending
    Blocks others;     // to be had by root only
    // What becomes of an answer to a range; it is sent as it is when not set.
    std::function<absl::StatusOr<Blocks>(Blocks)> change = nullptr;
    bool silent = false;  // requests are never answered, until Expire
  };

  // The head is the last block, unless `info` has one.
  void Add(uint64_t id, Peer peer);
  void Remove(uint64_t id);
  void Change(uint64_t id, const std::function<void(Peer&)>& change);

  // Requests that silent peers have not answered end with DeadlineExceeded. How many there were.
  size_t Expire();

  struct Offender {
    uint64_t peer = 0;
    Offence offence{};
  };
  std::vector<Offender> offenders() const;
  // Requests answered by each peer.
  std::map<uint64_t, int> answered() const;

  std::vector<PeerInfo> Peers() const override;
  void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) override;
  void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) override;
  void Report(uint64_t peer, Offence offence, std::string why) override;

 private:
  void Answer(uint64_t id, const std::function<absl::StatusOr<Blocks>(const Peer&)>& find, Done done);

  mutable Mutex mutex_;
  std::map<uint64_t, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Done> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::vector<Offender> offenders_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, int> answered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SYNC_FAKE_PEERS_H_
