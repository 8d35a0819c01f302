#include "beacon/storage/chain_files.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "beacon/services/checks/edge_checks.h"
#include "beacon/storage/database/schema.h"
#include "common/bytes/bytes.h"
#include "common/bytes/decimal.h"
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
  constexpr uint64_t kStep = uint64_t{1} << 20;  // allocated while reading, because the length may be wrong
  while (bytes.size() < *size) {
    const size_t old = bytes.size();
    bytes.resize(old + std::min(kStep, *size - old));
    file.read(bytes.data() + old, static_cast<std::streamsize>(bytes.size() - old));
    if (!file) return NoCheckpoint(path, absl::StrCat("its ", part, " is cut off"));
  }
  return bytes;
}

// The block's header as the state keeps it: with zeros in place of the state root.
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

constexpr absl::string_view kBlockFileMagic = "LEANBLK1";
constexpr absl::string_view kBetween = "..";

absl::Status CheckHeld(const ChainDatabase& database, const SlotRange& slots) {
  ASSIGN_OR_RETURN(const auto finalized, database.ReadCheckpoint(meta_key::kFinalized));
  ASSIGN_OR_RETURN(const uint64_t oldest, database.OldestSlot());
  const uint64_t last = finalized.has_value() ? finalized->slot : 0;
  // Genesis has no signatures, and every genesis folder has it.
  if (slots.first >= oldest && slots.last <= last) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("slots ", slots.first, kBetween, slots.last,
                                            ": finalized blocks are held of slots ", oldest, kBetween, last));
}

absl::StatusOr<uint64_t> WriteBlocks(WholeFile& file, const ChainDatabase& database, const SlotRange& slots) {
  uint64_t blocks = 0;
  for (uint64_t slot = slots.first; slot <= slots.last; ++slot) {
    RETURN_IF_ERROR(database.files().CheckStop());
    ASSIGN_OR_RETURN(const std::optional<Root> root, database.CanonicalRoot(slot));
    if (!root.has_value()) continue;
    ASSIGN_OR_RETURN(const SignedBlockPtr block, database.BlockAt({.root = *root, .slot = slot}));
    if (block == nullptr) return absl::DataLossError(absl::StrCat("the block of slot ", slot, " is missing"));
    const std::string bytes = ssz::SerializeToString(*block);
    RETURN_IF_ERROR(file.Write(absl::StrCat(NumberValue(bytes.size()), bytes)));
    ++blocks;
  }
  return blocks;
}

}  // namespace

absl::Status WriteCheckpointFile(const std::string& path, const SignedBlockWithAttestation& block, const State& state) {
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::Create(path, 0644));
  RETURN_IF_ERROR(file.Write(kCheckpointMagic));
  for (const std::string& part : {ssz::SerializeToString(block), ssz::SerializeToString(state)}) {
    RETURN_IF_ERROR(file.Write(NumberValue(part.size())));
    RETURN_IF_ERROR(file.Write(part));
  }
  return file.PutInPlace(IfExists::kFail);
}

absl::StatusOr<CheckpointParts> ReadCheckpointFile(const std::string& path) {
  std::error_code ignored;
  // Opening a pipe blocks until it has a writer.
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
  ASSIGN_OR_RETURN(auto decoded_block, ssz::Deserialize<SignedBlockWithAttestation>(BytesOfText(block)),
                   NoCheckpoint(path, absl::StrCat("block: ", _.message())));
  ASSIGN_OR_RETURN(auto decoded_state, ssz::Deserialize<State>(BytesOfText(state)),
                   NoCheckpoint(path, absl::StrCat("state: ", _.message())));
  return CheckpointParts{.block = std::move(decoded_block), .state = std::move(decoded_state)};
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
    return absl::InvalidArgumentError("checkpoint: the state is not the post-state of the block");
  }
  if (const auto refusal = CheckBlockAtEdge(parts.block, block_root, parts.state.validators.size())) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: ", refusal->message));
  }
  const Attestation& vote = parts.block.message.proposer_attestation;
  RETURN_IF_ERROR(scheme.Verify(parts.state.validators[vote.validator_id].pubkey, vote.data.slot,
                                ssz::HashTreeRoot(vote), parts.block.signature[parts.block.signature.size() - 1]),
                  absl::InvalidArgumentError(absl::StrCat("checkpoint: its proposer's signature: ", _.message())));
  auto signed_block = std::make_shared<const SignedBlockWithAttestation>(std::move(parts.block));
  return Anchor{.state = std::make_shared<const State>(std::move(parts.state)),
                .block = BlockPtr(signed_block, &signed_block->message.block),
                .signed_block = signed_block,
                .root = block_root};
}

absl::StatusOr<SlotRange> ParseSlotRange(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(kBetween, 1));
  const std::optional<uint64_t> first = ParseDecimal(parts.first);
  const std::optional<uint64_t> last = ParseDecimal(parts.second);
  if (!first.has_value() || !last.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not FROM..TO, such as 100..199"));
  }
  const SlotRange slots{.first = *first, .last = *last};
  if (slots.last < slots.first)
    return absl::InvalidArgumentError(absl::StrCat(text, ": the last slot is below the first"));
  return slots;
}

absl::StatusOr<uint64_t> WriteBlockFile(const std::string& path, const ChainDatabase& database,
                                        const SlotRange& slots) {
  RETURN_IF_ERROR(CheckHeld(database, slots));
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::Create(path, 0644));
  RETURN_IF_ERROR(file.Write(kBlockFileMagic));
  ASSIGN_OR_RETURN(const uint64_t blocks, WriteBlocks(file, database, slots));
  RETURN_IF_ERROR(file.PutInPlace(IfExists::kFail));
  return blocks;
}

}  // namespace lean::beacon
