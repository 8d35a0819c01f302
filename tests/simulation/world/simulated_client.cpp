#include "tests/simulation/world/simulated_client.h"

#include <chrono>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "validator_client/beacons/network_identity.h"
#include "validator_client/keys/key_admission.h"

namespace lean::simulation {
namespace {

// As of lean-validator: a client that has signed within this time was only restarted.
constexpr std::chrono::seconds kMoment{30};

std::vector<validator::ValidatorKey> MakeKeys(const std::vector<uint64_t>& validators, const StandInKey::Watch& watch) {
  std::vector<validator::ValidatorKey> keys;
  for (const uint64_t index : validators) {
    keys.push_back({.index = index, .key = std::make_shared<StandInKey>(index, watch), .origin = "simulation"});
  }
  return keys;
}

validator::ExpectedNetwork NetworkOf(const WorldContext& world) {
  const State& state = *world.genesis.state;
  auto registry = std::make_shared<validator::Registry>();
  for (const Validator& validator : state.validators) registry->push_back(validator.pubkey);
  validator::ExpectedNetwork expected;
  expected.slot_duration_ms = world.spec.slot_duration_ms;
  expected.genesis_block_root = world.genesis.block_root;
  expected.network = validator::NetworkIdentity{world.genesis.block_root, state.config.genesis_time,
                                                world.spec.slot_duration_ms, registry->size(), registry};
  return expected;
}

}  // namespace

SimulatedClient::SimulatedClient(const WorldContext& world, NodeClock& clock, const ClientOptions& options,
                                 CallBeacon call, StandInKey::Watch signed_leaf)
    : world_(world), clock_(clock), calls_(std::move(call)) {
  const validator::Machine machine{"machine", absl::StrCat(options.boot), [&loop = world.loop] { return loop.now(); }};
  absl::StatusOr<std::unique_ptr<validator::SqliteSigningRecords>> records =
      validator::SqliteSigningRecords::Open({.path = options.records, .create = true, .machine = machine});
  if (!records.ok()) {
    ended_ = records.status();
    return;
  }
  records_ = *std::move(records);
  const std::vector<validator::ValidatorKey> keys = MakeKeys(options.validators, signed_leaf);
  beacons_.emplace(
      std::vector<validator::BeaconClient*>{&calls_}, NetworkOf(world), validator::RegisteredKeysOf(keys), false,
      [](size_t, const std::function<void()>& task) {
        task();
        return true;
      },
      world.log);
  limit_.emplace(clock, world.spec.slot_duration_ms);
  signer_.emplace(keys, *records_, *limit_, [](const std::function<void()>& task) { task(); });
  preparer_.emplace(keys, clock, world.log);
  keys_.emplace(*signer_, *preparer_);
  votes_.emplace(
      clock, *beacons_, *signer_,
      [](const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root) {
        return IsStandIn(vote.signature, pubkey, vote.message.data.slot, root);
      },
      world.log);
  const std::optional<std::chrono::milliseconds> age = records_->last_write_age();
  validator::StartOptions start{.new_keys = options.careless,
                                .watch = !options.careless,
                                .resumed = age.has_value() && *age <= kMoment,
                                .watched_slots = [] { return validator::kLeastWatchedSlots; }};
  service_.emplace(clock, *beacons_, *votes_, *keys_, start, world.seed, metrics_, world.log);
  world_.loop.In(0, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) Step();
  });
}

void SimulatedClient::Step() {
  const absl::StatusOr<SteadyTime> next = service_->Step();
  if (!next.ok()) {
    ended_ = next.status();
    return;
  }
  world_.loop.In(clock_.Until(*next), [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) Step();
  });
}

}  // namespace lean::simulation
