#include "beacon/network/engine/contract.h"

#include <limits>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/log/log_text.h"
#include "common/rpc/wire/convert.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr size_t kMaxAgentBytes = 64;
constexpr size_t kMaxPeerIdBytes = 128;
constexpr size_t kMaxAddressBytes = 256;
constexpr size_t kMaxEnrBytes = 512;
constexpr int kMaxAddresses = 16;
constexpr int kMaxTargets = 256;

absl::StatusOr<Checkpoint> RequiredCheckpoint(bool present, const v1::Checkpoint& message, absl::string_view field) {
  if (!present) return absl::InvalidArgumentError(absl::StrCat(field, ": missing"));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, rpc::FromProto(message),
                   absl::InvalidArgumentError(absl::StrCat(field, ".", _.message())));
  return checkpoint;
}

absl::Status CheckCount(absl::string_view field, uint64_t count) {
  if (count >= 1 && count <= kMaxAskedByPeer) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", count, ", expected 1 to ", kMaxAskedByPeer));
}

void Clean(std::string* text, size_t limit) { *text = Printable(*text, limit); }

absl::Status CheckRoots(const std::vector<Root>& roots, const std::vector<SignedBlockPtr>& blocks) {
  std::set<Root> asked(roots.begin(), roots.end());
  for (const SignedBlockPtr& block : blocks) {
    if (asked.erase(ssz::HashTreeRoot(block->message.block)) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the block at slot ", block->message.block.slot, " was not asked for"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSlots(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks) {
  uint64_t next = asked.first_slot;
  for (const SignedBlockPtr& block : blocks) {
    const uint64_t slot = block->message.block.slot;
    if (slot < next || slot - asked.first_slot >= asked.count) {
      return absl::InvalidArgumentError(absl::StrCat("a block at slot ", slot, ", asked from ", asked.first_slot,
                                                     " for ", asked.count, ", expected from ", next));
    }
    if (slot == std::numeric_limits<uint64_t>::max()) return absl::InvalidArgumentError("a block at the last slot");
    next = slot + 1;
  }
  return absl::OkStatus();
}

}  // namespace

v1::ChainStatus ToProto(const ClaimedChain& chain) {
  v1::ChainStatus message;
  *message.mutable_finalized() = rpc::ToProto(chain.finalized);
  *message.mutable_head() = rpc::ToProto(chain.head);
  return message;
}

v1::BlockRequest ToProto(uint64_t id, uint64_t peer, const AskedBlocks& asked) {
  v1::BlockRequest request;
  request.set_id(id);
  request.set_peer(peer);
  if (asked.by_root()) {
    for (const Root& root : asked.roots) request.mutable_by_root()->add_roots(rpc::BytesToProto(root));
  } else {
    request.mutable_by_range()->set_first_slot(asked.first_slot);
    request.mutable_by_range()->set_count(asked.count);
  }
  return request;
}

absl::StatusOr<ClaimedChain> FromProto(const v1::ChainStatus& message) {
  ASSIGN_OR_RETURN(const auto finalized,
                   RequiredCheckpoint(message.has_finalized(), message.finalized(), "status.finalized"));
  ASSIGN_OR_RETURN(const auto head, RequiredCheckpoint(message.has_head(), message.head(), "status.head"));
  return ClaimedChain{.finalized = finalized, .head = head};
}

absl::StatusOr<AskedBlocks> FromProto(const v1::BlockRequest& message) {
  AskedBlocks asked;
  switch (message.blocks_case()) {
    case v1::BlockRequest::kByRoot: {
      const auto& roots = message.by_root().roots();
      RETURN_IF_ERROR(CheckCount("request.by_root.roots", roots.size()));
      for (const std::string& text : roots) {
        ASSIGN_OR_RETURN(const Root root, rpc::FixedBytesFromProto<Root>(text, "request.by_root.roots"),
                         absl::InvalidArgumentError(_.message()));
        asked.roots.push_back(root);
      }
      return asked;
    }
    case v1::BlockRequest::kByRange: {
      asked.first_slot = message.by_range().first_slot();
      asked.count = message.by_range().count();
      RETURN_IF_ERROR(CheckCount("request.by_range.count", asked.count));
      return asked;
    }
    case v1::BlockRequest::BLOCKS_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("request: neither by_root nor by_range");
}

absl::StatusOr<v1::EngineHello> Checked(v1::EngineHello message) {
  if (message.contract_version() != kContractVersion) {
    return absl::InvalidArgumentError(absl::StrCat("the engine implements version ", message.contract_version(),
                                                   " of the contract, this beacon version ", kContractVersion));
  }
  message.DiscardUnknownFields();
  Clean(message.mutable_agent(), kMaxAgentBytes);
  Clean(message.mutable_peer_id(), kMaxPeerIdBytes);
  Clean(message.mutable_enr(), kMaxEnrBytes);
  Clean(message.mutable_network(), kMaxAgentBytes);
  auto& addresses = *message.mutable_addresses();
  if (addresses.size() > kMaxAddresses) addresses.DeleteSubrange(kMaxAddresses, addresses.size() - kMaxAddresses);
  for (std::string& address : addresses) Clean(&address, kMaxAddressBytes);
  return message;
}

absl::StatusOr<v1::PeerConnected> Checked(v1::PeerConnected message) {
  if (message.peer() == 0) return absl::InvalidArgumentError("connected.peer: 0");
  if (message.peer_id().empty()) return absl::InvalidArgumentError("connected.peer_id: missing");
  message.DiscardUnknownFields();
  Clean(message.mutable_peer_id(), kMaxPeerIdBytes);
  Clean(message.mutable_agent(), kMaxAgentBytes);
  Clean(message.mutable_address(), kMaxAddressBytes);
  return message;
}

v1::EngineReport Checked(v1::EngineReport message) {
  message.DiscardUnknownFields();
  auto& targets = *message.mutable_targets();
  if (targets.size() > kMaxTargets) targets.DeleteSubrange(kMaxTargets, targets.size() - kMaxTargets);
  for (v1::TargetReport& target : targets) {
    Clean(target.mutable_peer_id(), kMaxPeerIdBytes);
    Clean(target.mutable_address(), kMaxAddressBytes);
    Clean(target.mutable_failure(), kMaxReasonBytes);
  }
  return message;
}

absl::Status CheckAnswered(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks) {
  const uint64_t most = asked.by_root() ? asked.roots.size() : asked.count;
  if (blocks.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat(blocks.size(), " blocks, at most ", most));
  }
  return asked.by_root() ? CheckRoots(asked.roots, blocks) : CheckSlots(asked, blocks);
}

}  // namespace lean::beacon
