#include "beacon/rpc/views.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

absl::Status BlockNotFound(absl::string_view message) {
  return rpc::MakeError(absl::StatusCode::kNotFound, "BLOCK_NOT_FOUND", message);
}

absl::StatusOr<Root> RootByName(const ServedChain& served, const LeanChain& chain, v1::BlockId::Name name) {
  switch (name) {
    case v1::BlockId::HEAD:
      return chain.head().root;
    case v1::BlockId::JUSTIFIED:
      return chain.justified().root;
    case v1::BlockId::FINALIZED:
      return chain.finalized().root;
    case v1::BlockId::GENESIS:
      return served.genesis.block_root;
    default:
      return rpc::MalformedRequest("block.name: none of HEAD, JUSTIFIED, FINALIZED, GENESIS");
  }
}

absl::StatusOr<Root> RootOf(const ServedChain& served, const LeanChain& chain, const v1::BlockId& id) {
  switch (id.id_case()) {
    case v1::BlockId::kRoot:
      return RootFromText(id.root(), "block.root");
    case v1::BlockId::kSlot: {
      const std::optional<Root> root = chain.CanonicalRoot(id.slot());
      if (root.has_value()) return *root;
      return BlockNotFound(absl::StrCat("no block at slot ", id.slot(), " of the canonical chain, whose head has slot ",
                                        chain.head().slot));
    }
    case v1::BlockId::kName:
      return RootByName(served, chain, id.name());
    case v1::BlockId::ID_NOT_SET:
      break;
  }
  return rpc::MalformedRequest("block: names no root, slot or name");
}

// The result's `block` is null when the chain no longer has it in memory.
absl::StatusOr<FoundBlock> Find(const ServedChain& served, const LeanChain& chain, const v1::BlockId& id) {
  ASSIGN_OR_RETURN(Root root, RootOf(served, chain, id));
  const bool is_genesis = root == served.genesis.block_root;
  FoundBlock found;
  found.root = root;
  found.block = is_genesis ? served.genesis.block : chain.BlockOf(root);
  const std::optional<uint64_t> slot = chain.SlotOf(root);
  if (!slot.has_value()) return BlockNotFound(absl::StrCat("block ", ShortHex(root.span()), " is unknown"));
  found.signed_block = chain.SignedBlockOf(root);
  found.state = is_genesis ? served.genesis.state : chain.StateOf(root);
  found.canonical = chain.IsCanonical(root);
  found.finalized = root == chain.finalized().root ||
                    (found.canonical && chain.IsCanonical(chain.finalized().root) && *slot <= chain.finalized().slot);
  return found;
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

void View(const VoteGroup& votes, v1::VoteGroup& view) {
  view.set_slot(votes.slot);
  View(votes.head, *view.mutable_head());
  view.set_validators(IndexRanges(votes.validators));
}

std::string IndexRanges(const std::vector<uint64_t>& indices) {
  std::string text;
  for (size_t first = 0; first < indices.size();) {
    size_t last = first;
    while (last + 1 < indices.size() && indices[last + 1] == indices[last] + 1) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", indices[first]);
    if (last > first) absl::StrAppend(&text, "-", indices[last]);
    first = last + 1;
  }
  return text;
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
  ASSIGN_OR_RETURN(Root root, ParseFixedHex<Root>(text), rpc::MalformedRequest(absl::StrCat(field, ": ", _.message())));
  return root;
}

absl::StatusOr<FoundBlock> FindBlock(const ServedChain& served, bool named, const v1::BlockId& id) {
  if (!named) return rpc::MalformedRequest("block: missing");
  absl::StatusOr<FoundBlock> found =
      served.service.Read([&](const LeanChain& chain) { return Find(served, chain, id); });
  if (!found.ok() || found->signed_block != nullptr || found->root == served.genesis.block_root) return found;
  found->signed_block = served.blocks.ByRoot(found->root);
  if (found->signed_block != nullptr) {
    found->block = BlockPtr(found->signed_block, &found->signed_block->message.block);
  } else if (found->block == nullptr) {
    return BlockNotFound(absl::StrCat("block ", ShortHex(found->root.span()),
                                      " is not held: blocks are held from slot ", served.blocks.earliest_slot(),
                                      " on"));
  }
  return found;
}

}  // namespace lean::beacon
