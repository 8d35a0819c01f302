#include "validator_client/commands/run.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/concurrency/worker_pool.h"
#include "common/rpc/channel.h"
#include "validator_client/beacon_lanes.h"
#include "validator_client/beacon_pool.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/keystore_password.h"
#include "validator_client/commands/records.h"
#include "validator_client/commands/until_stopped.h"
#include "validator_client/grpc_beacon_client.h"
#include "validator_client/key_preparer.h"
#include "validator_client/keystores.h"
#include "validator_client/remote_signer.h"
#include "validator_client/signing_records/key_locks.h"
#include "validator_client/signing_records/sqlite_signing_records.h"
#include "validator_client/validator_service.h"

namespace lean::validator {
namespace {

constexpr unsigned kMaxThreads = 8;

// A record of this machine that is no older than this was written by a client that was stopped only to be started
// again: nobody has taken its keys elsewhere meanwhile.
constexpr std::chrono::seconds kMoment{30};

unsigned Threads() { return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads); }

std::vector<RegisteredKey> RegisteredKeysOf(const std::vector<ValidatorKey>& keys) {
  std::vector<RegisteredKey> registered;
  registered.reserve(keys.size());
  for (const ValidatorKey& key : keys) registered.push_back({key.index, key.key->pubkey(), key.origin});
  return registered;
}

// What signs, with all that it stands on.
struct SigningSide {
  uint32_t log_lifetime = 0;  // of all keys
  std::vector<ProcessLock> folder_locks;
  std::unique_ptr<SqliteSigningRecords> records;
  bool signed_a_moment_ago = false;  // by this machine, into these records
  RemoteRecords remote_records;
  std::unique_ptr<WorkerPool> pool;
  std::unique_ptr<Signer> signer;
};

// Keys of this process.
absl::Status OpenOwnKeys(const RunOptions& options, SigningSide& side) {
  KeystorePassword password(options.password_file, KeystorePassword::kExisting);
  absl::StatusOr<Keystores> keystores =
      OpenKeystores(options.keystores, password.source(), std::max(1u, Threads() / 2));
  if (!keystores.ok()) return keystores.status();
  side.log_lifetime = keystores->log_lifetime;
  absl::StatusOr<std::vector<ProcessLock>> locks = LockKeyFolders(keystores->folders);
  if (!locks.ok()) return locks.status();
  side.folder_locks = *std::move(locks);
  absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
      SqliteSigningRecords::Open({.path = RecordsPath(options.records, options.keystores), .create = true});
  if (!records.ok()) return records.status();
  side.records = *std::move(records);
  const std::optional<std::chrono::milliseconds> age = side.records->last_write_age();
  side.signed_a_moment_ago = age.has_value() && *age <= kMoment;
  // Room for every key, so that no signature of a duty is ever turned away.
  side.pool = std::make_unique<WorkerPool>(Threads(), keystores->keys.size());
  side.signer =
      std::make_unique<Signer>(std::move(keystores->keys), *side.records,
                               [&pool = *side.pool](std::function<void()> task) { pool.SubmitOrRun(std::move(task)); });
  return absl::OkStatus();
}

// Keys of another one.
absl::Status ConnectSigner(const RunOptions& options, SigningSide& side) {
  rpc::ChannelOptions channel_options;
  channel_options.tls = options.signer_tls;
  auto channel = rpc::MakeChannel(options.signer, channel_options);
  if (!channel.ok())
    return absl::Status(channel.status().code(), absl::StrCat("--signer: ", channel.status().message()));
  auto signer = RemoteSigner::Connect(*std::move(channel), side.remote_records);
  if (!signer.ok()) return signer.status();
  side.signer = *std::move(signer);
  side.log_lifetime = side.signer->keys().front().key->log_lifetime();
  return absl::OkStatus();
}

using BeaconClients = std::vector<std::unique_ptr<GrpcBeaconClient>>;

absl::StatusOr<BeaconClients> ConnectBeacons(const RunOptions& options) {
  rpc::ChannelOptions channel_options;
  channel_options.tls = options.tls;
  BeaconClients clients;
  absl::flat_hash_set<std::string> seen;
  for (const std::string& address : options.beacons) {
    if (!seen.insert(address).second) {
      return absl::InvalidArgumentError(absl::StrCat("--beacon: ", address, " is named twice"));
    }
    const auto channel = rpc::MakeChannel(address, channel_options);
    if (!channel.ok()) return channel.status();
    clients.push_back(std::make_unique<GrpcBeaconClient>(address, *channel));
  }
  return clients;
}

std::vector<BeaconClient*> Pointers(const BeaconClients& clients) {
  std::vector<BeaconClient*> pointers;
  pointers.reserve(clients.size());
  for (const auto& client : clients) pointers.push_back(client.get());
  return pointers;
}

}  // namespace

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  SigningSide side;
  if (absl::Status status = options.signer.empty() ? OpenOwnKeys(options, side) : ConnectSigner(options, side);
      !status.ok()) {
    return status;
  }
  Signer& signer = *side.signer;
  const std::vector<RegisteredKey> registered = RegisteredKeysOf(signer.keys());
  absl::StatusOr<ExpectedNetwork> expected =
      MakeExpectedNetwork(options.genesis_root, options.genesis_dir, registered, side.log_lifetime);
  if (!expected.ok()) return expected.status();
  absl::StatusOr<BeaconClients> clients = ConnectBeacons(options);
  if (!clients.ok()) return clients.status();
  log->info("validator client starting keys={} validators={} lifetime=2^{} records={} beacons={} broadcast={}",
            options.signer.empty() ? options.keystores : options.signer, signer.keys().size(), side.log_lifetime,
            options.signer.empty() ? RecordsPath(options.records, options.keystores) : "signer",
            absl::StrJoin(options.beacons, ","), options.broadcast);
  StartOptions start;
  start.new_keys = options.new_keys;
  start.watch = options.watch && !side.signed_a_moment_ago;

  RealClock clock;
  KeyPreparer preparer(signer.keys(), log);
  BeaconLanes lanes(clients->size());
  BeaconPool beacons(
      Pointers(*clients), *expected, registered, options.broadcast,
      [&lanes](size_t beacon, std::function<void()> task) { return lanes.Run(beacon, std::move(task)); }, log);
  ValidatorService service(clock, beacons, signer, preparer, start, std::random_device()(), log);
  return RunUntilStopped(
      signals, [&service] { return service.Run(); },
      [&](const char* signal) {
        log->info("stopping signal={}", signal);
        clock.Interrupt();
        for (const auto& client : *clients) client->Cancel();
        preparer.Stop();
      });
}

}  // namespace lean::validator
