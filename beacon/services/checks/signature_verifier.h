// Checks blocks and votes before they reach the chain: the edge checks and the signatures, on its own pool of threads.
#ifndef LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_VERIFIER_H_
#define LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_VERIFIER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_functions.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/checks/edge_checks.h"
#include "beacon/services/checks/signature_memory.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/concurrency/worker_pool.h"
#include "common/containers/attestation.h"
#include "common/containers/state.h"
#include "common/crypto/signature_scheme.h"
#include "common/metrics/footprint.h"
#include "common/metrics/metrics.h"

namespace lean::beacon {

struct BlockVerdict {
  Root root;
  bool already_known = false;  // nothing else was checked
  bool equivocates = false;    // it is the second block that its proposer has signed for the slot
  std::optional<Refusal> refusal;
};

struct VoteVerdict {
  Root root;                 // hash_tree_root(Attestation)
  bool computed = false;     // its signature was not known before, and is right
  bool right = false;        // its signature is right, even if the vote is refused
  bool equivocates = false;  // it is the second vote that its validator has signed for the slot
  std::optional<Refusal> refusal;
};

// What identifies a signed vote.
struct SignedVoteId {
  Root root;  // hash_tree_root(Attestation)
  Root key;   // VerifiedCache::Key
};
SignedVoteId IdOf(const Attestation& vote, const SignatureBytes& signature);

// The pure functions of blocks and votes that the verifier calls. A simulation of many nodes computes each result once
// for all of them.
struct VerifierFunctions {
  // `owner` keeps the vote and its signature; null: the caller does.
  std::function<SignedVoteId(const Attestation& vote, const SignatureBytes& signature,
                             const std::shared_ptr<const void>& owner)>
      vote_id = [](const Attestation& vote, const SignatureBytes& signature, const std::shared_ptr<const void>&) {
        return IdOf(vote, signature);
      };
  // hash_tree_root of the block's body.
  std::function<Root(const SignedBlockPtr& block)> body_root = ChainFunctions().body_root;
};

struct SignatureVerifierOptions {
  size_t threads = 2;              // 0: the owner calls RunOne
  size_t queue_capacity = 32'768;  // tasks: a block, or up to kVerificationBatch signatures
  // Number of slots whose signatures are remembered for every validator, about 150 bytes each.
  size_t cached_slots = 16;
  // Gets the seconds of each verified signature; null: they are not measured. Both outlive the verifier.
  metrics::Histogram* seconds = nullptr;
  const Clock* clock = nullptr;
  VerifierFunctions functions = {};
};

// Signatures that one task verifies together: enough to fill the CPU's lanes, and few enough that the largest block
// keeps all threads busy.
inline constexpr size_t kVerificationBatch = 64;

// The signatures of a block's votes.
enum class BodySignatures {
  kUnknown,
  kVerified,  // the block was built from votes of this node's chain, which were verified when they came
};

// Thread-safe. The registry is constant in pq-devnet-1.
class SignatureVerifier {
 public:
  using KnownBlock = std::function<bool(const Root&)>;
  using BlockDone = std::function<void(BlockVerdict)>;
  using BlocksDone = std::function<void(std::vector<BlockVerdict>)>;
  using VotesDone = std::function<void(std::vector<VoteVerdict>)>;
  using WantedVote = std::function<bool(const Attestation&)>;
  // Verifies signatures on the caller's thread. Returns a status for each, in order. Thread-safe.
  using VerifySignatures = std::function<std::vector<absl::Status>(absl::Span<const crypto::VerificationItem>)>;

  SignatureVerifier(const crypto::SignatureScheme& scheme, const Validators& registry,
                    const SignatureVerifierOptions& options);
  // With other signatures than the network's.
  SignatureVerifier(VerifySignatures verify, const Validators& registry, const SignatureVerifierOptions& options);
  // As Stop().
  ~SignatureVerifier();
  SignatureVerifier(const SignatureVerifier&) = delete;
  SignatureVerifier& operator=(const SignatureVerifier&) = delete;

  // Do not block. With kPushed, `done` is called once on a pool thread, unless Stop is called first; otherwise `done`
  // is destroyed without a call. Items more than one slot ahead of `current_slot` are refused. A block's form, proposer
  // and proposer's vote are checked first, then that vote's signature, then those of the body, so that only the
  // proposer can make us verify a body. `already_known` is called on a pool thread before any signature is verified.
  // Items that SignedOnce rejects are refused as EQUIVOCATION, items too old for it as STALE.
  PushResult VerifyBlock(SignedBlockPtr block, int64_t current_slot, KnownBlock already_known, BlockDone done,
                         BodySignatures body = BodySignatures::kUnknown);
  // The same for blocks that were requested, at least one. Signatures of several blocks are verified together. Neither
  // age nor SignedOnce matters, since other blocks build on these. Returns a verdict for each, in order.
  PushResult VerifyBlocks(std::vector<SignedBlockPtr> blocks, int64_t current_slot, KnownBlock already_known,
                          BlocksDone done);
  // Verdicts are in the votes' order; at least one vote. The signature of a vote that is refused only for its slot
  // (FUTURE_SLOT, STALE) is verified nevertheless when `wanted`, called on a pool thread, returns true.
  PushResult VerifyVotes(std::vector<SignedVotePtr> votes, int64_t current_slot, VotesDone done,
                         WantedVote wanted = nullptr);

  // Checks a block's form, proposer and proposer's vote with its signature, on the caller's thread. nullopt: right.
  std::optional<Refusal> CheckProposer(const SignedBlockWithAttestation& block);

  // Verifies one signature on the caller's thread. The validator exists. nullopt: right.
  std::optional<Refusal> CheckSignature(const Attestation& vote, const SignatureBytes& signature) {
    const SignedVote signed_vote = SignedVoteOf(vote, signature, /*owner=*/nullptr);
    return Verify({&signed_vote, 1}).front().refusal;
  }

  // Without threads: runs the next task on this thread. False: none is queued.
  bool RunOne() { return pool_.RunOne(); }

  // Drops queued work and joins the threads. Not to be called from a callback, nor from two threads at a time.
  void Stop();

  struct Counts {
    uint64_t verified = 0;  // signatures that were verified and are right
    uint64_t wrong = 0;     // verified and wrong
    uint64_t cached = 0;    // known to be right
  };
  Counts counts() const;

  // Of the tasks; their items are bounded and counted by who submits them.
  metrics::FootprintList queues() const;
  // Of what is remembered.
  metrics::FootprintList caches() const;

 private:
  struct SignedVote {
    const Attestation* vote;
    const SignatureBytes* signature;
    SignedVoteId id;
  };
  struct BlocksJob;
  struct VotesJob;

  SignedVote SignedVoteOf(const Attestation& vote, const SignatureBytes& signature,
                          const std::shared_ptr<const void>& owner) const {
    return {&vote, &signature, functions_.vote_id(vote, signature, owner)};
  }
  PushResult StartBlocks(std::shared_ptr<BlocksJob> job);
  void VerifyProposers(const std::shared_ptr<BlocksJob>& job, size_t first);
  void StartBodies(const std::shared_ptr<BlocksJob>& job);
  void VerifyBodies(const std::shared_ptr<BlocksJob>& job, size_t first);
  void VerifyPart(const std::shared_ptr<VotesJob>& job, size_t first);
  // Runs task(first) for first = 0, kVerificationBatch, ... below `count`: on the pool, or here when the pool is full.
  void RunInBatches(size_t count, const std::function<void(size_t)>& task);
  // Returns a verdict for each, in order. Every validator exists.
  std::vector<VoteVerdict> Verify(absl::Span<const SignedVote> votes);

  // Verifies, and measures it.
  std::vector<absl::Status> VerifyBatch(const std::vector<crypto::VerificationItem>& items) const;

  const VerifySignatures verify_;
  const VerifierFunctions functions_;
  const Validators registry_;
  metrics::Histogram* const seconds_;
  const Clock* const clock_;
  VerifiedCache cache_;
  SignedOnce votes_once_;
  SignedOnce blocks_once_;  // with one entry per slot: a slot has one proposer
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> verified_ = 0;
  std::atomic<uint64_t> wrong_ = 0;
  std::atomic<uint64_t> cached_ = 0;
  WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_VERIFIER_H_
