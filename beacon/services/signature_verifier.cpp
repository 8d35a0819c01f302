#include "beacon/services/signature_verifier.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/services/submit.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

// A block on its way; shared by the pieces of work on its body.
struct SignatureVerifier::BlockJob {
  SignedBlockPtr block;
  int64_t current_slot = 0;
  KnownBlock already_known;
  BlockDone done;
  BlockVerdict verdict;
  std::atomic<size_t> batches_left = 0;
  std::atomic<bool> refused = false;  // the other pieces need not go on
  std::mutex mutex;                   // guards verdict.refusal while the pieces run

  void Refuse(Refusal refusal) {
    std::lock_guard lock(mutex);
    if (!verdict.refusal.has_value()) verdict.refusal = std::move(refusal);
    refused = true;
  }
};

struct SignatureVerifier::VotesJob {
  std::vector<SignedVotePtr> votes;
  int64_t current_slot = 0;
  std::vector<VoteVerdict> verdicts;  // each written by one piece of work
  VotesDone done;
  std::atomic<size_t> batches_left = 0;
};

namespace {

size_t BatchCount(size_t items) { return (items + kVerificationBatch - 1) / kVerificationBatch; }

Refusal BadSignature(const Attestation& vote, absl::string_view why) {
  return {reason::kBadSignature,
          absl::StrCat("signature of validator ", vote.validator_id, " for slot ", vote.data.slot, ": ", why)};
}

}  // namespace

SignatureVerifier::SignatureVerifier(const crypto::SignatureScheme& scheme, const Validators& registry,
                                     const SignatureVerifierOptions& options)
    : scheme_(scheme),
      registry_(registry),
      cache_(options.cached_signatures),
      pool_(options.threads, options.queue_capacity) {}

SignatureVerifier::~SignatureVerifier() { Stop(); }

void SignatureVerifier::Stop() {
  stopping_ = true;
  pool_.Stop();
}

PushResult SignatureVerifier::VerifyBlock(SignedBlockPtr block, int64_t current_slot, KnownBlock already_known,
                                          BlockDone done) {
  auto job = std::make_shared<BlockJob>();
  job->block = std::move(block);
  job->current_slot = current_slot;
  job->already_known = std::move(already_known);
  job->done = std::move(done);
  return pool_.TrySubmit([this, job = std::move(job)] { StartBlock(job); });
}

void SignatureVerifier::StartBlock(const std::shared_ptr<BlockJob>& job) {
  if (stopping_) return;
  const SignedBlockWithAttestation& block = *job->block;
  BlockVerdict& verdict = job->verdict;
  verdict.root = ssz::HashTreeRoot(block.message.block);
  verdict.already_known = job->already_known(verdict.root);
  if (verdict.already_known) return job->done(std::move(verdict));
  verdict.refusal = CheckSlotAtEdge(block.message.block.slot, job->current_slot);
  if (!verdict.refusal.has_value()) verdict.refusal = CheckBlockAtEdge(block, verdict.root, registry_.size());
  if (verdict.refusal.has_value()) return job->done(std::move(verdict));
  const SignedVote proposer_vote{&block.message.proposer_attestation, &block.signature.back()};
  verdict.refusal = Verify({&proposer_vote, 1}).front().refusal;
  const size_t votes = block.message.block.body.attestations.size();
  if (verdict.refusal.has_value() || votes == 0) return job->done(std::move(verdict));
  job->batches_left = BatchCount(votes);
  RunInBatches(votes, [this, job](size_t first) { VerifyBody(job, first); });
}

void SignatureVerifier::VerifyBody(const std::shared_ptr<BlockJob>& job, size_t first) {
  if (stopping_) return;
  if (!job->refused) {
    const Attestations& votes = job->block->message.block.body.attestations;
    std::vector<SignedVote> batch;
    for (size_t i = first; i < std::min(votes.size(), first + kVerificationBatch); ++i) {
      batch.push_back({&votes[i], &job->block->signature[i]});
    }
    for (VoteVerdict& vote : Verify(batch)) {
      if (vote.refusal.has_value()) job->Refuse(*std::move(vote.refusal));
    }
  }
  if (job->batches_left.fetch_sub(1) == 1) job->done(std::move(job->verdict));
}

PushResult SignatureVerifier::VerifyVotes(std::vector<SignedVotePtr> votes, int64_t current_slot, VotesDone done) {
  auto job = std::make_shared<VotesJob>();
  job->verdicts.resize(votes.size());
  job->batches_left = BatchCount(votes.size());
  job->votes = std::move(votes);
  job->current_slot = current_slot;
  job->done = std::move(done);
  return pool_.TrySubmit([this, job = std::move(job)] {
    RunInBatches(job->votes.size(), [this, job](size_t first) { VerifyPart(job, first); });
  });
}

void SignatureVerifier::VerifyPart(const std::shared_ptr<VotesJob>& job, size_t first) {
  if (stopping_) return;
  const size_t end = std::min(job->votes.size(), first + kVerificationBatch);
  std::vector<SignedVote> batch;
  std::vector<size_t> positions;
  for (size_t i = first; i < end; ++i) {
    const SignedAttestation& vote = *job->votes[i];
    std::optional<Refusal>& refusal = job->verdicts[i].refusal;
    refusal = CheckSlotAtEdge(vote.message.data.slot, job->current_slot);
    if (!refusal.has_value()) refusal = CheckVoteAtEdge(vote.message, registry_.size());
    if (refusal.has_value()) continue;
    batch.push_back({&vote.message, &vote.signature});
    positions.push_back(i);
  }
  std::vector<VoteVerdict> verdicts = Verify(batch);
  for (size_t i = 0; i < positions.size(); ++i) job->verdicts[positions[i]] = std::move(verdicts[i]);
  if (job->batches_left.fetch_sub(1) == 1) job->done(std::move(job->verdicts));
}

void SignatureVerifier::RunInBatches(size_t count, const std::function<void(size_t)>& task) {
  // The first piece is this thread's own.
  for (size_t first = kVerificationBatch; first < count; first += kVerificationBatch) {
    // Closed: the verifier is stopping, and the task drops its work.
    pool_.SubmitOrRun([task, first] { task(first); });
  }
  task(0);
}

std::vector<VoteVerdict> SignatureVerifier::Verify(absl::Span<const SignedVote> votes) {
  std::vector<VoteVerdict> verdicts(votes.size());
  std::vector<crypto::VerificationItem> items;
  std::vector<size_t> positions;
  std::vector<Root> keys;
  for (size_t i = 0; i < votes.size(); ++i) {
    const Attestation& vote = *votes[i].vote;
    verdicts[i].root = ssz::HashTreeRoot(vote);
    const Root key = VerifiedCache::Key(vote.validator_id, verdicts[i].root, *votes[i].signature);
    if (cache_.Contains(key)) continue;
    items.push_back({.public_key = &registry_[vote.validator_id].pubkey,
                     .slot = vote.data.slot,
                     .message = verdicts[i].root,
                     .signature = votes[i].signature});
    positions.push_back(i);
    keys.push_back(key);
  }
  cached_ += votes.size() - items.size();
  const std::vector<absl::Status> results = scheme_.VerifyBatch(items);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) {
      ++verified_;
      cache_.Insert(keys[i]);
    } else {
      ++wrong_;
      verdicts[positions[i]].refusal = BadSignature(*votes[positions[i]].vote, results[i].message());
    }
  }
  return verdicts;
}

SignatureVerifier::Counts SignatureVerifier::counts() const {
  return {.verified = verified_, .wrong = wrong_, .cached = cached_};
}

}  // namespace lean::beacon
