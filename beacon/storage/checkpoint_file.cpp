#include "beacon/storage/checkpoint_file.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/services/checks/edge_checks.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/hex.h"
#include "common/process/whole_file.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr absl::string_view kCheckpointMagic = "LEANCHK1";

absl::Status NoCheckpoint(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not a checkpoint file (`lean-beacon db export` makes one): ", why));
}

absl::StatusOr<std::string> ReadPart(std::ifstream& file, const std::string& path, absl::string_view part) {
  std::string length(sizeof(uint64_t), '\0');
  file.read(length.data(), static_cast<std::streamsize>(length.size()));
  const std::optional<uint64_t> size = ParseNumberValue(length);
  if (!file || *size > kMaxCheckpointPartBytes) return NoCheckpoint(path, absl::StrCat("its ", part, " has no length"));
  std::string bytes;
  constexpr uint64_t kStep = uint64_t{1} << 20;  // allocated as it is read: the length may be a lie
  while (bytes.size() < *size) {
    const size_t old = bytes.size();
    bytes.resize(old + std::min(kStep, *size - old));
    file.read(bytes.data() + old, static_cast<std::streamsize>(bytes.size() - old));
    if (!file) return NoCheckpoint(path, absl::StrCat("its ", part, " is cut off"));
  }
  return bytes;
}

// The header that the state keeps of its block: with a zero for the state's own root.
BlockHeader HeaderInState(const Block& block) {
  BlockHeader header = HeaderOf(block, ssz::HashTreeRoot(block.body));
  header.state_root = Root();
  return header;
}

absl::Status CheckGenesis(const State& state, const Genesis& genesis) {
  if (state.config != genesis.state->config) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: its genesis time is ", state.config.genesis_time,
                                                   ", this network's is ", genesis.state->config.genesis_time));
  }
  if (!(state.validators == genesis.state->validators)) {
    return absl::InvalidArgumentError("checkpoint: its validators are not those of this network's genesis");
  }
  if (state.historical_block_hashes.empty() || state.historical_block_hashes[0] != genesis.block_root) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: its chain does not begin with this network's genesis ",
                                                   ToHex(genesis.block_root.span())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteCheckpointFile(const std::string& path, const SignedBlockWithAttestation& block, const State& state) {
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::Create(path, 0644));
  RETURN_IF_ERROR(file.Write(kCheckpointMagic));
  for (const std::string& part : {SszValue(block), SszValue(state)}) {
    RETURN_IF_ERROR(file.Write(NumberValue(part.size())));
    RETURN_IF_ERROR(file.Write(part));
  }
  return file.PutInPlace(IfExists::kFail);
}

absl::StatusOr<CheckpointParts> ReadCheckpointFile(const std::string& path) {
  std::error_code ignored;
  // Who opens a pipe waits for its writer.
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    return NoCheckpoint(path, "it is not a regular file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::string magic(kCheckpointMagic.size(), '\0');
  file.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  if (!file || magic != kCheckpointMagic) return NoCheckpoint(path, "it does not begin with LEANCHK1");
  ASSIGN_OR_RETURN(const std::string block, ReadPart(file, path, "block"));
  ASSIGN_OR_RETURN(const std::string state, ReadPart(file, path, "state"));
  auto decoded_block = ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(block));
  if (!decoded_block.ok()) return NoCheckpoint(path, absl::StrCat("block: ", decoded_block.status().message()));
  auto decoded_state = ssz::Deserialize<State>(BytesOfText(state));
  if (!decoded_state.ok()) return NoCheckpoint(path, absl::StrCat("state: ", decoded_state.status().message()));
  return CheckpointParts{.block = *std::move(decoded_block), .state = *std::move(decoded_state)};
}

absl::StatusOr<Anchor> CheckAnchor(CheckpointParts parts, const Genesis& genesis, const crypto::SignatureScheme& scheme,
                                   const std::optional<Root>& root) {
  const Block& block = parts.block.message.block;
  const Root block_root = ssz::HashTreeRoot(block);
  if (root.has_value() && block_root != *root) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: its block is ", ToHex(block_root.span()), " of slot ",
                                                   block.slot, ", --checkpoint-root is ", ToHex(root->span())));
  }
  RETURN_IF_ERROR(CheckGenesis(parts.state, genesis));
  if (block.state_root != ssz::HashTreeRoot(parts.state) || parts.state.latest_block_header != HeaderInState(block)) {
    return absl::InvalidArgumentError("checkpoint: its state is not the one that its block leads to");
  }
  if (const auto refusal = CheckBlockAtEdge(parts.block, block_root, parts.state.validators.size())) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: ", refusal->message));
  }
  const Attestation& vote = parts.block.message.proposer_attestation;
  if (absl::Status status =
          scheme.Verify(parts.state.validators[vote.validator_id].pubkey, vote.data.slot, ssz::HashTreeRoot(vote),
                        parts.block.signature[parts.block.signature.size() - 1]);
      !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: its proposer's signature: ", status.message()));
  }
  auto signed_block = std::make_shared<const SignedBlockWithAttestation>(std::move(parts.block));
  return Anchor{.state = std::make_shared<const State>(std::move(parts.state)),
                .block = BlockPtr(signed_block, &signed_block->message.block),
                .signed_block = signed_block,
                .root = block_root};
}

}  // namespace lean::beacon
