#include "validator_client/commands/validator_client.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/process/log.h"
#include "common/process/stop_signals.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/message_limits.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/key_admission.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/keys/start_guard.h"

namespace lean::validator {
namespace {

// The default path of the keymanager's token: beside the keystores list.
std::string KeymanagerTokenPath(const std::string& keystores) {
  return (std::filesystem::path(keystores).parent_path() / "keymanager_token").string();
}

// Opens the keys of this process.
absl::Status OpenOwnKeys(const RunOptions& options, SlotLimit& limit, const std::stop_token& stop, spdlog::logger& log,
                         SigningParts& parts) {
  parts.password_source = std::make_unique<KeystorePassword>(options.password_file, KeystorePassword::kExisting, stop);
  // New keys are written to the folder of the list.
  ASSIGN_OR_RETURN(LockedKeystores opened, OpenLockedKeystores({.list_file = options.keystores,
                                                                .changes_list = !options.keymanager.address.empty(),
                                                                .threads = std::max(1u, KeyThreads() / 2)},
                                                               parts.password_source->source(), parts.key_locks, log));
  parts.folder_locks = std::move(opened.folders);
  parts.key_files = std::move(opened.key_files);
  std::vector<ValidatorKey> keys = std::move(opened.keystores.keys);
  ASSIGN_OR_RETURN(const Password* password, parts.password_source->GetIfAtHand());
  if (options.keymanager.address.empty()) {
    parts.password_source->Drop();
  } else {
    parts.password = password;  // protects the keys that come by it
  }
  parts.log_lifetime = opened.keystores.log_lifetime;
  ASSIGN_OR_RETURN(parts.records, SqliteSigningRecords::Open(
                                      {.path = RecordsPath(options.records, options.keystores), .create = true}));
  RETURN_IF_ERROR(
      CheckRecordsReach(opened.keystores.states, *parts.records, RecordsPath(options.records, options.keystores)));
  const std::optional<std::chrono::milliseconds> age = parts.records->last_write_age();
  parts.signed_a_moment_ago = age.has_value() && *age <= kLongestGap;
  // If the pool is full, a signature runs on the thread of the duty. None is dropped.
  parts.pool = std::make_unique<WorkerPool>(KeyThreads(), keys.size());
  parts.signer = std::make_unique<Signer>(
      std::move(keys), *parts.records, limit,
      [&pool = *parts.pool](std::function<void()> task) { pool.SubmitOrRun(std::move(task)); });
  return absl::OkStatus();
}

// Connects to the process that has the keys.
absl::Status ConnectSigner(const RunOptions& options, SlotLimit& limit, const std::shared_ptr<spdlog::logger>& log,
                           SigningParts& parts) {
  ASSIGN_OR_RETURN(parts.signer_tls, rpc::OpenTlsFiles("signer", options.signer_tls, log));
  ASSIGN_OR_RETURN(auto channels, rpc::MakeChannelSource(options.signer, parts.signer_tls),
                   absl::Status(_.code(), absl::StrCat("--signer: ", _.message())));
  ASSIGN_OR_RETURN(parts.signer, RemoteSigner::Connect(std::move(channels), parts.remote_records, limit),
                   rpc::WithExplanation(_, options.signer, options.signer_tls));
  parts.log_lifetime = parts.signer->keys()->all().front().key->log_lifetime();
  return absl::OkStatus();
}

// The largest answer of a beacon is a block; it builds one in a slot.
constexpr rpc::ReceiveLimits kReceiveLimits = {.burst_bytes = rpc::kMaxMessageBytes + (4u << 20),
                                               .bytes_per_second = rpc::kMaxMessageBytes / 2};

absl::Status CheckKeymanagerOptions(const RunOptions& options) {
  const KeymanagerServerOptions& server = options.keymanager;
  if (server.address.empty()) {
    if (server.tls.empty() && server.token_file.empty() && !server.insecure) return absl::OkStatus();
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

absl::StatusOr<std::unique_ptr<SigningParts>> OpenSigningParts(const RunOptions& options, SlotLimit& limit,
                                                               const std::stop_token& stop,
                                                               const std::shared_ptr<spdlog::logger>& log) {
  auto parts = std::make_unique<SigningParts>();
  RETURN_IF_ERROR(options.signer.empty() ? OpenOwnKeys(options, limit, stop, *log, *parts)
                                         : ConnectSigner(options, limit, log, *parts));
  return parts;
}

absl::StatusOr<std::unique_ptr<ValidatorClient>> ValidatorClient::Start(const RunOptions& options,
                                                                        const std::stop_token& stop,
                                                                        const std::shared_ptr<spdlog::logger>& log) {
  RETURN_IF_ERROR(CheckKeymanagerOptions(options));
  std::vector<std::string> warnings;
  absl::StatusOr<ExpectedNetwork> expected = MakeExpectedNetwork(options.network, warnings);
  for (const std::string& warning : warnings) log->warn("network odd message=\"{}\"", warning);
  RETURN_IF_ERROR(expected.status());
  std::unique_ptr<ValidatorClient> client(new ValidatorClient(WithDefaults(options), *std::move(expected), log));
  RETURN_IF_ERROR(client->StartParts(stop));
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
  ASSIGN_OR_RETURN(signing_, OpenSigningParts(options_, limit_, stop, PartLog(log_, "keys")));
  RETURN_IF_ERROR(ExpectKeys(options_.network, RegisteredKeysOf(signing_->signer->keys()->all()),
                             signing_->log_lifetime, expected_));
  RETURN_IF_ERROR(ConnectBeacons());
  LogStart();
  RETURN_IF_ERROR(StartDuties());
  RETURN_IF_ERROR(StartServers());
  WarnOfGroupReadableSecrets();
  return absl::OkStatus();
}

absl::Status ValidatorClient::ConnectBeacons() {
  receive_budget_ = std::make_unique<rpc::ReceiveBudget>(kReceiveLimits, PartLog(log_, "beacons"));
  ASSIGN_OR_RETURN(const auto tls_files, rpc::OpenTlsFiles("beacons", options_.tls, log_));
  security_ = std::make_unique<rpc::SecurityWatch>(clock_, log_);
  security_->Add(tls_files);
  security_->Add(signing_->signer_tls);
  absl::flat_hash_set<std::string> seen;
  for (const std::string& address : options_.beacons) {
    if (!seen.insert(address).second) {
      return absl::InvalidArgumentError(absl::StrCat("--beacon: ", address, " is named twice"));
    }
    ASSIGN_OR_RETURN(auto channels, rpc::MakeChannelSource(address, tls_files));
    beacons_.push_back(std::make_unique<GrpcBeaconClient>(address, std::move(channels), options_.tls));
  }
  return absl::OkStatus();
}

absl::Status ValidatorClient::StartDuties() {
  ASSIGN_OR_RETURN(scheme_, crypto::SignatureScheme::Create({.xmss_log_lifetime = signing_->log_lifetime}));
  Signer& signer = *signing_->signer;
  const KeySetPtr keys_at_start = signer.keys();
  preparer_ = std::make_unique<KeyPreparer>(keys_at_start->all(), clock_, PartLog(log_, "keys"));
  keys_ = std::make_unique<LiveKeys>(signer, *preparer_);
  lanes_ = std::make_unique<BeaconLanes>(beacons_.size());
  std::vector<BeaconClient*> clients;
  for (const auto& beacon : beacons_) clients.push_back(beacon.get());
  pool_ = std::make_unique<BeaconPool>(
      clients, expected_, RegisteredKeysOf(keys_at_start->all()), options_.broadcast,
      [this](size_t beacon, std::function<void()> task) { return lanes_->Run(beacon, std::move(task)); },
      PartLog(log_, "beacons"));
  registry_ = std::make_shared<metrics::Registry>();
  metrics_ = std::make_unique<ValidatorMetrics>(*registry_);
  metrics_->queues.Add([this] {
    metrics::Footprint signatures{.name = "signatures", .items = 0, .bytes = 0};
    if (signing_->pool != nullptr) {
      signatures.items = signing_->pool->queued();
      signatures.bytes = signing_->pool->queued_bytes();
    }
    return metrics::FootprintList{lanes_->queue(), signatures, preparer_->queue()};
  });
  metrics_->caches.Add([this] { return metrics::FootprintList{preparer_->keys()}; });
  foreign_votes_ = std::make_unique<ForeignVotes>(
      clock_, *pool_, signer,
      [this](const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root) {
        return scheme_->Verify(pubkey, vote.message.data.slot, root, vote.signature).ok();
      },
      PartLog(log_, "keys"));
  StartOptions start;
  start.new_keys = options_.new_keys;
  start.watch = options_.watch;
  start.resumed = signing_->signed_a_moment_ago;
  start.watched_slots = [this] { return DrawWatchedSlots(watch_random_); };
  service_ = std::make_unique<ValidatorService>(clock_, *pool_, *foreign_votes_, *keys_, start, std::random_device()(),
                                                *metrics_, PartLog(log_, "duties"));
  return absl::OkStatus();
}

absl::Status ValidatorClient::StartServers() {
  listeners_ = std::make_unique<rpc::ListenerWatch>(clock_, log_);
  registry_->AddRefresher([this] {
    metrics_->dropped_log_lines.RaiseTo(DroppedLogLines(*log_));
    for (const rpc::ListenerWatch::State& listener : listeners_->states()) {
      metrics_->listener_answers.Set(listener.answers ? 1 : 0, {{"listener", listener.name}});
    }
    for (const rpc::SecurityWatch::Certificate& certificate : security_->certificates()) {
      metrics_->certificate_end.Set(static_cast<double>(absl::ToUnixSeconds(certificate.end)),
                                    {{"tls", certificate.name}});
    }
  });
  ASSIGN_OR_RETURN(metrics_server_, metrics::MetricsServer::StartIfAsked(options_.metrics_address, registry_, *log_));
  if (metrics_server_ != nullptr) listeners_->Add("metrics", metrics_server_->listener());
  ASSIGN_OR_RETURN(keymanager_, StartKeymanager());
  if (keymanager_ != nullptr) {
    listeners_->Add("keymanager", keymanager_->address());
    security_->Add(keymanager_->server());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<rpc::PooledServer>> ValidatorClient::StartKeymanager() {
  const KeymanagerServerOptions& server = options_.keymanager;
  if (server.address.empty()) return nullptr;
  ASSIGN_OR_RETURN(auto keymanager, StartKeymanagerServer({.keys = *keys_,
                                                           .records = *signing_->records,
                                                           .locks = signing_->key_locks,
                                                           .random = random_,
                                                           .keystores = options_.keystores,
                                                           .protection = {.password = signing_->password},
                                                           .log_lifetime = signing_->log_lifetime,
                                                           .threads = std::max(1u, KeyThreads() / 2),
                                                           .stopping = stopping_.get_token(),
                                                           .log = PartLog(log_, "keymanager")},
                                                          server));
  const std::string address = keymanager->address().ToString();
  for (ProcessLock& lock : signing_->folder_locks) {
    RETURN_IF_ERROR(lock.Announce(
        absl::StrCat("ask it at ", address, ": lean-validator keymanager --address ", address, " list|import|delete")));
  }
  log_->info("keymanager listening address={} tls={} authorised_by={}", address, !server.tls.empty(),
             server.tls.client_ca.empty() ? server.token_file : "certificate");
  return keymanager;
}

void ValidatorClient::LogStart() {
  log_->info(
      "validator client starting keys={} validators={} lifetime=2^{} slot_ms={} slot_ms_from={} records={} beacons={} "
      "broadcast={}",
      options_.signer.empty() ? options_.keystores : options_.signer, signing_->signer->keys()->size(),
      signing_->log_lifetime, expected_.slot_duration_ms, expected_.slot_duration_origin,
      options_.signer.empty() ? RecordsPath(options_.records, options_.keystores) : "signer",
      absl::StrJoin(options_.beacons, ","), options_.broadcast);
  if (expected_.genesis_block_root.has_value()) return;
  log_->warn(
      "network not named slots_ahead={}: genesis time and registry are what beacons say, and no key signs "
      "further above its records than that and the time passed allow; name the network by --genesis DIR",
      kSlotsAhead);
}

void ValidatorClient::WarnOfGroupReadableSecrets() {
  std::vector<std::string> files = signing_->key_files;
  files.insert(files.end(), {options_.password_file, options_.keymanager.token_file, options_.tls.key,
                             options_.signer_tls.key, options_.keymanager.tls.key});
  if (const std::string warning = GroupReadableWarning(files); !warning.empty()) {
    log_->warn("secrets open to a group message=\"{}\"", warning);
  }
}

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  bool stopped = false;
  const auto told = [&](const char* signal) {
    stopped = true;
    log->info("stopping signal={}", signal);
  };
  absl::StatusOr<std::unique_ptr<ValidatorClient>> client;
  const absl::Status started = RunOrExit(
      signals, /*exit_code=*/0,
      [&](const std::stop_token& stop) {
        client = ValidatorClient::Start(options, stop, log);
        return client.status();
      },
      told);
  if (stopped) return absl::OkStatus();
  RETURN_IF_ERROR(started);
  return RunUntilStopped(
      signals, [&client] { return (*client)->Run(); },
      [&](const char* signal) {
        told(signal);
        (*client)->Stop();
      });
}

}  // namespace lean::validator
