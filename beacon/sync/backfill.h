// Fetches the blocks below the one that a chain began with, in the background.
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
#include "beacon/network/peers/peer_blocks.h"
#include "beacon/storage/database/chain_database.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/crypto/signature_scheme.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Whether the signatures of a block, whose root is known to be right, are; else InvalidArgument. CANCELLED: `stop` was
// requested before all were checked.
using CheckSignatures =
    std::function<absl::Status(const SignedBlockWithAttestation& block, const std::stop_token& stop)>;

// The proposer's signature and the body's, on the caller's thread. `registry` outlives it.
CheckSignatures SignatureCheck(const crypto::SignatureScheme& scheme, const Validators& registry);

struct BackfillOptions {
  uint64_t slots_at_once = 64;               // finished before the next; a restart fetches at most these again
  uint64_t rest = 3;                         // after work it rests this many times as long: duties come first
  std::chrono::milliseconds wait{5000};      // for a peer, or for the disk
  std::chrono::milliseconds answer{60'000};  // for an answer; the network has deadlines of its own
  std::chrono::milliseconds tell{10'000};    // between lines of the log
};

// Goes from the oldest block that is held down to slot 1 (or to the floor below which bodies are dropped on request,
// which may rise meanwhile). The roots are known, from the trusted state's history, so that a block is the right one or
// not; its signatures are checked, too, since peers will have them from here. Uses little of the machine, lasts as long
// as it lasts, and goes on after a restart. Thread-safe, except for Start and Stop.
class Backfill {
 public:
  // All of them outlive it.
  Backfill(ChainDatabase& database, PeerBlocks& peers, CheckSignatures check, Clock& clock,
           std::shared_ptr<spdlog::logger> log, const BackfillOptions& options);
  // As Stop().
  ~Backfill();
  Backfill(const Backfill&) = delete;
  Backfill& operator=(const Backfill&) = delete;

  // Without effect when nothing is missing.
  void Start();
  // Ends what it waits for and what it checks. Before the network's. May be called again.
  void Stop();

 private:
  // An answer that a network thread gives, perhaps when nobody waits for it any more.
  struct Answer;

  void Run(std::stop_token stop);
  // The blocks of slots [first, end) that are missing and still wanted. False: the service stops.
  bool FillRange(uint64_t first, uint64_t end);
  // Asks one peer for missing blocks below `end`, at least one, and writes those that are right. The slots they have.
  absl::StatusOr<std::vector<uint64_t>> FillFrom(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                 uint64_t end);
  // By range, or by their roots when the peer does not serve ranges.
  absl::StatusOr<std::vector<SignedBlockPtr>> Ask(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                  uint64_t end);
  // A peer that says it has blocks from `slot` on and did not fail of late.
  std::optional<PeerInfo> ChoosePeer(uint64_t slot);
  // Of these slots, as far as they are above the floor.
  absl::StatusOr<std::vector<Checkpoint>> Missing(uint64_t first, uint64_t end) const;
  // False: the service stops.
  bool Wait(std::chrono::nanoseconds time);
  // How far it is: held from `oldest` on.
  void Tell(uint64_t oldest, bool done);

  ChainDatabase& database_;
  PeerBlocks& peers_;
  const CheckSignatures check_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const BackfillOptions options_;

  // The thread's own.
  uint64_t floor_ = 1;                     // as it was last read
  std::map<uint64_t, SteadyTime> failed_;  // peers not to ask before
  uint64_t blocks_ = 0;
  std::stop_token stop_;
  SteadyTime started_;
  SteadyTime told_;

  std::jthread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_BACKFILL_H_
