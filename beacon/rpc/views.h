// Containers as people read them: proto/lean/v1/beacon.proto, roots and keys in hex.
#ifndef LEAN_BEACON_RPC_VIEWS_H_
#define LEAN_BEACON_RPC_VIEWS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/sync/sync_status.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/checkpoint.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

void View(const Checkpoint& checkpoint, v1::CheckpointView& view);
void View(const Attestation& vote, v1::AttestationView& view);
void View(const SyncStatus& sync, v1::SyncView& view);

// MALFORMED_REQUEST: not 32 bytes of hex. `field` names the text in the error.
absl::StatusOr<Root> RootFromText(absl::string_view text, absl::string_view field);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_VIEWS_H_
