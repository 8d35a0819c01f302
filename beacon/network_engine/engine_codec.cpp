#include "beacon/network_engine/engine_codec.h"

#include "absl/strings/str_cat.h"
#include "common/log/log_text.h"
#include "common/rpc/convert.h"

namespace lean::beacon {
namespace {

constexpr size_t kMaxAgentBytes = 64;
constexpr size_t kMaxPeerIdBytes = 128;
constexpr size_t kMaxAddressBytes = 256;
constexpr size_t kMaxEnrBytes = 512;
constexpr size_t kMaxAddresses = 16;

absl::StatusOr<Checkpoint> RequiredCheckpoint(bool present, const v1::Checkpoint& message, absl::string_view field) {
  if (!present) return absl::InvalidArgumentError(absl::StrCat(field, ": missing"));
  absl::StatusOr<Checkpoint> checkpoint = rpc::FromProto(message);
  if (!checkpoint.ok()) return absl::InvalidArgumentError(absl::StrCat(field, ".", checkpoint.status().message()));
  return checkpoint;
}

absl::Status CheckCount(absl::string_view field, uint64_t count) {
  if (count >= 1 && count <= kMaxAskedByPeer) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", count, ", expected 1 to ", kMaxAskedByPeer));
}

}  // namespace

v1::ChainStatus ToProto(const ClaimedChain& chain) {
  v1::ChainStatus message;
  *message.mutable_finalized() = rpc::ToProto(chain.finalized);
  *message.mutable_head() = rpc::ToProto(chain.head);
  return message;
}

v1::BeaconHello MakeBeaconHello(uint64_t validator_count, uint64_t slot_ms, const ClaimedChain& chain) {
  v1::BeaconHello hello;
  hello.set_contract_version(kEngineContractVersion);
  hello.set_validator_count(validator_count);
  hello.set_slot_duration_ms(slot_ms);
  *hello.mutable_status() = ToProto(chain);
  return hello;
}

v1::BlockRequest ToProto(uint64_t id, uint64_t handle, const AskedBlocks& asked) {
  v1::BlockRequest request;
  request.set_id(id);
  request.set_peer(handle);
  if (asked.by_root()) {
    for (const Root& root : asked.roots) request.mutable_by_root()->add_roots(rpc::BytesToProto(root));
  } else {
    request.mutable_by_range()->set_first_slot(asked.first_slot);
    request.mutable_by_range()->set_count(asked.count);
  }
  return request;
}

absl::StatusOr<ClaimedChain> FromProto(const v1::ChainStatus& message) {
  const auto finalized = RequiredCheckpoint(message.has_finalized(), message.finalized(), "status.finalized");
  if (!finalized.ok()) return finalized.status();
  const auto head = RequiredCheckpoint(message.has_head(), message.head(), "status.head");
  if (!head.ok()) return head.status();
  return ClaimedChain{.finalized = *finalized, .head = *head};
}

absl::StatusOr<EngineInfo> FromProto(const v1::EngineHello& message) {
  if (message.contract_version() != kEngineContractVersion) {
    return absl::InvalidArgumentError(absl::StrCat("the engine keeps to version ", message.contract_version(),
                                                   " of the contract, this beacon to ", kEngineContractVersion));
  }
  EngineInfo info{.agent = Printable(message.agent(), kMaxAgentBytes),
                  .peer_id = Printable(message.peer_id(), kMaxPeerIdBytes),
                  .enr = Printable(message.enr(), kMaxEnrBytes),
                  .addresses = {},
                  .network = Printable(message.network(), kMaxAgentBytes)};
  for (const std::string& address : message.addresses()) {
    if (info.addresses.size() == kMaxAddresses) break;
    info.addresses.push_back(Printable(address, kMaxAddressBytes));
  }
  return info;
}

absl::StatusOr<NamedPeer> FromProto(const v1::PeerConnected& message) {
  if (message.peer() == 0) return absl::InvalidArgumentError("connected.peer: 0");
  if (message.peer_id().empty()) return absl::InvalidArgumentError("connected.peer_id: missing");
  const absl::StatusOr<ClaimedChain> chain = FromProto(message.status());
  if (!chain.ok()) return chain.status();
  return NamedPeer{.handle = message.peer(),
                   .peer_id = Printable(message.peer_id(), kMaxPeerIdBytes),
                   .agent = Printable(message.agent(), kMaxAgentBytes),
                   .address = Printable(message.address(), kMaxAddressBytes),
                   .outbound = message.outbound(),
                   .serves_range = message.serves_range(),
                   .chain = *chain};
}

absl::StatusOr<AskedBlocks> FromProto(const v1::BlockRequest& message) {
  AskedBlocks asked;
  switch (message.blocks_case()) {
    case v1::BlockRequest::kByRoot: {
      const auto& roots = message.by_root().roots();
      if (absl::Status status = CheckCount("request.by_root.roots", roots.size()); !status.ok()) return status;
      for (const std::string& text : roots) {
        const absl::StatusOr<Root> root = rpc::FixedBytesFromProto<Root>(text, "request.by_root.roots");
        if (!root.ok()) return absl::InvalidArgumentError(root.status().message());
        asked.roots.push_back(*root);
      }
      return asked;
    }
    case v1::BlockRequest::kByRange: {
      asked.first_slot = message.by_range().first_slot();
      asked.count = message.by_range().count();
      if (absl::Status status = CheckCount("request.by_range.count", asked.count); !status.ok()) return status;
      return asked;
    }
    case v1::BlockRequest::BLOCKS_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("request: neither by_root nor by_range");
}

}  // namespace lean::beacon
