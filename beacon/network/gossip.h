// What comes in by gossip goes to the chain, once; what the chain accepted goes out to who does not have it.
#ifndef LEAN_BEACON_NETWORK_GOSSIP_H_
#define LEAN_BEACON_NETWORK_GOSSIP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_sink.h"
#include "beacon/network/peer_blocks.h"
#include "beacon/network/rate_limits.h"
#include "beacon/network/seen_items.h"
#include "beacon/network/send_queue.h"
#include "beacon/services/outbound.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// A link, as gossip sees it. Thread-safe.
class GossipPeer {
 public:
  virtual ~GossipPeer() = default;

  virtual uint64_t id() const = 0;
  virtual PeerRates& rates() = 0;
  // Items that the peer has: it sent them, or they were sent to it.
  virtual SeenItems& known() = 0;
  virtual void Report(Offence offence, std::string why) = 0;
  // No answer came in time to what was asked at this moment. Requests that were open at the same time are one offence.
  virtual void ReportNoAnswer(SteadyTime asked) = 0;
  // Queues what the peer does not know by the time it would be sent.
  virtual void Send(const OutgoingItem& block) = 0;
  virtual void Send(const std::vector<OutgoingItem>& votes) = 0;
  // Signatures that are being checked on its behalf: it is not read from while they are many.
  virtual void BeginWork(size_t signatures) = 0;
  virtual void EndWork(size_t signatures) = 0;
};
using GossipPeerPtr = std::shared_ptr<GossipPeer>;

// Decides nothing about the chain. Thread-safe; outlives the work it began.
class Gossip {
 public:
  Gossip(GossipSink sink, const Clock& clock, size_t validator_count);

  // A payload that `peer` sent: charged to its rates, refused when malformed, taken when it is new.
  void OnBlock(const GossipPeerPtr& peer, absl::string_view payload);
  // How many votes came.
  size_t OnVotes(const GossipPeerPtr& peer, absl::string_view payload);

  // What the chain accepted, to each of these that does not have it: each item once, never back to where it came from.
  void Forward(const OutboundItem& item, const std::vector<GossipPeerPtr>& peers);

  struct Counts {
    uint64_t duplicates = 0;  // came in again, and cost nothing more
    uint64_t own_blocks = 0;  // sent out of our own validators, or forwarded of others
    uint64_t own_votes = 0;
    uint64_t foreign_blocks = 0;
    uint64_t foreign_votes = 0;
  };
  Counts counts() const;

 private:
  // A block whose outcome, or votes whose outcomes, are in.
  void Judge(GossipPeer& peer, const Root& key, absl::string_view what, const SubmitOutcome& outcome);

  const GossipSink sink_;
  const Clock& clock_;
  SeenItems seen_blocks_;
  SeenItems seen_votes_;
  SeenItems forwarded_;
  std::atomic<uint64_t> duplicates_ = 0;
  std::atomic<uint64_t> own_blocks_ = 0;
  std::atomic<uint64_t> own_votes_ = 0;
  std::atomic<uint64_t> foreign_blocks_ = 0;
  std::atomic<uint64_t> foreign_votes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_GOSSIP_H_
