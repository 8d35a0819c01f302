#include "beacon/services/checks/edge_checks.h"

#include "absl/strings/str_cat.h"
#include "beacon/services/submit.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/limits.h"

namespace lean::beacon {
namespace {

std::optional<Refusal> CheckProposerVote(const Block& block, const Root& root, const Attestation& vote) {
  if (vote.validator_id != block.proposer_index) {
    return Refusal{reason::kProposerVoteMismatch,
                   absl::StrCat("the proposer's vote is by validator ", vote.validator_id, ", the block by ",
                                block.proposer_index)};
  }
  if (vote.data.slot != block.slot) {
    return Refusal{reason::kProposerVoteMismatch,
                   absl::StrCat("the proposer's vote is for slot ", vote.data.slot, ", the block for ", block.slot)};
  }
  if (vote.data.head != Checkpoint{.root = root, .slot = block.slot}) {
    return Refusal{reason::kProposerVoteMismatch,
                   absl::StrCat("the proposer's vote has head ", ShortHex(vote.data.head.root.span()), " at slot ",
                                vote.data.head.slot, ", the block is ", ShortHex(root.span()))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> CheckBlockAtEdge(const SignedBlockWithAttestation& signed_block, const Root& root,
                                        uint64_t validator_count) {
  const Block& block = signed_block.message.block;
  const Attestations& votes = block.body.attestations;
  if (votes.size() > kMaxVotesInBody) {
    return Refusal{reason::kTooLarge,
                   absl::StrCat("the body has ", votes.size(), " votes, at most ", kMaxVotesInBody, " can be signed")};
  }
  if (signed_block.signature.size() != votes.size() + 1) {
    return Refusal{reason::kMalformed,
                   absl::StrCat("the block has ", signed_block.signature.size(), " signatures, needs ",
                                votes.size() + 1, ": one for each vote and the proposer's")};
  }
  if (block.proposer_index >= validator_count) {
    return Refusal{reason::kUnknownValidator,
                   absl::StrCat("proposer ", block.proposer_index, " is not one of ", validator_count, " validators")};
  }
  if (block.proposer_index != block.slot % validator_count) {
    return Refusal{reason::kWrongProposer, absl::StrCat("the proposer of slot ", block.slot, " is ",
                                                        block.slot % validator_count, ", not ", block.proposer_index)};
  }
  if (auto refusal = CheckProposerVote(block, root, signed_block.message.proposer_attestation)) return refusal;
  for (const Attestation& vote : votes) {
    if (auto refusal = CheckVoteAtEdge(vote, validator_count)) return refusal;
  }
  return std::nullopt;
}

std::optional<Refusal> CheckVoteAtEdge(const Attestation& vote, uint64_t validator_count) {
  if (vote.validator_id < validator_count) return std::nullopt;
  return Refusal{reason::kUnknownValidator,
                 absl::StrCat("validator ", vote.validator_id, " is not one of ", validator_count, " validators")};
}

std::optional<Refusal> CheckSlotAtEdge(uint64_t slot, int64_t current_slot) {
  const int64_t latest = current_slot + 1;
  if (latest >= 0 && slot <= static_cast<uint64_t>(latest)) return std::nullopt;
  return Refusal{reason::kFutureSlot,
                 absl::StrCat("slot ", slot, " is more than one slot ahead of the current slot ", current_slot)};
}

}  // namespace lean::beacon
