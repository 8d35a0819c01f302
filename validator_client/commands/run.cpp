#include "validator_client/commands/run.h"

#include <algorithm>
#include <functional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/concurrency/worker_pool.h"
#include "common/rpc/channel.h"
#include "validator_client/beacon_session.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/until_stopped.h"
#include "validator_client/grpc_beacon_client.h"
#include "validator_client/key_preparer.h"
#include "validator_client/keystores.h"
#include "validator_client/memory_signing_records.h"
#include "validator_client/validator_service.h"

namespace lean::validator {
namespace {

constexpr unsigned kMaxThreads = 8;

unsigned Threads() { return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads); }

std::vector<RegisteredKey> RegisteredKeysOf(const std::vector<ValidatorKey>& keys) {
  std::vector<RegisteredKey> registered;
  registered.reserve(keys.size());
  for (const ValidatorKey& key : keys) registered.push_back({key.index, key.key->pubkey(), key.origin});
  return registered;
}

}  // namespace

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  absl::StatusOr<Keystores> keystores = OpenKeystores(options.keystores, std::max(1u, Threads() / 2));
  if (!keystores.ok()) return keystores.status();
  const std::vector<RegisteredKey> registered = RegisteredKeysOf(keystores->keys);
  absl::StatusOr<ExpectedNetwork> expected =
      MakeExpectedNetwork(options.genesis_root, options.genesis_dir, registered, keystores->log_lifetime);
  if (!expected.ok()) return expected.status();
  rpc::ChannelOptions channel_options;
  channel_options.tls = options.tls;
  const auto channel = rpc::MakeChannel(options.beacon, channel_options);
  if (!channel.ok()) return channel.status();
  log->info("validator client starting keystores={} validators={} lifetime=2^{} beacon={}", options.keystores,
            keystores->keys.size(), keystores->log_lifetime, options.beacon);

  RealClock clock;
  GrpcBeaconClient client(options.beacon, *channel);
  MemorySigningRecords records;
  KeyPreparer preparer(keystores->keys, log);
  // Room for every key, so that no signature of a duty is ever turned away.
  WorkerPool pool(Threads(), keystores->keys.size());
  Signer signer(std::move(keystores->keys), records, [&pool](std::function<void()> task) {
    if (pool.TrySubmit(std::move(task)) != PushResult::kPushed) task();
  });
  BeaconSession session(client, *std::move(expected), registered, log);
  ValidatorService service(clock, session, signer, preparer, std::random_device()(), log);
  return RunUntilStopped(
      signals, [&service] { return service.Run(); },
      [&](const char* signal) {
        log->info("stopping signal={}", signal);
        clock.Interrupt();
        client.Cancel();
        preparer.Stop();
      });
}

}  // namespace lean::validator
