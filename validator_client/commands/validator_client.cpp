#include "validator_client/commands/validator_client.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/process/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/limits.h"
#include "common/secrets/secret_file.h"
#include "validator_client/commands/records.h"
#include "validator_client/keys/key_admission.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/keys/start_guard.h"

namespace lean::validator {
namespace {

// A beacon's largest answer is a block, of which it builds one a slot.
constexpr ReceiveLimits kReceiveLimits = {.burst_bytes = rpc::kMaxMessageBytes + (4u << 20),
                                          .bytes_per_second = rpc::kMaxMessageBytes / 2};

absl::Status CheckKeymanagerOptions(const RunOptions& options) {
  const KeymanagerServerOptions& server = options.keymanager;
  if (server.address.empty()) {
    if (server.tls.empty() && server.token_file.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--keymanager-...: there is no --keymanager-address");
  }
  if (!options.signer.empty()) {
    return absl::InvalidArgumentError("--keymanager-address: the keys are the signer's, and come and go there");
  }
  return CheckKeymanagerAddress(server);
}

RunOptions WithDefaults(RunOptions options) {
  std::string& token_file = options.keymanager.token_file;
  if (!options.keymanager.address.empty() && token_file.empty()) token_file = KeymanagerTokenPath(options.keystores);
  return options;
}

}  // namespace

std::string KeymanagerTokenPath(const std::string& keystores) {
  return (std::filesystem::path(keystores).parent_path() / "keymanager_token").string();
}

absl::StatusOr<std::unique_ptr<ValidatorClient>> ValidatorClient::Start(const RunOptions& options,
                                                                        const std::stop_token& stop,
                                                                        const std::shared_ptr<spdlog::logger>& log) {
  if (absl::Status status = CheckKeymanagerOptions(options); !status.ok()) return status;
  std::vector<std::string> warnings;
  absl::StatusOr<ExpectedNetwork> expected = MakeExpectedNetwork(options.network, warnings);
  for (const std::string& warning : warnings) log->warn("network odd message=\"{}\"", warning);
  if (!expected.ok()) return expected.status();
  std::unique_ptr<ValidatorClient> client(new ValidatorClient(WithDefaults(options), *std::move(expected), log));
  if (absl::Status status = client->StartParts(stop); !status.ok()) return status;
  return client;
}

ValidatorClient::ValidatorClient(const RunOptions& options, ExpectedNetwork expected,
                                 const std::shared_ptr<spdlog::logger>& log)
    : options_(options),
      log_(log),
      expected_(std::move(expected)),
      limit_(clock_, expected_.slot_duration_ms, options.allow_slots_to),
      watch_random_(std::random_device()()) {}

ValidatorClient::~ValidatorClient() { Stop(); }

void ValidatorClient::Stop() {
  stopping_.request_stop();
  clock_.Interrupt();
  for (const auto& beacon : beacons_) beacon->Cancel();
  if (preparer_ != nullptr) preparer_->Stop();
  if (keymanager_ != nullptr) keymanager_->Stop();
}

absl::Status ValidatorClient::StartParts(const std::stop_token& stop) {
  absl::StatusOr<std::unique_ptr<SigningSide>> side = OpenSigningSide(options_, limit_, stop, *log_);
  if (!side.ok()) return side.status();
  side_ = *std::move(side);
  absl::Status status =
      ExpectKeys(options_.network, RegisteredKeysOf(side_->signer->keys()->all()), side_->log_lifetime, expected_);
  if (!status.ok()) return status;
  if (status = ConnectBeacons(); !status.ok()) return status;
  LogStart();
  if (status = StartDuties(); !status.ok()) return status;
  if (status = StartServers(); !status.ok()) return status;
  WarnOfGroupReadableSecrets();
  return absl::OkStatus();
}

absl::Status ValidatorClient::ConnectBeacons() {
  receive_budget_ = std::make_unique<ReceiveBudget>(kReceiveLimits, log_);
  rpc::ChannelOptions channel_options;
  channel_options.tls = options_.tls;
  absl::flat_hash_set<std::string> seen;
  for (const std::string& address : options_.beacons) {
    if (!seen.insert(address).second) {
      return absl::InvalidArgumentError(absl::StrCat("--beacon: ", address, " is named twice"));
    }
    const auto channel = rpc::MakeChannel(address, channel_options);
    if (!channel.ok()) return channel.status();
    beacons_.push_back(std::make_unique<GrpcBeaconClient>(address, *channel));
  }
  return absl::OkStatus();
}

absl::Status ValidatorClient::StartDuties() {
  absl::StatusOr<crypto::SignatureScheme> scheme =
      crypto::SignatureScheme::Create({.xmss_log_lifetime = side_->log_lifetime});
  if (!scheme.ok()) return scheme.status();
  scheme_ = *std::move(scheme);
  Signer& signer = *side_->signer;
  const KeySetPtr keys_at_start = signer.keys();
  preparer_ = std::make_unique<KeyPreparer>(keys_at_start->all(), log_);
  keys_ = std::make_unique<LiveKeys>(signer, *preparer_);
  lanes_ = std::make_unique<BeaconLanes>(beacons_.size());
  std::vector<BeaconClient*> clients;
  for (const auto& beacon : beacons_) clients.push_back(beacon.get());
  pool_ = std::make_unique<BeaconPool>(
      clients, expected_, RegisteredKeysOf(keys_at_start->all()), options_.broadcast,
      [this](size_t beacon, std::function<void()> task) { return lanes_->Run(beacon, std::move(task)); }, log_);
  registry_ = std::make_shared<metrics::Registry>();
  metrics_ = std::make_unique<ValidatorMetrics>(*registry_);
  foreign_votes_ = std::make_unique<ForeignVotes>(
      clock_, *pool_, signer,
      [this](const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root) {
        return scheme_->Verify(pubkey, vote.message.data.slot, root, vote.signature).ok();
      },
      log_);
  StartOptions start;
  start.new_keys = options_.new_keys;
  start.watch = options_.watch;
  start.resumed = side_->signed_a_moment_ago;
  start.watched_slots = [this] { return DrawWatchedSlots(watch_random_); };
  service_ = std::make_unique<ValidatorService>(clock_, *pool_, *foreign_votes_, *keys_, start, std::random_device()(),
                                                *metrics_, log_);
  return absl::OkStatus();
}

absl::Status ValidatorClient::StartServers() {
  listeners_ = std::make_unique<rpc::ListenerWatch>(clock_, log_);
  registry_->AddRefresher([this] {
    metrics_->dropped_log_lines.RaiseTo(DroppedLogLines(*log_));
    for (const rpc::ListenerWatch::State& listener : listeners_->states()) {
      metrics_->listener_answers.Set(listener.answers ? 1 : 0, {{"listener", listener.name}});
    }
  });
  absl::StatusOr<std::unique_ptr<metrics::MetricsServer>> metrics_server =
      metrics::MetricsServer::StartIfAsked(options_.metrics_address, registry_, *log_);
  if (!metrics_server.ok()) return metrics_server.status();
  metrics_server_ = *std::move(metrics_server);
  if (metrics_server_ != nullptr) listeners_->Add("metrics", metrics_server_->listener());
  absl::StatusOr<std::unique_ptr<rpc::PooledServer>> keymanager = StartKeymanager();
  if (!keymanager.ok()) return keymanager.status();
  keymanager_ = *std::move(keymanager);
  if (keymanager_ != nullptr) listeners_->Add("keymanager", keymanager_->address());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> ValidatorClient::StartKeymanager() {
  const KeymanagerServerOptions& server = options_.keymanager;
  if (server.address.empty()) return nullptr;
  auto keymanager = StartKeymanagerServer({.keys = *keys_,
                                           .records = *side_->records,
                                           .locks = side_->key_locks,
                                           .random = random_,
                                           .keystores = options_.keystores,
                                           .protection = {.password = side_->password},
                                           .log_lifetime = side_->log_lifetime,
                                           .threads = std::max(1u, KeyThreads() / 2),
                                           .stopping = stopping_.get_token(),
                                           .log = log_},
                                          server);
  if (!keymanager.ok()) return keymanager.status();
  const std::string address = (*keymanager)->address().ToString();
  for (ProcessLock& lock : side_->folder_locks) {
    const absl::Status status = lock.Announce(
        absl::StrCat("ask it at ", address, ": lean-validator keymanager --address ", address, " list|import|delete"));
    if (!status.ok()) return status;
  }
  log_->info("keymanager listening address={} tls={} authorised_by={}", address, !server.tls.empty(),
             server.tls.client_ca.empty() ? server.token_file : "certificate");
  return keymanager;
}

void ValidatorClient::LogStart() {
  log_->info(
      "validator client starting keys={} validators={} lifetime=2^{} slot_ms={} slot_ms_from={} records={} beacons={} "
      "broadcast={}",
      options_.signer.empty() ? options_.keystores : options_.signer, side_->signer->keys()->size(),
      side_->log_lifetime, expected_.slot_duration_ms, expected_.slot_duration_origin,
      options_.signer.empty() ? RecordsPath(options_.records, options_.keystores) : "signer",
      absl::StrJoin(options_.beacons, ","), options_.broadcast);
  if (expected_.genesis_block_root.has_value()) return;
  log_->warn(
      "network not named slots_ahead={}: genesis time and registry are what beacons say, and no key signs "
      "further above its records than that and the time passed allow; name the network by --genesis DIR",
      kSlotsAhead);
}

void ValidatorClient::WarnOfGroupReadableSecrets() {
  std::vector<std::string> files = side_->key_files;
  files.insert(files.end(), {options_.password_file, options_.keymanager.token_file, options_.tls.key,
                             options_.signer_tls.key, options_.keymanager.tls.key});
  if (const std::string warning = GroupReadableWarning(files); !warning.empty()) {
    log_->warn("secrets open to a group message=\"{}\"", warning);
  }
}

}  // namespace lean::validator
