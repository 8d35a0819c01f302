#include "beacon/rpc/views.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/rpc/status.h"

namespace lean::beacon {

namespace {

v1::PeerView::State StateView(PeerState::State state) {
  switch (state) {
    case PeerState::kConnected:
      return v1::PeerView::CONNECTED;
    case PeerState::kConnecting:
      return v1::PeerView::CONNECTING;
    case PeerState::kWaiting:
      return v1::PeerView::WAITING;
    case PeerState::kBanned:
      return v1::PeerView::BANNED;
    case PeerState::kRefused:
      return v1::PeerView::REFUSED;
  }
  return v1::PeerView::STATE_UNSPECIFIED;
}

}  // namespace

void View(const Checkpoint& checkpoint, v1::CheckpointView& view) {
  view.set_root(ToHex(checkpoint.root.span()));
  view.set_slot(checkpoint.slot);
}

void View(const Attestation& vote, v1::AttestationView& view) {
  view.set_validator_index(vote.validator_id);
  view.set_slot(vote.data.slot);
  View(vote.data.head, *view.mutable_head());
  View(vote.data.target, *view.mutable_target());
  View(vote.data.source, *view.mutable_source());
}

void View(const PeerState& peer, v1::PeerView& view) {
  view.set_state(StateView(peer.state));
  view.set_address(peer.address);
  view.set_outbound(peer.outbound);
  view.set_last_disconnect_reason(peer.last_disconnect_reason);
  view.set_last_disconnect_ms(static_cast<uint64_t>(peer.last_disconnect_ms));
  if (peer.state != PeerState::kConnected) return;
  view.set_id(peer.id);
  view.set_node_id(peer.node_id);
  view.set_name(peer.name);
  view.set_version(peer.version);
  View(peer.head, *view.mutable_head());
  View(peer.finalized, *view.mutable_finalized());
  view.set_synced(peer.synced);
  view.set_score(peer.score);
  view.set_connected_since_ms(static_cast<uint64_t>(peer.connected_since_ms));
  view.set_bytes_in(peer.traffic.bytes_in);
  view.set_bytes_out(peer.traffic.bytes_out);
  view.set_blocks_in(peer.traffic.blocks_in);
  view.set_blocks_out(peer.traffic.blocks_out);
  view.set_votes_in(peer.traffic.votes_in);
  view.set_votes_out(peer.traffic.votes_out);
  view.set_requests_in(peer.traffic.requests_in);
  view.set_requests_out(peer.traffic.requests_out);
  view.set_dropped_out(peer.traffic.dropped_out);
  view.set_gossip_score(peer.gossip.score);
  view.set_in_block_mesh(peer.gossip.in_block_mesh);
  view.set_in_vote_mesh(peer.gossip.in_vote_mesh);
  view.set_items_accepted(peer.gossip.accepted);
  view.set_items_ignored(peer.gossip.ignored);
  view.set_items_rejected(peer.gossip.rejected);
}

void View(const SyncStatus& sync, v1::SyncView& view) {
  view.set_synced(sync.synced);
  view.set_lag_slots(sync.lag_slots);
  view.set_ahead(sync.ahead);
  view.set_target_slot(sync.target_slot);
  view.set_slots_done(sync.slots_done);
  view.set_slots_left(sync.slots_left);
  view.set_blocks_per_second(sync.blocks_per_second);
  view.set_message(sync.message);
}

absl::StatusOr<Root> RootFromText(absl::string_view text, absl::string_view field) {
  absl::StatusOr<Root> root = ParseFixedHex<Root>(text);
  if (!root.ok()) return rpc::MalformedRequest(absl::StrCat(field, ": ", root.status().message()));
  return root;
}

}  // namespace lean::beacon
