#include "tests/fuzz/beacon/fuzzed_beacon.h"

#include <utility>
#include <vector>

#include "common/ssz/ssz.h"
#include "spdlog/sinks/null_sink.h"
#include "tests/simulation/world/stand_in_signatures.h"

namespace lean::fuzz {
namespace {

using simulation::StandInPublicKey;
using simulation::StandInSignature;

constexpr uint64_t kGenesisTime = 1'700'000'000;

SignatureBytes Sign(const Attestation& vote) {
  return StandInSignature(StandInPublicKey(vote.validator_id), vote.data.slot, ssz::HashTreeRoot(vote));
}

}  // namespace

FuzzedBeacon::FuzzedBeacon()
    : genesis_(simulation::StandInGenesis(kGenesisTime, kValidators)),
      slots_(kGenesisTime, kSlotMs),
      clock_(static_cast<int64_t>(kGenesisTime * 1000 + kSlotMs)),
      log_(std::make_shared<spdlog::logger>("fuzz", std::make_shared<spdlog::sinks::null_sink_mt>())),
      outbound_(beacon::OutboundItems(kValidators)),
      chain_(beacon::LeanChain::FromAnchor(genesis_.state, genesis_.block).value(),
             std::make_unique<beacon::SignatureVerifier>(simulation::VerifyStandIns, genesis_.state->validators,
                                                         beacon::SignatureVerifierOptions{.threads = 0}),
             {.clock = clock_, .slot_clock = slots_, .outbound = outbound_, .log = log_},
             beacon::ChainServiceOptions()),
      served_{.service = chain_,
              .blocks = blocks_,
              .clock = clock_,
              .slots = slots_,
              .spec = NetworkSpec{.slot_duration_ms = kSlotMs},
              .genesis = genesis_,
              .sync = [] { return beacon::SyncStatus(); },
              .events = events_} {
  chain_.StartWithoutThreads();
}

FuzzedBeacon::~FuzzedBeacon() { chain_.Stop(); }

void FuzzedBeacon::Advance(std::chrono::milliseconds duration) {
  clock_.Advance(duration);
  chain_.Tick();
}

uint64_t FuzzedBeacon::slot() const { return static_cast<uint64_t>(served_.Now().slot); }

beacon::SignedBlockPtr FuzzedBeacon::Build(uint64_t slot) {
  const absl::StatusOr<beacon::BuiltBlock> built = chain_.BuildBlock(slot, slot % kValidators);
  if (!built.ok()) return nullptr;
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message = {.block = built->block, .proposer_attestation = built->proposer_attestation};
  std::vector<SignatureBytes> signatures = built->signatures;
  signatures.push_back(Sign(built->proposer_attestation));
  block->signature = BlockSignatures::FromVector(std::move(signatures)).value();
  return block;
}

beacon::SignedVotePtr FuzzedBeacon::Vote(uint64_t validator, uint64_t slot) {
  const absl::StatusOr<AttestationData> data = chain_.BuildVote(slot);
  if (!data.ok()) return nullptr;
  auto vote = std::make_shared<SignedAttestation>();
  vote->message = {.validator_id = validator, .data = *data};
  vote->signature = Sign(vote->message);
  return vote;
}

}  // namespace lean::fuzz
