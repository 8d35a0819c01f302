#include "beacon/services/checks/signature_verifier.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/services/submit.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/thread_priority.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

// Blocks that are being checked; shared by their tasks.
struct SignatureVerifier::BlocksJob {
  struct BodyVote {
    size_t block = 0;  // place in `blocks`
    const Attestation* vote = nullptr;
    const SignatureBytes* signature = nullptr;
  };

  std::vector<SignedBlockPtr> blocks;
  bool asked_for = false;  // neither age nor SignedOnce matters
  BodySignatures body = BodySignatures::kUnknown;
  int64_t current_slot = 0;
  KnownBlock already_known;
  BlocksDone done;
  std::vector<BlockVerdict> verdicts;
  std::vector<BodyVote> body_votes;  // of the blocks whose proposer's signature is right
  std::atomic<size_t> batches_left = 0;
  Mutex mutex;  // guards the verdicts' refusals while bodies are checked

  bool IsRefused(size_t block) {
    MutexLock lock(mutex);
    return verdicts[block].refusal.has_value();
  }
  void Refuse(size_t block, Refusal refusal) {
    MutexLock lock(mutex);
    if (!verdicts[block].refusal.has_value()) verdicts[block].refusal = std::move(refusal);
  }
};

struct SignatureVerifier::VotesJob {
  std::vector<SignedVotePtr> votes;
  int64_t current_slot = 0;
  std::vector<VoteVerdict> verdicts;  // each is written by one task
  WantedVote wanted;
  VotesDone done;
  std::atomic<size_t> batches_left = 0;
};

namespace {

// The validator index in blocks_once_, which has one entry per slot.
constexpr uint64_t kProposer = 0;
constexpr size_t kLeastCached = 4096;
// Duties have the right of way: verification can use all processors for an interval, while a call for a duty needs one
// for a fraction of a millisecond, and must not wait for a batch of signatures.
constexpr int kVerificationNice = 10;

size_t BatchCount(size_t items) { return (items + kVerificationBatch - 1) / kVerificationBatch; }

// Called on a thread of the pool, or on the owner's (RunOne).
void LetDutiesPass() { LowerThreadPriority(kVerificationNice); }

Refusal BadSignature(const Attestation& vote, absl::string_view why) {
  return {reason::kBadSignature,
          absl::StrCat("signature of validator ", vote.validator_id, " for slot ", vote.data.slot, ": ", why)};
}

Refusal TooMany(absl::string_view what, const Attestation& vote) {
  return {reason::kEquivocation, absl::StrCat("validator ", vote.validator_id, " has signed ", SignedOnce::kMost,
                                              " other ", what, " for slot ", vote.data.slot)};
}

// Refuses items that are too old for SignedOnce.
std::optional<Refusal> CheckAge(uint64_t slot, int64_t current_slot) {
  if (!SignedOnce::IsTooOld(slot, current_slot)) return std::nullopt;
  return Refusal{reason::kStale, absl::StrCat("slot ", slot, " is more than ", SignedOnce::kSlots,
                                              " slots behind the current slot ", current_slot)};
}

}  // namespace

SignedVoteId IdOf(const Attestation& vote, const SignatureBytes& signature) {
  const Root root = ssz::HashTreeRoot(vote);
  return {.root = root, .key = VerifiedCache::Key(vote.validator_id, root, signature)};
}

SignatureVerifier::SignatureVerifier(const crypto::SignatureScheme& scheme, const Validators& registry,
                                     const SignatureVerifierOptions& options)
    : SignatureVerifier(
          [scheme](absl::Span<const crypto::VerificationItem> items) { return scheme.VerifyBatch(items); }, registry,
          options) {}

SignatureVerifier::SignatureVerifier(VerifySignatures verify, const Validators& registry,
                                     const SignatureVerifierOptions& options)
    : verify_(std::move(verify)),
      functions_(options.functions),
      registry_(registry),
      seconds_(options.clock == nullptr ? nullptr : options.seconds),
      clock_(options.clock),
      cache_(kLeastCached + options.cached_slots * registry.size()),
      votes_once_(registry.size()),
      blocks_once_(/*validator_count=*/1),
      pool_(options.threads, options.queue_capacity) {}

SignatureVerifier::~SignatureVerifier() { Stop(); }

void SignatureVerifier::Stop() {
  stopping_ = true;
  pool_.Stop();
}

PushResult SignatureVerifier::VerifyBlock(SignedBlockPtr block, int64_t current_slot, KnownBlock already_known,
                                          BlockDone done, BodySignatures body) {
  auto job = std::make_shared<BlocksJob>();
  job->blocks.push_back(std::move(block));
  job->body = body;
  job->current_slot = current_slot;
  job->already_known = std::move(already_known);
  job->done = [done = std::move(done)](std::vector<BlockVerdict> verdicts) { done(std::move(verdicts[0])); };
  return StartBlocks(std::move(job));
}

PushResult SignatureVerifier::VerifyBlocks(std::vector<SignedBlockPtr> blocks, int64_t current_slot,
                                           KnownBlock already_known, BlocksDone done) {
  auto job = std::make_shared<BlocksJob>();
  job->blocks = std::move(blocks);
  job->asked_for = true;
  job->current_slot = current_slot;
  job->already_known = std::move(already_known);
  job->done = std::move(done);
  return StartBlocks(std::move(job));
}

PushResult SignatureVerifier::StartBlocks(std::shared_ptr<BlocksJob> job) {
  job->verdicts.resize(job->blocks.size());
  job->batches_left = BatchCount(job->blocks.size());
  return pool_.TrySubmit([this, job = std::move(job)] {
    LetDutiesPass();
    RunInBatches(job->blocks.size(), [this, job](size_t first) { VerifyProposers(job, first); });
  });
}

void SignatureVerifier::VerifyProposers(const std::shared_ptr<BlocksJob>& job, size_t first) {
  if (stopping_) return;
  std::vector<SignedVote> batch;
  std::vector<size_t> positions;
  for (size_t i = first; i < std::min(job->blocks.size(), first + kVerificationBatch); ++i) {
    const SignedBlockWithAttestation& block = *job->blocks[i];
    BlockVerdict& verdict = job->verdicts[i];
    verdict.root = ssz::HashTreeRoot(HeaderOf(block.message.block, functions_.body_root(job->blocks[i])));
    verdict.already_known = job->already_known(verdict.root);
    if (verdict.already_known) continue;
    verdict.refusal = CheckSlotAtEdge(block.message.block.slot, job->current_slot);
    if (!verdict.refusal.has_value()) verdict.refusal = CheckBlockAtEdge(block, verdict.root, registry_.size());
    if (!verdict.refusal.has_value() && !job->asked_for) {
      verdict.refusal = CheckAge(block.message.block.slot, job->current_slot);
      if (blocks_once_.IsTooMany(block.message.block.slot, kProposer, verdict.root)) {
        verdict.refusal = TooMany("blocks", block.message.proposer_attestation);
      }
    }
    if (verdict.refusal.has_value()) continue;
    batch.push_back(SignedVoteOf(block.message.proposer_attestation, block.signature.back(), job->blocks[i]));
    positions.push_back(i);
  }
  std::vector<VoteVerdict> verdicts = Verify(batch);
  for (size_t i = 0; i < positions.size(); ++i) {
    BlockVerdict& verdict = job->verdicts[positions[i]];
    verdict.refusal = std::move(verdicts[i].refusal);
    if (verdict.refusal.has_value() || job->asked_for) continue;
    const Attestation& vote = *batch[i].vote;
    const auto answer = blocks_once_.Add(vote.data.slot, kProposer, verdict.root, job->current_slot);
    verdict.equivocates = answer == SignedOnce::Answer::kSecond;
    if (answer == SignedOnce::Answer::kTooMany) verdict.refusal = TooMany("blocks", vote);
  }
  if (job->batches_left.fetch_sub(1) == 1) StartBodies(job);
}

void SignatureVerifier::StartBodies(const std::shared_ptr<BlocksJob>& job) {
  for (size_t i = 0; i < job->blocks.size() && job->body == BodySignatures::kUnknown; ++i) {
    if (job->verdicts[i].already_known || job->verdicts[i].refusal.has_value()) continue;
    const Attestations& votes = job->blocks[i]->message.block.body.attestations;
    for (size_t v = 0; v < votes.size(); ++v) {
      job->body_votes.push_back({.block = i, .vote = &votes[v], .signature = &job->blocks[i]->signature[v]});
    }
  }
  if (job->body_votes.empty()) return job->done(std::move(job->verdicts));
  job->batches_left = BatchCount(job->body_votes.size());
  RunInBatches(job->body_votes.size(), [this, job](size_t first) { VerifyBodies(job, first); });
}

void SignatureVerifier::VerifyBodies(const std::shared_ptr<BlocksJob>& job, size_t first) {
  if (stopping_) return;
  std::vector<SignedVote> batch;
  std::vector<size_t> blocks;
  for (size_t i = first; i < std::min(job->body_votes.size(), first + kVerificationBatch); ++i) {
    const BlocksJob::BodyVote& body_vote = job->body_votes[i];
    if (job->IsRefused(body_vote.block)) continue;  // its block is refused already
    batch.push_back(SignedVoteOf(*body_vote.vote, *body_vote.signature, job->blocks[body_vote.block]));
    blocks.push_back(body_vote.block);
  }
  std::vector<VoteVerdict> verdicts = Verify(batch);
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].refusal.has_value()) job->Refuse(blocks[i], *std::move(verdicts[i].refusal));
  }
  if (job->batches_left.fetch_sub(1) == 1) job->done(std::move(job->verdicts));
}

std::optional<Refusal> SignatureVerifier::CheckProposer(const SignedBlockWithAttestation& block) {
  const Root root = ssz::HashTreeRoot(block.message.block);
  if (std::optional<Refusal> refusal = CheckBlockAtEdge(block, root, registry_.size())) return refusal;
  return CheckSignature(block.message.proposer_attestation, block.signature.back());
}

PushResult SignatureVerifier::VerifyVotes(std::vector<SignedVotePtr> votes, int64_t current_slot, VotesDone done,
                                          WantedVote wanted) {
  auto job = std::make_shared<VotesJob>();
  job->verdicts.resize(votes.size());
  job->batches_left = BatchCount(votes.size());
  job->votes = std::move(votes);
  job->current_slot = current_slot;
  job->wanted = std::move(wanted);
  job->done = std::move(done);
  return pool_.TrySubmit([this, job = std::move(job)] {
    LetDutiesPass();
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
    refusal = CheckVoteAtEdge(vote.message, registry_.size());
    if (refusal.has_value()) continue;
    refusal = CheckSlotAtEdge(vote.message.data.slot, job->current_slot);
    if (!refusal.has_value()) refusal = CheckAge(vote.message.data.slot, job->current_slot);
    if (refusal.has_value() && (job->wanted == nullptr || !job->wanted(vote.message))) continue;
    const SignedVote signed_vote = SignedVoteOf(vote.message, vote.signature, job->votes[i]);
    if (!refusal.has_value() &&
        votes_once_.IsTooMany(vote.message.data.slot, vote.message.validator_id, signed_vote.id.key)) {
      job->verdicts[i].root = signed_vote.id.root;
      refusal = TooMany("votes", vote.message);
      continue;
    }
    batch.push_back(signed_vote);
    positions.push_back(i);
  }
  std::vector<VoteVerdict> verdicts = Verify(batch);
  for (size_t i = 0; i < positions.size(); ++i) {
    VoteVerdict& verdict = job->verdicts[positions[i]];
    verdict.root = verdicts[i].root;
    verdict.computed = verdicts[i].computed;
    verdict.right = !verdicts[i].refusal.has_value();
    if (!verdict.right) verdict.refusal = std::move(verdicts[i].refusal);
    if (verdict.refusal.has_value()) continue;
    const Attestation& vote = *batch[i].vote;
    const auto answer = votes_once_.Add(vote.data.slot, vote.validator_id, batch[i].id.key, job->current_slot);
    verdict.equivocates = answer == SignedOnce::Answer::kSecond;
    if (answer == SignedOnce::Answer::kTooMany) verdict.refusal = TooMany("votes", vote);
  }
  if (job->batches_left.fetch_sub(1) == 1) job->done(std::move(job->verdicts));
}

void SignatureVerifier::RunInBatches(size_t count, const std::function<void(size_t)>& task) {
  // This thread runs the first batch.
  for (size_t first = kVerificationBatch; first < count; first += kVerificationBatch) {
    // Closed: the verifier is stopping, and the task drops its work.
    pool_.SubmitOrRun([task, first] {
      LetDutiesPass();
      task(first);
    });
  }
  task(0);
}

std::vector<VoteVerdict> SignatureVerifier::Verify(absl::Span<const SignedVote> votes) {
  std::vector<VoteVerdict> verdicts(votes.size());
  std::vector<crypto::VerificationItem> items;
  std::vector<size_t> positions;
  for (size_t i = 0; i < votes.size(); ++i) {
    const Attestation& vote = *votes[i].vote;
    verdicts[i].root = votes[i].id.root;
    if (cache_.Contains(votes[i].id.key)) continue;
    items.push_back({.public_key = &registry_[vote.validator_id].pubkey,
                     .slot = vote.data.slot,
                     .message = votes[i].id.root,
                     .signature = votes[i].signature});
    positions.push_back(i);
  }
  cached_ += votes.size() - items.size();
  const std::vector<absl::Status> results = VerifyBatch(items);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) {
      ++verified_;
      verdicts[positions[i]].computed = true;
      cache_.Insert(votes[positions[i]].id.key);
    } else {
      ++wrong_;
      verdicts[positions[i]].refusal = BadSignature(*votes[positions[i]].vote, results[i].message());
    }
  }
  return verdicts;
}

std::vector<absl::Status> SignatureVerifier::VerifyBatch(const std::vector<crypto::VerificationItem>& items) const {
  if (seconds_ == nullptr || items.empty()) return verify_(items);
  const SteadyTime start = clock_->Steady();
  std::vector<absl::Status> results = verify_(items);
  const std::chrono::duration<double> time = clock_->Steady() - start;
  seconds_->ObserveEqual(time.count() / static_cast<double>(items.size()), items.size());
  return results;
}

SignatureVerifier::Counts SignatureVerifier::counts() const {
  return {.verified = verified_, .wrong = wrong_, .cached = cached_};
}

metrics::FootprintList SignatureVerifier::queues() const {
  return {{.name = "signature_checks", .items = pool_.queued(), .bytes = pool_.queued_bytes()}};
}

metrics::FootprintList SignatureVerifier::caches() const {
  return {{.name = "right_signatures", .items = cache_.size(), .bytes = cache_.bytes()},
          {.name = "signed_slots",
           .items = votes_once_.size() + blocks_once_.size(),
           .bytes = votes_once_.bytes() + blocks_once_.bytes()}};
}

}  // namespace lean::beacon
