// The votes of many validators, signed and submitted in every slot, as validator clients do without their records.
#ifndef LEAN_TESTS_BENCH_LOAD_VOTER_H_
#define LEAN_TESTS_BENCH_LOAD_VOTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/slot_clock.h"
#include "lean/v1/validator.grpc.pb.h"
#include "tests/bench/load/clients.h"
#include "tests/bench/load/open_loop.h"
#include "validator_client/signing/signer.h"

namespace lean::load {

// What a beacon says about its chain.
struct Chain {
  std::string genesis_block_root;  // 32 bytes
  SlotClock slots;

  // The begin of an interval, on the clock of the calls.
  Time TimeOf(int64_t slot, uint32_t interval = 0) const;
  // The slot by this machine's clock.
  int64_t CurrentSlot() const;
};

// Errors: those of the call.
absl::StatusOr<Chain> AskForChain(const std::string& beacon);

// The number of calls in which the votes of a slot are submitted: at least one of each client, and enough for a
// distribution.
size_t CallsOfSlot(size_t clients, size_t votes);

struct Voting {
  std::vector<Span> under_way;           // when the votes of each slot were
  std::map<std::string, size_t> missed;  // slots in which the beacon did not say what to sign, by its reason
};

// Not thread-safe. Keys are only for networks that end with the test: nothing records what was signed.
class Voter {
 public:
  // Opens the plain keys of a keystore list. Errors name the file.
  static absl::StatusOr<std::unique_ptr<Voter>> Open(const std::string& beacon, const std::string& keystore_list,
                                                     Chain chain);

  size_t votes() const { return keys_.size(); }

  // Processor time in seconds that this thread takes to verify one signature of each key, in batches as a beacon does:
  // the least that a slot's votes can cost. Errors: of a key.
  absl::StatusOr<double> VerificationAlone() const;

  // Votes with all keys in each of `slots` slots from `first` on: asks what to sign when the votes are due, signs at a
  // low priority, and from the middle of the interval on submits in CallsOfSlot calls, evenly over a quarter of it.
  // Returns when all are answered; their calls are those of `clients`. Errors: of a key.
  absl::StatusOr<Voting> Vote(Clients& clients, int64_t first, uint64_t slots);

 private:
  Voter(std::vector<validator::ValidatorKey> keys, Chain chain, std::unique_ptr<v1::DutyService::Stub> duties)
      : keys_(std::move(keys)), chain_(std::move(chain)), duties_(std::move(duties)) {}

  absl::StatusOr<v1::AttestationData> AskWhatToSign(uint64_t slot);
  absl::StatusOr<std::vector<v1::SubmitVotesRequest>> Sign(const v1::AttestationData& data, size_t calls) const;

  const std::vector<validator::ValidatorKey> keys_;
  const Chain chain_;
  const std::unique_ptr<v1::DutyService::Stub> duties_;
};

}  // namespace lean::load

#endif  // LEAN_TESTS_BENCH_LOAD_VOTER_H_
