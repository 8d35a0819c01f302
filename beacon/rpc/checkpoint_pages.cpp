#include "beacon/rpc/checkpoint_pages.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/rpc/views.h"
#include "common/bytes/hex.h"
#include "common/rpc/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

absl::Status NotFound(absl::string_view message) {
  return rpc::MakeError(absl::StatusCode::kNotFound, "CHECKPOINT_NOT_FOUND", message);
}

// The finalized block of that root; without one, the latest.
absl::StatusOr<Checkpoint> FinalizedBlock(const LeanChain& chain, const std::optional<Root>& root) {
  const Root& wanted = root.value_or(chain.finalized().root);
  const std::optional<uint64_t> slot = chain.SlotOf(wanted);
  if (!slot.has_value() || *slot > chain.finalized().slot || !chain.IsCanonical(wanted)) {
    return NotFound(absl::StrCat("block ", ShortHex(wanted.span()), " is not finalized here"));
  }
  if (*slot == 0) return NotFound("it is genesis, which needs no checkpoint");
  return Checkpoint{.root = wanted, .slot = *slot};
}

template <typename T>
std::string Ssz(const T& container) {
  const std::vector<uint8_t> bytes = ssz::Serialize(container);
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

absl::StatusOr<CheckpointPages::BytesPtr> CheckpointPages::Make(const Checkpoint& id,
                                                                v1::GetCheckpointRequest::Part part) const {
  Bytes bytes{.root = id.root, .slot = id.slot, .part = part, .ssz = ""};
  if (part == v1::GetCheckpointRequest::BLOCK) {
    const SignedBlockPtr block = chain_.blocks.ByRoot(id.root);
    if (block == nullptr) return NotFound(absl::StrCat("the block of slot ", id.slot, " is not held with signatures"));
    bytes.ssz = Ssz(*block);
  } else {
    const absl::StatusOr<StatePtr> state = chain_.service.StateOf(id.root);
    if (absl::IsResourceExhausted(state.status())) {
      return rpc::MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", state.status().message());
    }
    if (!state.ok()) return NotFound(absl::StrCat("the state of the block of slot ", id.slot, " is not held"));
    bytes.ssz = Ssz(**state);
  }
  return std::make_shared<const Bytes>(std::move(bytes));
}

absl::StatusOr<CheckpointPages::BytesPtr> CheckpointPages::Find(const v1::GetCheckpointRequest& request) const {
  if (request.part() != v1::GetCheckpointRequest::BLOCK && request.part() != v1::GetCheckpointRequest::STATE) {
    return rpc::MalformedRequest("part: neither BLOCK nor STATE");
  }
  std::optional<Root> root;
  if (!request.root().empty()) {
    ASSIGN_OR_RETURN(root, RootFromText(request.root(), "root"));
  }
  ASSIGN_OR_RETURN(const Checkpoint id,
                   chain_.service.Read([&](const LeanChain& chain) { return FinalizedBlock(chain, root); }));
  {
    MutexLock lock(mutex_);
    if (last_ != nullptr && last_->root == id.root && last_->part == request.part()) return last_;
  }
  ASSIGN_OR_RETURN(BytesPtr made, Make(id, request.part()));
  MutexLock lock(mutex_);
  last_ = made;
  return made;
}

absl::StatusOr<v1::GetCheckpointResponse> CheckpointPages::Get(const v1::GetCheckpointRequest& request) const {
  ASSIGN_OR_RETURN(const BytesPtr bytes, Find(request));
  const std::string& ssz = bytes->ssz;
  if (request.offset() > ssz.size()) {
    return rpc::MalformedRequest(absl::StrCat("offset: ", request.offset(), " of ", ssz.size(), " bytes"));
  }
  v1::GetCheckpointResponse response;
  View({.root = bytes->root, .slot = bytes->slot}, *response.mutable_block());
  response.set_total_bytes(ssz.size());
  response.set_data(ssz.substr(request.offset(), kPageBytes));
  return response;
}

}  // namespace lean::beacon
