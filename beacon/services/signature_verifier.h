// Everything that is checked of a block or vote before the chain sees it, on a pool of its own.
#ifndef LEAN_BEACON_SERVICES_SIGNATURE_VERIFIER_H_
#define LEAN_BEACON_SERVICES_SIGNATURE_VERIFIER_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/verified_cache.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/worker_pool.h"
#include "common/containers/state.h"
#include "common/crypto/signature_scheme.h"

namespace lean::beacon {

// Why an item is not let through: a reason of submit.h, and words for people.
struct Refusal {
  absl::string_view reason;
  std::string message;
};

struct VoteVerdict {
  Root root;  // hash_tree_root(Attestation)
  std::optional<Refusal> refusal;
};

struct BlockVerdict {
  Root root;
  bool already_known = false;  // nothing else was checked then
  std::optional<Refusal> refusal;
};

struct SignatureVerifierOptions {
  size_t threads = 2;
  size_t queue_capacity = 32'768;     // tasks; a caller that admits fewer items at a time is never turned away
  size_t cached_signatures = 65'536;  // about 10 MB
};

// Thread-safe. The registry is constant in pq-devnet-1.
class SignatureVerifier {
 public:
  SignatureVerifier(const crypto::SignatureScheme& scheme, const Validators& registry,
                    const SignatureVerifierOptions& options);
  // As Stop().
  ~SignatureVerifier();

  // `done` is called once, on a pool thread; or never, and is destroyed, when the verifier has been stopped.
  // Of a block its form, proposer and proposer's vote are checked first, then that vote's signature, then the body's.
  // `already_known` is asked, on a pool thread, before any signature.
  void VerifyBlock(SignedBlockPtr block, std::function<bool(const Root&)> already_known,
                   std::function<void(BlockVerdict)> done);
  void VerifyVotes(std::vector<SignedVotePtr> votes, std::function<void(std::vector<VoteVerdict>)> done);

  // Drops what is queued and joins the threads. Not from a callback, nor from two threads at a time.
  void Stop();

  struct Counts {
    uint64_t verified = 0;  // signatures that were computed
    uint64_t cached = 0;    // that were known to be right
    uint64_t refused = 0;   // that were wrong
  };
  Counts counts() const;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_SIGNATURE_VERIFIER_H_
