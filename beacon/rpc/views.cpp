#include "beacon/rpc/views.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/rpc/status.h"

namespace lean::beacon {

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
