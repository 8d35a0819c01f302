// A beacon without a network. It is honest unless a test changes its answers.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_BEACON_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_BEACON_H_

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "validator_client/beacons/beacon_client.h"

namespace lean::validator {

inline constexpr uint64_t kGenesisTime = 1'700'000'000;  // Unix seconds
inline constexpr uint64_t kSlotMs = 4000;
// The same in milliseconds, signed for times before genesis.
inline constexpr int64_t kGenesisMs = static_cast<int64_t>(kGenesisTime) * 1000;
inline constexpr int64_t kSlotLength = static_cast<int64_t>(kSlotMs);

inline Root FakeRoot(uint8_t fill) {
  Root root;
  root.data.fill(fill);
  return root;
}

// The network that starts at kGenesisTime with the keys of FakePubkey and their genesis root.
NetworkIdentity FakeNetwork(uint64_t validators);

// For a BeaconPool of fakes: calls run one after the other on the thread of the test.
inline bool RunInline(size_t, const std::function<void()>& task) {
  task();
  return true;
}

// Not thread-safe: a test changes it only while the service waits on the clock.
class FakeBeacon : public BeaconClient {
 public:
  enum class Method {
    kGetDuties,
    kGetRegistry,
    kBuildBlock,
    kBuildVote,
    kSubmitBlock,
    kSubmitVotes,
    kGetLiveness,
    kGetBlockSlot
  };

  // Has the true time: the wall time at its creation plus the steady time since then.
  FakeBeacon(ManualClock& clock, uint64_t validator_count, std::string name = "fake:1");

  // Changes of a test, each applied to the honest answer.
  std::function<void(DutiesAnswer&)> bend_duties;
  std::function<void(Registry&)> bend_registry;
  std::function<void(BuiltBlockAnswer&)> bend_block;  // while it is whole
  std::function<void(VoteDataAnswer&)> bend_vote;
  std::function<void(std::vector<SubmitResult>&)> bend_results;  // of blocks and votes
  std::map<Method, absl::Status> fail;                           // errors that calls return
  std::map<Method, std::chrono::milliseconds> slow;              // duration of a call; beyond its timeout it fails
  int64_t offset_ms = 0;                                         // offset of the beacon's clock
  Root genesis_block_root = FakeRoot(0x11);

  // The latest slot of votes of other clients that the beacon claims to have seen, by validator.
  std::map<uint64_t, uint64_t> claimed_votes;
  // Signed votes that it has. For each validator it returns the last requested one.
  std::vector<SignedAttestation> seen_votes;
  std::function<void(std::vector<Liveness>&)> bend_liveness;

  // Whether it keeps the blocks that it builds, and answers with a header to those who ask for it.
  bool keeps_blocks = true;

  // Its blocks: those in its honest answers, and those that a test adds.
  std::map<Root, uint64_t> held_blocks;

  // The calls so far.
  std::vector<SignedBlockWithAttestation> blocks;
  size_t kept_blocks = 0;  // of them, those of which only the signature was submitted
  std::vector<BlockForm> block_forms;
  std::vector<SignedAttestation> votes;
  std::vector<size_t> vote_batches;  // their sizes
  std::vector<LivenessQuery> liveness_queries;
  std::map<Method, int> calls;
  std::vector<std::chrono::milliseconds> timeouts;  // of all calls

  const std::string& name() const override { return name_; }
  absl::StatusOr<DutiesAnswer> GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                         Timeout timeout) override;
  absl::StatusOr<Registry> GetRegistry(Timeout timeout) override;
  absl::StatusOr<BuiltBlockAnswer> BuildBlock(uint64_t slot, uint64_t proposer_index, const Root& genesis_block_root,
                                              BlockForm form, Timeout timeout) override;
  absl::StatusOr<VoteDataAnswer> BuildVote(uint64_t slot, const Root& genesis_block_root, Timeout timeout) override;
  absl::StatusOr<SubmitResult> SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) override;
  absl::StatusOr<SubmitResult> SubmitKeptBlock(const Root& root, const SignatureBytes& signature,
                                               Timeout timeout) override;
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                        Timeout timeout) override;
  absl::StatusOr<std::vector<Liveness>> GetLiveness(const LivenessQuery& query, Timeout timeout) override;
  absl::StatusOr<uint64_t> GetBlockSlot(const Root& root, Timeout timeout) override;
  void Cancel() override {}

  int64_t NowMs() const;

 private:
  absl::Status Begin(Method method, Timeout timeout);
  void Hold(const AttestationData& vote);

  ManualClock& clock_;
  const std::string name_;
  SignedBlockWithAttestation kept_;  // without the proposer's signature
  uint64_t validator_count_;
  int64_t start_ms_;
  SteadyTime start_steady_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_BEACON_H_
