// Everything that is checked of a block or vote before the chain sees it, on a pool of threads of its own.
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

#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/checks/edge_checks.h"
#include "beacon/services/checks/signed_once.h"
#include "beacon/services/checks/verified_cache.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/worker_pool.h"
#include "common/containers/attestation.h"
#include "common/containers/state.h"
#include "common/crypto/signature_scheme.h"

namespace lean::beacon {

struct BlockVerdict {
  Root root;
  bool already_known = false;  // nothing else was checked then
  bool equivocates = false;    // its proposer has signed another one for the slot; said of the second alone
  std::optional<Refusal> refusal;
};

struct VoteVerdict {
  Root root;                 // hash_tree_root(Attestation)
  bool computed = false;     // its signature was not known before, and is right
  bool right = false;        // its signature is, whatever it is refused for
  bool equivocates = false;  // its validator has signed another one for the slot; said of the second alone
  std::optional<Refusal> refusal;
};

struct SignatureVerifierOptions {
  size_t threads = 2;
  size_t queue_capacity = 32'768;  // pieces of work: a block, or up to kVerificationBatch signatures
  // Slots in which every validator's signature is remembered, about 150 bytes each, and some thousands more.
  size_t cached_slots = 16;
};

// Signatures that one piece of work checks together: enough for every lane of the CPU, few enough that the largest
// block keeps all threads busy.
inline constexpr size_t kVerificationBatch = 64;

// Thread-safe. The registry is constant in pq-devnet-1.
class SignatureVerifier {
 public:
  using KnownBlock = std::function<bool(const Root&)>;
  using BlockDone = std::function<void(BlockVerdict)>;
  using BlocksDone = std::function<void(std::vector<BlockVerdict>)>;
  using VotesDone = std::function<void(std::vector<VoteVerdict>)>;
  using WantedVote = std::function<bool(const Attestation&)>;

  SignatureVerifier(const crypto::SignatureScheme& scheme, const Validators& registry,
                    const SignatureVerifierOptions& options);
  // As Stop().
  ~SignatureVerifier();
  SignatureVerifier(const SignatureVerifier&) = delete;
  SignatureVerifier& operator=(const SignatureVerifier&) = delete;

  // Never block. kPushed: `done` will be called once, on a pool thread, unless Stop comes first; then, and with another
  // result, it is destroyed uncalled.
  // `current_slot` is the slot now; what is more than a slot ahead of it is refused.
  // A block's form, proposer and proposer's vote are checked first, then that vote's signature, then the body's:
  // nobody but the proposer can make us verify a body. `already_known` is asked, on a pool thread, before any
  // signature. A block, or vote, that is too much by SignedOnce is refused as EQUIVOCATION, one that is too old for it
  // as STALE.
  PushResult VerifyBlock(SignedBlockPtr block, int64_t current_slot, KnownBlock already_known, BlockDone done);
  // The same for several that were asked for, at least one, in the time that their signatures take together: pieces of
  // work go across blocks. Whatever their age, and whatever else their proposers signed, since others build on them. A
  // verdict for each, in order.
  PushResult VerifyBlocks(std::vector<SignedBlockPtr> blocks, int64_t current_slot, KnownBlock already_known,
                          BlocksDone done);
  // Verdicts in the votes' order; at least one vote. A vote that is refused for its slot alone, FUTURE_SLOT or STALE,
  // has its signature checked all the same when `wanted` says so, on a pool thread; null: never.
  PushResult VerifyVotes(std::vector<SignedVotePtr> votes, int64_t current_slot, VotesDone done,
                         WantedVote wanted = nullptr);

  // A block's form, proposer and proposer's vote with its signature, on the caller's thread. nullopt: they are right.
  std::optional<Refusal> CheckProposer(const SignedBlockWithAttestation& block);

  // Drops what is queued and joins the threads. Not from a callback, nor from two threads at a time.
  void Stop();

  struct Counts {
    uint64_t verified = 0;  // signatures that were computed and right
    uint64_t wrong = 0;     // computed and wrong
    uint64_t cached = 0;    // not computed, since they had been
  };
  Counts counts() const;

 private:
  struct SignedVote {
    SignedVote(const Attestation& signed_vote, const SignatureBytes& its_signature);

    const Attestation* vote;
    const SignatureBytes* signature;
    Root root;  // hash_tree_root(Attestation)
    Root key;   // VerifiedCache::Key
  };
  struct BlocksJob;
  struct VotesJob;

  PushResult StartBlocks(std::shared_ptr<BlocksJob> job);
  void VerifyProposers(const std::shared_ptr<BlocksJob>& job, size_t first);
  void StartBodies(const std::shared_ptr<BlocksJob>& job);
  void VerifyBodies(const std::shared_ptr<BlocksJob>& job, size_t first);
  void VerifyPart(const std::shared_ptr<VotesJob>& job, size_t first);
  // Runs task(first) for 0, kVerificationBatch, ... below `count`, on the pool; what it has no room for, right here.
  void RunInBatches(size_t count, const std::function<void(size_t)>& task);
  // A verdict for each, in order. Every validator exists.
  std::vector<VoteVerdict> Verify(absl::Span<const SignedVote> votes);

  const crypto::SignatureScheme scheme_;
  const Validators registry_;
  VerifiedCache cache_;
  SignedOnce votes_once_;
  SignedOnce blocks_once_;  // a slot has one proposer
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> verified_ = 0;
  std::atomic<uint64_t> wrong_ = 0;
  std::atomic<uint64_t> cached_ = 0;
  WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_SIGNATURE_VERIFIER_H_
