#include "validator_client/commands/signing_side.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "validator_client/commands/records.h"
#include "validator_client/keystores.h"

namespace lean::validator {
namespace {

constexpr unsigned kMaxThreads = 8;

// A record of this machine that is no older than this was written by a client that was stopped only to be started
// again: nobody has taken its keys elsewhere meanwhile.
constexpr std::chrono::seconds kMoment{30};

// Keys of this process.
absl::Status OpenOwnKeys(const RunOptions& options, SigningSide& side) {
  side.password_source = std::make_unique<KeystorePassword>(options.password_file, KeystorePassword::kExisting);
  absl::StatusOr<Keystores> keystores =
      OpenKeystores(options.keystores, side.password_source->source(), std::max(1u, KeyThreads() / 2));
  if (!keystores.ok()) return keystores.status();
  absl::StatusOr<const Password*> password = side.password_source->GetIfAtHand();
  if (!password.ok()) return password.status();
  side.password = *password;
  side.log_lifetime = keystores->log_lifetime;
  std::vector<std::string> folders = keystores->folders;
  // Keys that come later are put there.
  const std::string list_folder = std::filesystem::path(options.keystores).parent_path().string();
  if (!options.keymanager.address.empty()) folders.push_back(list_folder.empty() ? "." : list_folder);
  absl::StatusOr<std::vector<ProcessLock>> locks = LockKeyFolders(folders);
  if (!locks.ok()) return locks.status();
  side.folder_locks = *std::move(locks);
  absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
      SqliteSigningRecords::Open({.path = RecordsPath(options.records, options.keystores), .create = true});
  if (!records.ok()) return records.status();
  side.records = *std::move(records);
  const std::optional<std::chrono::milliseconds> age = side.records->last_write_age();
  side.signed_a_moment_ago = age.has_value() && *age <= kMoment;
  // What has no room in the pool runs at once on the duty's own thread: no signature is ever turned away.
  side.pool = std::make_unique<WorkerPool>(KeyThreads(), keystores->keys.size());
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
  if (!channel.ok()) {
    return absl::Status(channel.status().code(), absl::StrCat("--signer: ", channel.status().message()));
  }
  auto signer = RemoteSigner::Connect(*std::move(channel), side.remote_records);
  if (!signer.ok()) return signer.status();
  side.signer = *std::move(signer);
  side.log_lifetime = side.signer->keys()->all().front().key->log_lifetime();
  return absl::OkStatus();
}

}  // namespace

unsigned KeyThreads() { return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxThreads); }

absl::StatusOr<std::unique_ptr<SigningSide>> OpenSigningSide(const RunOptions& options) {
  auto side = std::make_unique<SigningSide>();
  const absl::Status status = options.signer.empty() ? OpenOwnKeys(options, *side) : ConnectSigner(options, *side);
  if (!status.ok()) return status;
  return side;
}

}  // namespace lean::validator
