// Fetches the blocks before the checkpoint that a chain has started from, in the background.
#ifndef LEAN_BEACON_SYNC_BACKFILL_H_
#define LEAN_BEACON_SYNC_BACKFILL_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/storage/database/chain_database.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Checks the signatures of a block whose root is known to be right. InvalidArgument: a signature is wrong. CANCELLED:
// `stop` was requested first.
using CheckSignatures =
    std::function<absl::Status(const SignedBlockWithAttestation& block, const std::stop_token& stop)>;

// Verifies the proposer's signature and those of the body, on the caller's thread. `registry` outlives it.
CheckSignatures SignatureCheck(const crypto::SignatureScheme& scheme, const Validators& registry);

struct BackfillOptions {
  uint64_t slots_at_once = 64;               // per step; a restart repeats at most one step
  uint64_t rest = 3;                         // pauses this many times as long as it has worked: duties come first
  std::chrono::milliseconds wait{5000};      // before a retry, for a peer or for the disk
  std::chrono::milliseconds answer{60'000};  // for an answer; the network has its own deadlines
  std::chrono::milliseconds tell{10'000};    // between log lines
};

// Works from the oldest stored block down to slot 1, or to the floor below which blocks are pruned, which may rise
// meanwhile. The trusted state's history has the roots, so that a block is either the right one or not. Signatures are
// verified as well, since peers receive these blocks from us. Uses little CPU and continues after a restart.
// Thread-safe, except for Start and Stop.
class Backfill {
 public:
  // All arguments outlive it.
  Backfill(ChainDatabase& database, PeerBlocks& peers, CheckSignatures check, Clock& clock,
           std::shared_ptr<spdlog::logger> log, const BackfillOptions& options);
  // As Stop().
  ~Backfill();
  Backfill(const Backfill&) = delete;
  Backfill& operator=(const Backfill&) = delete;

  // Does nothing when no block is missing.
  void Start();
  // Interrupts waits and checks and joins the thread. To be called before the network stops. May be called again.
  void Stop();

 private:
  // An answer, which may arrive when nobody waits for it any more.
  struct Answer;

  void Run(std::stop_token stop);
  // Fetches the missing blocks of slots [first, end). False: the service stops.
  bool FillRange(uint64_t first, uint64_t end);
  // Requests missing blocks below `end` from one peer and stores those that are right. Returns their slots.
  absl::StatusOr<std::vector<uint64_t>> FillFrom(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                 uint64_t end);
  // Requests by range, or by root when the peer does not serve ranges.
  absl::StatusOr<std::vector<SignedBlockPtr>> Ask(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                  uint64_t end);
  // A peer that claims to have the block of `slot` and has not failed recently.
  std::optional<PeerInfo> ChoosePeer(uint64_t slot);
  // The missing blocks of these slots above the floor.
  absl::StatusOr<std::vector<Checkpoint>> Missing(uint64_t first, uint64_t end) const;
  // False: the service stops.
  bool Wait(std::chrono::nanoseconds time);
  // Logs the progress: blocks are held from `oldest` on.
  void Tell(uint64_t oldest, bool done);

  ChainDatabase& database_;
  PeerBlocks& peers_;
  const CheckSignatures check_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const BackfillOptions options_;

  // Used by the thread only.
  uint64_t floor_ = 1;                     // as last read
  std::map<uint64_t, SteadyTime> failed_;  // peers that are not asked before this time
  uint64_t blocks_ = 0;
  std::stop_token stop_;
  SteadyTime started_;
  SteadyTime told_;

  std::jthread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_BACKFILL_H_
