// The validator client of one node: the real duties, signer and records. Its beacon is the node's; its keys sign with
// stand-ins; its records are a SQLite file on a simulated disk.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SIMULATED_CLIENT_H_
#define LEAN_TESTS_SIMULATION_WORLD_SIMULATED_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/metrics/metrics.h"
#include "google/protobuf/message.h"
#include "tests/simulation/world/simulated_beacon.h"
#include "tests/simulation/world/stand_in_signatures.h"
#include "tests/simulation/world/virtual_time.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/beacons/wire_beacon_client.h"
#include "validator_client/duties/validator_metrics.h"
#include "validator_client/duties/validator_service.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::simulation {

struct ClientOptions {
  std::vector<uint64_t> validators;
  std::string records;  // path
  uint64_t boot = 0;    // which boot of the machine this is
  // As of an operator who is sure that nobody else signs: no check of the chain, no watch for a second client.
  bool careless = false;
};

class SimulatedClient {
 public:
  // Calls a method of the beacon.
  using CallBeacon = std::function<absl::Status(const char* method, const google::protobuf::Message& request,
                                                google::protobuf::Message& response)>;

  // All arguments outlive it. `signed_leaf` is called with everything that a key signs. Starts at once.
  SimulatedClient(const WorldContext& world, NodeClock& clock, const ClientOptions& options, CallBeacon call,
                  StandInKey::Watch signed_leaf);
  SimulatedClient(const SimulatedClient&) = delete;
  SimulatedClient& operator=(const SimulatedClient&) = delete;

  // Why the client has ended by itself; OK while it runs.
  const absl::Status& ended() const { return ended_; }

 private:
  class Calls final : public validator::WireBeaconClient {
   public:
    explicit Calls(CallBeacon call) : WireBeaconClient("beacon"), call_(std::move(call)) {}
    void Cancel() override {}

   private:
    absl::Status Call(const char*, const char* method, const google::protobuf::Message& request,
                      google::protobuf::Message& response, Timeout timeout) override {
      if (timeout <= Timeout::zero()) return absl::DeadlineExceededError("no time is left");
      return call_(method, request, response);
    }

    const CallBeacon call_;
  };

  void Step();

  const WorldContext& world_;
  NodeClock& clock_;
  Calls calls_;
  const std::shared_ptr<const char> alive_ = std::make_shared<const char>();
  std::unique_ptr<validator::SqliteSigningRecords> records_;
  metrics::Registry registry_;
  validator::ValidatorMetrics metrics_{registry_};
  std::optional<validator::BeaconPool> beacons_;
  std::optional<validator::SlotLimit> limit_;
  std::optional<validator::Signer> signer_;
  std::optional<validator::KeyPreparer> preparer_;
  std::optional<validator::LiveKeys> keys_;
  std::optional<validator::ForeignVotes> votes_;
  std::optional<validator::ValidatorService> service_;
  absl::Status ended_;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SIMULATED_CLIENT_H_
