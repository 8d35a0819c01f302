#include "beacon/rpc/event_views.h"

#include <variant>

#include "beacon/rpc/views.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {
namespace {

void FillBlock(const EventBlock& block, v1::EventBlock& view) {
  View(block.id, *view.mutable_block());
  view.set_state_root(ToHex(block.state_root.span()));
}

// Fills the content of an event; `index` is that of a vote.
struct ContentView {
  void operator()(const HeadMoved& event) const { FillBlock(event.head, *view.mutable_head()); }
  void operator()(const BlockImported& event) const {
    v1::BlockEvent& block = *view.mutable_block();
    View(event.id, *block.mutable_block());
    block.set_parent_root(ToHex(event.parent_root.span()));
    block.set_state_root(ToHex(event.state_root.span()));
    block.set_proposer_index(event.proposer_index);
    block.set_votes(event.votes);
  }
  void operator()(const VotesAccepted& event) const { View(event.votes[index], *view.mutable_vote()); }
  void operator()(const JustifiedMoved& event) const { FillBlock(event.justified, *view.mutable_justified()); }
  void operator()(const FinalizedMoved& event) const { FillBlock(event.finalized, *view.mutable_finalized()); }
  void operator()(const Reorganized& event) const {
    v1::ReorgEvent& reorg = *view.mutable_reorg();
    FillBlock(event.old_head, *reorg.mutable_old_head());
    FillBlock(event.new_head, *reorg.mutable_new_head());
    reorg.set_depth(event.depth);
  }
  void operator()(const PeerChanged& event) const {
    v1::PeerEvent& peer = *view.mutable_peer();
    peer.set_connected(event.connected);
    peer.set_id(event.id);
    peer.set_peer_id(event.peer_id);
    peer.set_agent(event.agent);
    peer.set_address(event.address);
    peer.set_outbound(event.outbound);
    peer.set_reason(event.reason);
  }
  void operator()(const SyncChanged& event) const {
    v1::SyncView& sync = *view.mutable_sync();
    sync.set_synced(event.synced);
    sync.set_lag_slots(event.lag_slots);
    sync.set_target_slot(event.target_slot);
    sync.set_message(event.message);
  }
  void operator()(const GossipBlockSeen& event) const {
    v1::GossipBlockEvent& block = *view.mutable_gossip_block();
    View(event.id, *block.mutable_block());
    block.set_peer(event.peer);
  }
  void operator()(const SafeTargetMoved& event) const { FillBlock(event.safe_target, *view.mutable_safe_target()); }
  void operator()(const BlockVotesTold& event) const {
    v1::BlockVotesEvent& told = *view.mutable_block_votes();
    View(event.block, *told.mutable_block());
    for (const VoteGroup& group : event.votes) View(group, *told.add_votes());
  }

  size_t index;
  v1::Event& view;
};

}  // namespace

void View(const EventReader& reader, const EventSlice& slice, v1::StreamEventsResponse& response) {
  for (size_t index = slice.begin; index < slice.end; ++index) {
    v1::Event& event = *response.add_events();
    event.set_cursor(reader.CursorOf(slice.first + (index - slice.begin)).ToString());
    std::visit(ContentView{index, event}, *slice.event);
  }
}

}  // namespace lean::beacon
