#include "validator_client/signing/duty_checks.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/bytes/bytes.h"
#include "common/containers/limits.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

absl::Status CheckSameBlockSameSlot(absl::string_view first_name, const Checkpoint& first,
                                    absl::string_view second_name, const Checkpoint& second) {
  if (first.root != second.root || first.slot == second.slot) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat("%s and %s name one block at two slots, %u and %u", first_name,
                                                       second_name, first.slot, second.slot));
}

}  // namespace

absl::Status CheckVoteData(uint64_t slot, const AttestationData& data) {
  if (data.slot != slot)
    return absl::FailedPreconditionError(
        absl::StrFormat("the vote is for slot %u, asked for slot %u", data.slot, slot));
  if (data.head.slot > slot)
    return absl::FailedPreconditionError(
        absl::StrFormat("the vote's head is at slot %u, past slot %u", data.head.slot, slot));
  if (data.target.slot > data.head.slot) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the vote's target at slot %u is past its head at slot %u", data.target.slot, data.head.slot));
  }
  if (data.source.slot > data.target.slot) {
    return absl::FailedPreconditionError(absl::StrFormat("the vote's source at slot %u is past its target at slot %u",
                                                         data.source.slot, data.target.slot));
  }
  if (data.head.root.IsZero()) return absl::FailedPreconditionError(absl::StrFormat("the vote's head has no root"));
  RETURN_IF_ERROR(CheckSameBlockSameSlot("head", data.head, "target", data.target));
  RETURN_IF_ERROR(CheckSameBlockSameSlot("head", data.head, "source", data.source));
  return CheckSameBlockSameSlot("target", data.target, "source", data.source);
}

absl::Status CheckProposerVote(const BlockHeader& block, const Attestation& vote) {
  if (vote.validator_id != block.proposer_index) {
    return absl::FailedPreconditionError(absl::StrFormat("the proposer's vote is by validator %u, not by proposer %u",
                                                         vote.validator_id, block.proposer_index));
  }
  if (const Root root = ssz::HashTreeRoot(block); vote.data.head.root != root) {
    return absl::FailedPreconditionError(absl::StrFormat("the proposer's vote has head %s, not the block itself, %s",
                                                         ShortHex(vote.data.head.root.span()), ShortHex(root.span())));
  }
  if (vote.data.head.slot != block.slot) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the proposer's vote has its head at slot %u, the block is at slot %u", vote.data.head.slot, block.slot));
  }
  RETURN_IF_ERROR(CheckVoteData(block.slot, vote.data),
                  absl::FailedPreconditionError(absl::StrCat("in the proposer's vote: ", _.message())));
  return absl::OkStatus();
}

absl::Status CheckBuiltHeader(uint64_t slot, uint64_t proposer_index, const BlockHeader& block,
                              const Attestation& proposer_vote) {
  if (block.slot != slot)
    return absl::FailedPreconditionError(
        absl::StrFormat("the block is for slot %u, asked for slot %u", block.slot, slot));
  if (block.proposer_index != proposer_index) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the block is by proposer %u, asked for proposer %u", block.proposer_index, proposer_index));
  }
  if (block.parent_root.IsZero()) return absl::FailedPreconditionError(absl::StrFormat("the block has no parent root"));
  return CheckProposerVote(block, proposer_vote);
}

absl::Status CheckBuiltBlock(uint64_t slot, uint64_t proposer_index, const Block& block, size_t signature_count,
                             const Attestation& proposer_vote) {
  const size_t votes = block.body.attestations.size();
  if (votes > kMaxVotesInBody) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the block has %u votes, and no room for its proposer's", votes));
  }
  if (signature_count != votes) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the block has %u votes and %u signatures for them", votes, signature_count));
  }
  return CheckBuiltHeader(slot, proposer_index, HeaderOf(block, ssz::HashTreeRoot(block.body)), proposer_vote);
}

}  // namespace lean::validator
