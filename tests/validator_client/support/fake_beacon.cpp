#include "tests/validator_client/support/fake_beacon.h"

#include <algorithm>
#include <utility>

#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

AttestationData VoteFor(uint64_t slot, const Checkpoint& head) {
  const Checkpoint genesis{FakeRoot(0x22), 0};
  return AttestationData{slot, head, genesis, genesis};
}

}  // namespace

NetworkIdentity FakeNetwork(uint64_t validators) {
  GenesisConfig genesis{.genesis_time = kGenesisTime, .validators = {}};
  for (uint64_t index = 0; index < validators; ++index) genesis.validators.push_back(FakePubkey(index));
  return *NetworkOfGenesis(genesis, kSlotMs);
}

FakeBeacon::FakeBeacon(ManualClock& clock, uint64_t validator_count, std::string name)
    : clock_(clock),
      name_(std::move(name)),
      validator_count_(validator_count),
      start_ms_(clock.WallMs()),
      start_steady_(clock.Steady()) {}

int64_t FakeBeacon::NowMs() const {
  return start_ms_ + offset_ms +
         std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - start_steady_).count();
}

absl::Status FakeBeacon::Begin(Method method, Timeout timeout) {
  ++calls[method];
  timeouts.push_back(timeout);
  if (timeout <= Timeout::zero()) return absl::DeadlineExceededError("no time is left");
  if (const auto delay = slow.find(method); delay != slow.end()) {
    clock_.Advance(std::min(delay->second, timeout));
    if (delay->second >= timeout) return absl::DeadlineExceededError("no answer in time");
  }
  const auto failure = fail.find(method);
  return failure == fail.end() ? absl::OkStatus() : failure->second;
}

void FakeBeacon::Hold(const AttestationData& vote) {
  for (const Checkpoint& block : {vote.head, vote.target, vote.source}) held_blocks[block.root] = block.slot;
}

absl::StatusOr<uint64_t> FakeBeacon::GetBlockSlot(const Root& root, Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kGetBlockSlot, timeout));
  const auto held = held_blocks.find(root);
  if (held == held_blocks.end()) return absl::NotFoundError("no such block");
  return held->second;
}

absl::StatusOr<DutiesAnswer> FakeBeacon::GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                                   Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kGetDuties, timeout));
  DutiesAnswer answer;
  for (const PublicKeyBytes& pubkey : pubkeys) {
    DutiesAnswer::Duty duty;
    for (uint64_t index = 0; index < validator_count_; ++index) {
      if (FakePubkey(index) == pubkey) duty = {true, {index}};
    }
    answer.duties.push_back(duty);
  }
  answer.proposer_index = slot % validator_count_;
  answer.validator_count = validator_count_;
  answer.genesis_block_root = genesis_block_root;
  answer.genesis_time = kGenesisTime;
  answer.slot_duration_ms = kSlotMs;
  answer.xmss_log_lifetime = 16;
  answer.signature_form = "flat";
  answer.time_ms = NowMs();
  answer.synced = true;
  if (bend_duties) bend_duties(answer);
  return answer;
}

absl::StatusOr<Registry> FakeBeacon::GetRegistry(Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kGetRegistry, timeout));
  Registry registry = *FakeNetwork(validator_count_).registry;
  if (bend_registry) bend_registry(registry);
  return registry;
}

absl::StatusOr<BuiltBlockAnswer> FakeBeacon::BuildBlock(uint64_t slot, uint64_t proposer_index, const Root&,
                                                        BlockForm form, Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kBuildBlock, timeout));
  block_forms.push_back(form);
  BuiltBlockAnswer answer;
  answer.block.slot = slot;
  answer.block.proposer_index = proposer_index;
  answer.block.parent_root = FakeRoot(0x44);
  answer.block.state_root = FakeRoot(0x55);
  const Attestation vote{0, VoteFor(slot - 1, Checkpoint{FakeRoot(0x44), slot - 1})};
  if (!answer.block.body.attestations.push_back(vote)) return absl::InternalError("full");
  answer.attestation_signatures.push_back(SignatureBytes{});
  answer.proposer_attestation =
      Attestation{proposer_index, VoteFor(slot, Checkpoint{ssz::HashTreeRoot(answer.block), slot})};
  answer.time_ms = NowMs();
  Hold(vote.data);
  if (bend_block) bend_block(answer);
  answer.vote_count = answer.block.body.attestations.size();
  answer.kept = keeps_blocks;
  if (!keeps_blocks) return answer;
  kept_.message = {answer.block, answer.proposer_attestation};
  kept_.signature = *BlockSignatures::FromVector(answer.attestation_signatures);
  if (form == BlockForm::kHeader) {
    answer.body_root = ssz::HashTreeRoot(answer.block.body);
    answer.block.body.attestations.clear();
    answer.attestation_signatures.clear();
  }
  return answer;
}

absl::StatusOr<VoteDataAnswer> FakeBeacon::BuildVote(uint64_t slot, const Root&, Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kBuildVote, timeout));
  VoteDataAnswer answer{VoteFor(slot, Checkpoint{FakeRoot(0x66), slot}), NowMs()};
  Hold(answer.data);
  if (bend_vote) bend_vote(answer);
  return answer;
}

absl::StatusOr<SubmitResult> FakeBeacon::SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kSubmitBlock, timeout));
  blocks.push_back(block);
  std::vector<SubmitResult> results{SubmitResult{SubmitResult::Status::kAccepted, "", ""}};
  if (bend_results) bend_results(results);
  return results.front();
}

absl::StatusOr<SubmitResult> FakeBeacon::SubmitKeptBlock(const Root& root, const SignatureBytes& signature,
                                                         Timeout timeout) {
  if (!keeps_blocks || root != kept_.message.proposer_attestation.data.head.root) {
    return absl::NotFoundError("the beacon does not keep the block");
  }
  SignedBlockWithAttestation block = kept_;
  if (!block.signature.push_back(signature)) return absl::InternalError("full");
  ++kept_blocks;
  return SubmitBlock(block, timeout);
}

absl::StatusOr<std::vector<SubmitResult>> FakeBeacon::SubmitVotes(const std::vector<SignedAttestation>& batch,
                                                                  Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kSubmitVotes, timeout));
  votes.insert(votes.end(), batch.begin(), batch.end());
  vote_batches.push_back(batch.size());
  std::vector<SubmitResult> results(batch.size(), SubmitResult{SubmitResult::Status::kAccepted, "", ""});
  if (bend_results) bend_results(results);
  return results;
}

absl::StatusOr<std::vector<Liveness>> FakeBeacon::GetLiveness(const LivenessQuery& query, Timeout timeout) {
  RETURN_IF_ERROR(Begin(Method::kGetLiveness, timeout));
  liveness_queries.push_back(query);
  std::vector<Liveness> answer;
  for (const uint64_t index : query.indices) {
    Liveness& liveness = answer.emplace_back();
    if (const auto claimed = claimed_votes.find(index); claimed != claimed_votes.end()) {
      liveness.live = claimed->second >= query.from_slot;
      liveness.latest_vote_slot = claimed->second;
    }
    for (const SignedAttestation& vote : seen_votes) {
      if (vote.message.validator_id != index || vote.message.data.slot < query.from_slot) continue;
      liveness.live = true;
      liveness.latest_vote_slot = std::max(liveness.latest_vote_slot, vote.message.data.slot);
      const std::vector<Root>& known = query.known_roots;
      if (std::find(known.begin(), known.end(), ssz::HashTreeRoot(vote.message)) == known.end()) {
        liveness.vote = std::make_shared<const SignedAttestation>(vote);
      }
    }
  }
  if (bend_liveness) bend_liveness(answer);
  return answer;
}

}  // namespace lean::validator
