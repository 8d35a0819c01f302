#include "beacon/rpc/block_lookup.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "beacon/rpc/views.h"
#include "common/bytes/hex.h"
#include "common/rpc/status.h"
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

// `block` may be null in what it finds: the chain has let go of it.
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
