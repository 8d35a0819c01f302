#include "beacon/rpc/checkpoint_pages.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/rpc/views.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

absl::Status CheckpointNotFound(absl::string_view message) {
  return rpc::MakeError(absl::StatusCode::kNotFound, "CHECKPOINT_NOT_FOUND", message);
}

// The finalized block with that root, or the latest one if no root is given.
absl::StatusOr<Checkpoint> FinalizedBlock(const LeanChain& chain, const std::optional<Root>& root) {
  const Root& wanted = root.value_or(chain.finalized().root);
  const std::optional<uint64_t> slot = chain.SlotOf(wanted);
  if (!slot.has_value() || *slot > chain.finalized().slot || !chain.IsCanonical(wanted)) {
    return CheckpointNotFound(absl::StrCat("block ", ShortHex(wanted.span()), " is not finalized here"));
  }
  if (*slot == 0) return CheckpointNotFound("it is genesis, which needs no checkpoint");
  return Checkpoint{.root = wanted, .slot = *slot};
}

}  // namespace

absl::StatusOr<std::string> CheckpointPages::Make(const Checkpoint& block, Part part) const {
  const bool is_genesis = block.root == chain_.genesis.block_root;
  if (part == v1::GetCheckpointRequest::BLOCK) {
    if (is_genesis) {
      SignedBlockWithAttestation unsigned_block;
      unsigned_block.message.block = *chain_.genesis.block;
      return ssz::SerializeToString(unsigned_block);
    }
    const SignedBlockPtr held = chain_.blocks.ByRoot(block.root);
    if (held != nullptr) return ssz::SerializeToString(*held);
    return CheckpointNotFound(absl::StrCat("the block of slot ", block.slot, " is not held with signatures"));
  }
  if (is_genesis) return ssz::SerializeToString(*chain_.genesis.state);
  const absl::StatusOr<StatePtr> state = chain_.service.StateOf(block.root);
  if (absl::IsResourceExhausted(state.status())) {
    return rpc::MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", state.status().message());
  }
  if (state.ok()) return ssz::SerializeToString(**state);
  return CheckpointNotFound(absl::StrCat("the state of the block of slot ", block.slot, " is not held"));
}

absl::StatusOr<CheckpointPages::BytesPtr> CheckpointPages::PartOf(const Checkpoint& block, Part part) const {
  const size_t place = part == v1::GetCheckpointRequest::BLOCK ? 0 : 1;
  {
    MutexLock lock(mutex_);
    if (last_[place] != nullptr && last_[place]->block == block) return last_[place];
  }
  ASSIGN_OR_RETURN(std::string ssz, Make(block, part));
  auto made = std::make_shared<const Bytes>(Bytes{.block = block, .ssz = std::move(ssz)});
  MutexLock lock(mutex_);
  last_[place] = made;
  return made;
}

absl::StatusOr<v1::GetCheckpointResponse> CheckpointPages::Get(const v1::GetCheckpointRequest& request) const {
  if (request.part() != v1::GetCheckpointRequest::BLOCK && request.part() != v1::GetCheckpointRequest::STATE) {
    return rpc::MalformedRequest("part: neither BLOCK nor STATE");
  }
  std::optional<Root> root;
  if (!request.root().empty()) {
    ASSIGN_OR_RETURN(root, RootFromText(request.root(), "root"));
  }
  ASSIGN_OR_RETURN(const Checkpoint block,
                   chain_.service.Read([&](const LeanChain& chain) { return FinalizedBlock(chain, root); }));
  ASSIGN_OR_RETURN(const BytesPtr bytes, PartOf(block, request.part()));
  const std::string& ssz = bytes->ssz;
  if (request.offset() > ssz.size()) {
    return rpc::MalformedRequest(absl::StrCat("offset: ", request.offset(), " of ", ssz.size(), " bytes"));
  }
  v1::GetCheckpointResponse response;
  View(block, *response.mutable_block());
  response.set_total_bytes(ssz.size());
  response.set_data(ssz.substr(request.offset(), kPageBytes));
  return response;
}

absl::StatusOr<std::shared_ptr<const std::string>> CheckpointPages::GetFinalized(Part part) const {
  const Checkpoint finalized = chain_.service.Read([](const LeanChain& chain) { return chain.finalized(); });
  ASSIGN_OR_RETURN(const BytesPtr bytes, PartOf(finalized, part));
  return std::shared_ptr<const std::string>(bytes, &bytes->ssz);
}

}  // namespace lean::beacon
