#include "validator_client/keymanager/keymanager_requests.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/encrypted_secret.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/keys/xmss_signing_key.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {
namespace {

constexpr int kMaxImported = 64;
constexpr int kMaxDeleted = kMaxKeystores;
// The most bytes of the records in one answer, with room for what stands beside them.
constexpr size_t kMostRecords = rpc::kMaxMessageBytes - (1 << 20);

constexpr char kInvalidKeystore[] = "INVALID_KEYSTORE";
constexpr char kWrongPassword[] = "WRONG_PASSWORD";
constexpr char kTaken[] = "TAKEN";
constexpr char kRecordsMissing[] = "RECORDS_MISSING";
constexpr char kNoPassword[] = "NO_PASSWORD";
constexpr char kStorage[] = "STORAGE";
constexpr char kStopping[] = "STOPPING";

absl::Status RecordsError(const absl::Status& status) {
  return rpc::MakeError(absl::StatusCode::kFailedPrecondition, "RECORDS", status.message());
}

v1::ImportResult Refused(const char* reason, absl::string_view message) {
  v1::ImportResult result;
  result.set_status(v1::IMPORT_STATUS_REFUSED);
  result.set_reason(reason);
  result.set_message(std::string(message));
  return result;
}

v1::ImportResult WithPubkey(v1::ImportResult result, const PublicKeyBytes& pubkey) {
  result.set_pubkey(ToHex(pubkey.span()));
  return result;
}

v1::KeystoreState StateOf(LiveKeys::State state) {
  switch (state) {
    case LiveKeys::State::kActive:
      return v1::KEYSTORE_STATE_ACTIVE;
    case LiveKeys::State::kWaiting:
      return v1::KEYSTORE_STATE_WAITING;
    case LiveKeys::State::kRefused:
      return v1::KEYSTORE_STATE_REFUSED;
  }
  return v1::KEYSTORE_STATE_UNSPECIFIED;
}

absl::StatusOr<std::vector<PublicKeyBytes>> Pubkeys(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<PublicKeyBytes> pubkeys;
  for (int i = 0; i < texts.size(); ++i) {
    ASSIGN_OR_RETURN(const PublicKeyBytes pubkey, ParseFixedHex<PublicKeyBytes>(texts[i]),
                     rpc::MalformedRequest(absl::StrCat("pubkeys[", i, "]: ", _.message())));
    pubkeys.push_back(pubkey);
  }
  return pubkeys;
}

// The result for a key that conflicts with one in the list; nullopt: there is no conflict.
std::optional<v1::ImportResult> Conflict(const KeystoreFolder& folder, uint64_t index, const PublicKeyBytes& pubkey) {
  if (const KeystoreEntry* same = folder.Find(pubkey); same != nullptr) {
    if (same->index == index) {
      v1::ImportResult duplicate;
      duplicate.set_status(v1::IMPORT_STATUS_DUPLICATE);
      return duplicate;
    }
    return Refused(kTaken, absl::StrCat("this client has the key already, for validator ", same->index));
  }
  if (const KeystoreEntry* other = folder.Find(index); other != nullptr) {
    return Refused(kTaken, absl::StrCat("this client has another key for validator ", index, ": ",
                                        ShortHex(other->pubkey.span())));
  }
  return std::nullopt;
}

}  // namespace

struct KeymanagerRequests::Deletion {
  PublicKeyBytes pubkey;
  LiveKeys::Entry removed;  // from those that sign
  v1::DeleteResult* result = nullptr;
};

absl::StatusOr<v1::ListKeystoresResponse> KeymanagerRequests::ListKeystores(const v1::ListKeystoresRequest&) {
  v1::ListKeystoresResponse response;
  for (const LiveKeys::Entry& entry : context_.keys.List()) {
    const SigningKey& key = *entry.key.key;
    v1::KeystoreView& view = *response.add_keystores();
    view.set_pubkey(ToHex(key.pubkey().span()));
    view.set_validator_index(entry.key.index);
    view.set_state(StateOf(entry.state));
    view.set_message(entry.reason);
    view.set_first_slot(key.active_slots().first);
    view.set_last_slot(key.active_slots().end - 1);
    const SlotRange prepared = key.prepared_slots();
    view.set_ready(prepared.end > prepared.first);
    ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, context_.records.HighestSlot(key.pubkey()),
                     RecordsError(_));
    if (highest.has_value()) view.set_highest_signed_slot(*highest);
  }
  return response;
}

absl::StatusOr<v1::ImportKeystoresResponse> KeymanagerRequests::ImportKeystores(
    const v1::ImportKeystoresRequest& request) {
  if (request.keystores_size() < 1 || request.keystores_size() > kMaxImported) {
    return rpc::MalformedRequest(
        absl::StrCat("keystores: ", request.keystores_size(), ", expected 1 to ", kMaxImported));
  }
  MutexLock lock(mutex_);
  if (!request.records().empty()) {
    RETURN_IF_ERROR(MergeRecords(request.records()).status());
  }
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(context_.keystores));
  v1::ImportKeystoresResponse response;
  for (const v1::KeystoreToImport& item : request.keystores()) *response.add_results() = ImportOne(item, folder);
  return response;
}

absl::StatusOr<ImportSummary> KeymanagerRequests::MergeRecords(const std::string& records) {
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, ParseInterchange(records),
                   rpc::MalformedRequest(absl::StrCat("records: ", _.message())));
  ASSIGN_OR_RETURN(ImportSummary summary, context_.records.Import(histories), RecordsError(_));
  context_.log->info("records imported keys={} new_keys={} new_leaves={} closed_leaves={}", summary.keys,
                     summary.new_keys, summary.new_leaves, summary.closed_leaves);
  return summary;
}

v1::ImportResult KeymanagerRequests::ImportOne(const v1::KeystoreToImport& item, KeystoreFolder& folder) {
  ASSIGN_OR_RETURN(const EncryptedKeystore keystore, ParseKeystore(item.keystore()),
                   Refused(kInvalidKeystore, _.message()));
  const PublicKeyBytes& pubkey = keystore.pubkey;
  const uint64_t index = item.validator_index();
  if (context_.stopping.stop_requested()) return WithPubkey(Refused(kStopping, "this client is stopping"), pubkey);
  // Makes all checks without the password first, since decryption takes a second and much memory.
  if (auto conflict = Conflict(folder, index, pubkey); conflict.has_value()) return WithPubkey(*conflict, pubkey);
  if (keystore.log_lifetime != context_.log_lifetime) {
    return WithPubkey(Refused(kInvalidKeystore, absl::StrCat("a key of lifetime 2^", keystore.log_lifetime,
                                                             ", this client's have 2^", context_.log_lifetime)),
                      pubkey);
  }
  if (context_.protection.password == nullptr) {
    return WithPubkey(Refused(kNoPassword,
                              "this client has no password to keep keys under: start it with "
                              "--password-file"),
                      pubkey);
  }
  ASSIGN_OR_RETURN(const std::optional<uint64_t> highest, context_.records.HighestSlot(pubkey),
                   WithPubkey(Refused(kStorage, _.message()), pubkey));
  RETURN_IF_ERROR(CheckReach(keystore.state, highest, item.never_signed()),
                  WithPubkey(Refused(kRecordsMissing, _.message()), pubkey));
  ASSIGN_OR_RETURN(const Password password, Password::FromText(BytesOfText(item.password())),
                   WithPubkey(Refused(kWrongPassword, _.message()), pubkey));
  ASSIGN_OR_RETURN(WipedBytes content, Decrypt(keystore.secret, password),
                   WithPubkey(Refused(kWrongPassword, _.message()), pubkey));
  ASSIGN_OR_RETURN(OpenedKeyFile opened, OpenDecrypted(keystore, std::move(content), "keystore"),
                   WithPubkey(Refused(kInvalidKeystore, _.message()), pubkey));
  return WithPubkey(Store(index, std::move(opened), {.high_water = highest}, item.never_signed(), folder), pubkey);
}

v1::ImportResult KeymanagerRequests::Store(uint64_t index, OpenedKeyFile opened, const KeyState& state,
                                           bool never_signed, KeystoreFolder& folder) {
  if (folder.entries().empty() && !context_.keys.List().empty()) {
    return Refused(kStorage, absl::StrCat(context_.keystores,
                                          " does not exist, although this client has keys: put it back, since a new "
                                          "list would have the new keys only"));
  }
  RETURN_IF_ERROR(folder.Add(index, opened, state, context_.protection, context_.random),
                  Refused(kStorage, _.message()));
  const KeystoreEntry& entry = *folder.Find(index);
  const PublicKeyBytes pubkey = entry.pubkey;
  absl::Status status = context_.locks.Add(pubkey, entry.path);
  if (status.ok()) {
    auto key = std::make_shared<XmssSigningKey>(entry.path, std::move(opened), context_.threads);
    status = context_.keys.Add({index, std::move(key), entry.origin}, never_signed);
    if (!status.ok()) context_.locks.Remove(pubkey);
  }
  if (!status.ok()) {
    const absl::Status undone = folder.Remove(pubkey);
    return Refused(kTaken, absl::StrCat(status.message(), undone.ok() ? "" : "; ", undone.message()));
  }
  context_.log->info("key imported validator={} pubkey={} file={}", index, ShortHex(entry.pubkey.span()), entry.path);
  v1::ImportResult result;
  result.set_status(v1::IMPORT_STATUS_IMPORTED);
  return result;
}

absl::StatusOr<v1::DeleteKeystoresResponse> KeymanagerRequests::DeleteKeystores(
    const v1::DeleteKeystoresRequest& request) {
  if (request.pubkeys_size() < 1 || request.pubkeys_size() > kMaxDeleted) {
    return rpc::MalformedRequest(absl::StrCat("pubkeys: ", request.pubkeys_size(), ", expected 1 to ", kMaxDeleted));
  }
  ASSIGN_OR_RETURN(const std::vector<PublicKeyBytes> pubkeys, Pubkeys(request.pubkeys()));
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(context_.keystores));

  v1::DeleteKeystoresResponse response;
  for (size_t i = 0; i < pubkeys.size(); ++i) response.add_results()->set_status(v1::DELETE_STATUS_NOT_FOUND);
  std::vector<Deletion> deletions;
  for (size_t i = 0; i < pubkeys.size(); ++i) {
    std::optional<LiveKeys::Entry> removed = context_.keys.Remove(pubkeys[i]);
    if (!removed.has_value()) continue;
    deletions.push_back({pubkeys[i], *std::move(removed), response.mutable_results(static_cast<int>(i))});
  }
  if (deletions.empty()) return response;

  // None of the keys signs from here on, so the exported records are final.
  const absl::Status saved = SaveRecords(deletions, response);
  for (const Deletion& deletion : deletions) {
    const absl::Status status = saved.ok() ? folder.Remove(deletion.pubkey) : saved;
    // A list without the key is not ours: it was changed, or is missing, and may come back with the key.
    const bool gone = saved.ok() && !absl::IsNotFound(status) && folder.Find(deletion.pubkey) == nullptr;
    deletion.result->set_status(gone ? v1::DELETE_STATUS_DELETED : v1::DELETE_STATUS_FAILED);
    deletion.result->set_message(std::string(status.message()));
    if (gone) {
      context_.keys.Forget(deletion.pubkey);
      context_.locks.Remove(deletion.pubkey);
      context_.log->warn("key deleted validator={} pubkey={} records={}", deletion.removed.key.index,
                         ShortHex(deletion.pubkey.span()), response.records_file());
    } else {
      context_.keys.PutBack(deletion.removed);
      context_.log->error("key not deleted validator={} pubkey={} reason=\"{}\"", deletion.removed.key.index,
                          ShortHex(deletion.pubkey.span()), std::string(status.message()));
    }
  }
  return response;
}

absl::Status KeymanagerRequests::SaveRecords(const std::vector<Deletion>& deletions,
                                             v1::DeleteKeystoresResponse& response) {
  ASSIGN_OR_RETURN(std::vector<KeyHistory> histories, context_.records.Export());
  std::vector<PublicKeyBytes> pubkeys;
  for (const Deletion& deletion : deletions) pubkeys.push_back(deletion.pubkey);
  KeepOnly(pubkeys, histories);
  std::string text = FormatInterchange(histories, InterchangeForm::kLeaves);
  if (text.size() > kMostRecords) {
    return absl::ResourceExhaustedError("their records are too large for one answer: delete fewer keys at once");
  }
  const std::string name =
      absl::StrCat("deleted-", absl::ToUnixMicros(absl::FromChrono(SystemTime())), ".records.json");
  const std::string file = (std::filesystem::path(context_.keystores).parent_path() / name).string();
  RETURN_IF_ERROR(WritePrivateFile(file, BytesOfText(text), IfExists::kFail));
  response.set_records(std::move(text));
  response.set_records_file(file);
  return absl::OkStatus();
}

absl::StatusOr<v1::ExportSigningRecordsResponse> KeymanagerRequests::ExportSigningRecords(
    const v1::ExportSigningRecordsRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<PublicKeyBytes> pubkeys, Pubkeys(request.pubkeys()));
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(std::vector<KeyHistory> histories, context_.records.Export(), RecordsError(_));
  if (!pubkeys.empty()) KeepOnly(pubkeys, histories);
  v1::ExportSigningRecordsResponse response;
  response.set_keys(histories.size());
  std::string text = FormatInterchange(histories, InterchangeForm::kLeaves);
  if (text.size() > kMostRecords) {
    return absl::ResourceExhaustedError(
        "the records of these keys are too large for one answer: name fewer keys, or use "
        "`lean-validator records export` on the client's machine");
  }
  response.set_records(std::move(text));
  return response;
}

absl::StatusOr<v1::ImportSigningRecordsResponse> KeymanagerRequests::ImportSigningRecords(
    const v1::ImportSigningRecordsRequest& request) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const ImportSummary summary, MergeRecords(request.records()));
  v1::ImportSigningRecordsResponse response;
  response.set_keys(summary.keys);
  response.set_new_keys(summary.new_keys);
  response.set_new_leaves(summary.new_leaves);
  response.set_closed_leaves(summary.closed_leaves);
  return response;
}

}  // namespace lean::validator
