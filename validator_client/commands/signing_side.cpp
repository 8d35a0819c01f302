#include "validator_client/commands/signing_side.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "validator_client/commands/records.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/keys/locked_keystores.h"

namespace lean::validator {
namespace {

// A record of this machine that is no older than this was written by a client that was stopped only to be started
// again: nobody has taken its keys elsewhere meanwhile.
constexpr std::chrono::seconds kMoment{30};

// Keys of this process.
absl::Status OpenOwnKeys(const RunOptions& options, SlotLimit& limit, const std::stop_token& stop, spdlog::logger& log,
                         SigningSide& side) {
  side.password_source = std::make_unique<KeystorePassword>(options.password_file, KeystorePassword::kExisting, stop);
  // Keys that come later are put beside the list.
  absl::StatusOr<LockedKeystores> opened = OpenLockedKeystores({.list_file = options.keystores,
                                                                .changes_list = !options.keymanager.address.empty(),
                                                                .threads = std::max(1u, KeyThreads() / 2)},
                                                               side.password_source->source(), side.key_locks, log);
  if (!opened.ok()) return opened.status();
  side.folder_locks = std::move(opened->folders);
  side.key_files = std::move(opened->key_files);
  std::vector<ValidatorKey> keys = std::move(opened->keystores.keys);
  absl::StatusOr<const Password*> password = side.password_source->GetIfAtHand();
  if (!password.ok()) return password.status();
  if (options.keymanager.address.empty()) {
    side.password_source->Drop();
  } else {
    side.password = *password;  // protects the keys that come by it
  }
  side.log_lifetime = opened->keystores.log_lifetime;
  absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
      SqliteSigningRecords::Open({.path = RecordsPath(options.records, options.keystores), .create = true});
  if (!records.ok()) return records.status();
  side.records = *std::move(records);
  const std::optional<std::chrono::milliseconds> age = side.records->last_write_age();
  side.signed_a_moment_ago = age.has_value() && *age <= kMoment;
  // What has no room in the pool runs at once on the duty's own thread: no signature is ever turned away.
  side.pool = std::make_unique<WorkerPool>(KeyThreads(), keys.size());
  side.signer =
      std::make_unique<Signer>(std::move(keys), *side.records, limit,
                               [&pool = *side.pool](std::function<void()> task) { pool.SubmitOrRun(std::move(task)); });
  return absl::OkStatus();
}

// Keys of another one.
absl::Status ConnectSigner(const RunOptions& options, SlotLimit& limit, SigningSide& side) {
  rpc::ChannelOptions channel_options;
  channel_options.tls = options.signer_tls;
  auto channel = rpc::MakeChannel(options.signer, channel_options);
  if (!channel.ok()) {
    return absl::Status(channel.status().code(), absl::StrCat("--signer: ", channel.status().message()));
  }
  auto signer = RemoteSigner::Connect(*std::move(channel), side.remote_records, limit);
  if (!signer.ok()) return signer.status();
  side.signer = *std::move(signer);
  side.log_lifetime = side.signer->keys()->all().front().key->log_lifetime();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SigningSide>> OpenSigningSide(const RunOptions& options, SlotLimit& limit,
                                                             const std::stop_token& stop, spdlog::logger& log) {
  auto side = std::make_unique<SigningSide>();
  const absl::Status status =
      options.signer.empty() ? OpenOwnKeys(options, limit, stop, log, *side) : ConnectSigner(options, limit, *side);
  if (!status.ok()) return status;
  return side;
}

}  // namespace lean::validator
