#include "validator_client/commands/keymanager_cli.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/log/log_text.h"
#include "common/process/program.h"
#include "common/process/stop_signals.h"
#include "common/process/whole_file.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/client/connection_check.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls_options.h"
#include "common/rpc/wire/status.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/commands/keys/key_bundle.h"
#include "validator_client/keymanager/access_token.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {
namespace {

// Decrypting a key takes a second, and a call may have 64 keys.
constexpr std::chrono::minutes kPatience{5};

// "duplicate" for IMPORT_STATUS_DUPLICATE.
std::string Word(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

absl::Status SomeRefused(size_t refused) {
  if (refused == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(refused, " keys: see above"));
}

absl::Status WriteRecords(const std::string& file, const std::string& records) {
  return WritePrivateFile(file, BytesOfText(records), IfExists::kFail);
}

}  // namespace

// A connection with the credentials of the caller.
class KeymanagerCli::Caller {
 public:
  static absl::StatusOr<Caller> Connect(const KeymanagerCli& options) {
    std::string token;  // gRPC keeps copies of it for the rest of this short process
    if (!options.token_file_.empty()) {
      ASSIGN_OR_RETURN(token, ReadAccessToken(options.token_file_));
    }
    rpc::ChannelOptions channel_options;
    channel_options.tls = options.tls_;
    ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(options.address_, channel_options));
    return Caller(options, v1::KeymanagerService::NewStub(channel), std::move(token));
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::KeymanagerService::Stub::*method)(grpc::ClientContext*,
                                                                                    const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(SystemTime() + kPatience);
    if (!token_.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token_));
    Response response;
    RETURN_IF_ERROR(rpc::FromGrpcStatus((stub_.get()->*method)(&context, request, &response)),
                    rpc::WithExplanation(_, options_.address_, options_.tls_));
    return response;
  }

 private:
  Caller(const KeymanagerCli& options, std::unique_ptr<v1::KeymanagerService::Stub> stub, std::string token)
      : options_(options), stub_(std::move(stub)), token_(std::move(token)) {}

  const KeymanagerCli& options_;
  std::unique_ptr<v1::KeymanagerService::Stub> stub_;
  std::string token_;
};

KeymanagerCli::KeymanagerCli(CLI::App& app)
    : keymanager_(app.add_subcommand("keymanager", "Keys of a running client, started with --keymanager-address")) {
  keymanager_->require_subcommand(1);
  keymanager_->add_option("--address", address_, "HOST:PORT (IPv6: [HOST]:PORT) or unix:PATH of its keymanager")
      ->check(rpc::AddressError)
      ->capture_default_str();
  keymanager_->add_option("--token-file", token_file_, "its token file; not needed with a certificate");
  rpc::AddClientTlsOptions(*keymanager_, "--tls", "the keymanager", tls_);
  keymanager_->fallthrough();
  list_ = keymanager_->add_subcommand("list", "Show its keys, and where each stands");
  import_ = keymanager_->add_subcommand("import", "Add encrypted keys; they sign when the watch of a start is over");
  import_->add_option("--from", from_, "file of `keys export --with-records`, or a YAML list of encrypted keys")
      ->required();
  import_->add_option("--indices", indices_, "validators to import: 0..3 or 0,2,5; without it, all of the list");
  import_->add_option("--from-password-file", password_file_, "file with their password; without it, it is asked for");
  CLI::Option* records = import_->add_option("--records", records_file_, "their signing records, merged first");
  import_->add_flag("--never-signed", never_signed_, "they have never signed anything, anywhere")->excludes(records);
  delete_ = keymanager_->add_subcommand("delete", "Take keys out of use for good; their records come back");
  delete_->add_option("--indices", indices_, "validators whose keys to delete: 0..3 or 0,2,5")->required();
  delete_->add_option("--records-output", records_file_, "new file for their signing records")->required();
  export_records_ = keymanager_->add_subcommand("export-records", "What its keys have signed so far: for a look");
  export_records_->add_option("--output", records_file_, "new file")->required();
  import_records_ = keymanager_->add_subcommand("import-records", "Merge a JSON file of another machine");
  import_records_->add_option("--input", records_file_, "file of `records export` or of a deletion")->required();
}

absl::Status KeymanagerCli::Run(StopSignals& signals, std::ostream& out, bool* usage) const {
  // A signal may end the other commands at any moment, since their files are complete. Where a password is asked for,
  // the terminal must be restored.
  return RunOrExit(
      signals, kExitFailure, [&](const std::stop_token& stop) { return RunCommand(stop, out, usage); },
      [](const char*) {});
}

absl::Status KeymanagerCli::RunCommand(const std::stop_token& stop, std::ostream& out, bool* usage) const {
  ASSIGN_OR_RETURN(Caller caller, Caller::Connect(*this));
  if (import_->parsed()) return Import(caller, stop, out, usage);
  if (delete_->parsed()) return Delete(caller, out, usage);
  if (export_records_->parsed()) return ExportRecords(caller, out);
  if (import_records_->parsed()) return ImportRecords(caller, out);
  return List(caller, out);
}

absl::Status KeymanagerCli::List(Caller& caller, std::ostream& out) const {
  ASSIGN_OR_RETURN(const auto response,
                   caller.Call(&v1::KeymanagerService::Stub::ListKeystores, v1::ListKeystoresRequest()));
  for (const v1::KeystoreView& key : response.keystores()) {
    out << "index=" << key.validator_index() << " pubkey=" << Printable(key.pubkey())
        << " state=" << Word(v1::KeystoreState_Name(key.state()), "KEYSTORE_STATE_") << " slots=" << key.first_slot()
        << ".." << key.last_slot() << " ready=" << (key.ready() ? "yes" : "no")
        << " highest_signed=" << (key.has_highest_signed_slot() ? absl::StrCat(key.highest_signed_slot()) : "none");
    if (!key.message().empty()) out << " message=\"" << Printable(key.message()) << "\"";
    out << "\n";
  }
  return absl::OkStatus();
}

absl::Status KeymanagerCli::Import(Caller& caller, const std::stop_token& stop, std::ostream& out, bool* usage) const {
  const absl::StatusOr<std::vector<uint64_t>> indices =
      indices_.empty() ? std::vector<uint64_t>() : ParseIndexList(indices_);
  if (!indices.ok()) {
    *usage = true;
    return absl::InvalidArgumentError(absl::StrCat("--indices: ", indices.status().message()));
  }
  ASSIGN_OR_RETURN(const std::optional<KeyBundle> bundle, ReadKeyBundle(from_, *indices));
  if (bundle.has_value() && (!records_file_.empty() || never_signed_)) {
    return absl::InvalidArgumentError(
        absl::StrCat(from_, " has the records of its keys: leave --records and --never-signed away"));
  }
  KeystorePassword password_source(password_file_, KeystorePassword::kSource, stop);
  ASSIGN_OR_RETURN(const Password* password, password_source.Get());
  return bundle.has_value() ? ImportBundle(caller, *bundle, password->bytes(), out)
                            : ImportList(caller, *indices, password->bytes(), out);
}

absl::Status KeymanagerCli::ImportBundle(Caller& caller, const KeyBundle& bundle, ByteSpan password,
                                         std::ostream& out) {
  size_t refused = 0;
  for (size_t i = 0; i < bundle.keys.size(); ++i) {
    const EncryptedKeystore& keystore = bundle.keys[i].keystore;
    v1::ImportKeystoresRequest request;
    request.set_records(FormatInterchange({bundle.histories[i]}, InterchangeForm::kLeaves));
    v1::KeystoreToImport& item = *request.add_keystores();
    item.set_keystore(FormatKeystore(keystore));
    item.set_password(std::string(password.begin(), password.end()));
    item.set_validator_index(bundle.keys[i].index);
    ASSIGN_OR_RETURN(const bool imported, ImportOne(caller, request, keystore.pubkey, out));
    refused += imported ? 0 : 1;
  }
  return SomeRefused(refused);
}

absl::Status KeymanagerCli::ImportList(Caller& caller, const std::vector<uint64_t>& indices, ByteSpan password,
                                       std::ostream& out) const {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(from_));
  std::string records;
  if (!records_file_.empty()) {
    ASSIGN_OR_RETURN(records, ReadTextFile(records_file_, kMaxInterchangeBytes));
  }
  size_t refused = 0;
  for (const KeystoreEntry& entry : entries) {
    if (!indices.empty() && std::find(indices.begin(), indices.end(), entry.index) == indices.end()) continue;
    ASSIGN_OR_RETURN(const std::string keystore, ReadTextFile(entry.path, kMaxOldKeystoreBytes));
    v1::ImportKeystoresRequest request;
    request.set_records(std::exchange(records, ""));
    v1::KeystoreToImport& item = *request.add_keystores();
    item.set_keystore(keystore);
    item.set_password(std::string(password.begin(), password.end()));
    item.set_validator_index(entry.index);
    item.set_never_signed(never_signed_);
    ASSIGN_OR_RETURN(const bool imported, ImportOne(caller, request, entry.pubkey, out));
    refused += imported ? 0 : 1;
  }
  return SomeRefused(refused);
}

absl::StatusOr<bool> KeymanagerCli::ImportOne(Caller& caller, const v1::ImportKeystoresRequest& request,
                                              const PublicKeyBytes& pubkey, std::ostream& out) {
  ASSIGN_OR_RETURN(const auto response, caller.Call(&v1::KeymanagerService::Stub::ImportKeystores, request));
  if (response.results_size() != 1) return absl::InternalError("the client answered for another number of keys");
  const v1::ImportResult& result = response.results(0);
  out << "index=" << request.keystores(0).validator_index() << " pubkey=" << ShortHex(pubkey.span())
      << " result=" << Word(v1::ImportStatus_Name(result.status()), "IMPORT_STATUS_");
  if (!result.reason().empty()) {
    out << " reason=" << Printable(result.reason()) << " message=\"" << Printable(result.message()) << "\"";
  }
  out << std::endl;
  return result.status() == v1::IMPORT_STATUS_IMPORTED || result.status() == v1::IMPORT_STATUS_DUPLICATE;
}

absl::Status KeymanagerCli::Delete(Caller& caller, std::ostream& out, bool* usage) const {
  const absl::StatusOr<std::vector<uint64_t>> indices = ParseIndexList(indices_);
  if (!indices.ok()) {
    *usage = true;
    return absl::InvalidArgumentError(absl::StrCat("--indices: ", indices.status().message()));
  }
  // Before the only copy of the records is in the answer.
  RETURN_IF_ERROR(CheckNewFile(records_file_));
  ASSIGN_OR_RETURN(const auto keys,
                   caller.Call(&v1::KeymanagerService::Stub::ListKeystores, v1::ListKeystoresRequest()));
  v1::DeleteKeystoresRequest request;
  for (const uint64_t index : *indices) {
    const auto found = std::find_if(keys.keystores().begin(), keys.keystores().end(),
                                    [index](const auto& key) { return key.validator_index() == index; });
    if (found == keys.keystores().end()) {
      return absl::NotFoundError(absl::StrCat("the client has no key of validator ", index));
    }
    request.add_pubkeys(found->pubkey());
  }
  ASSIGN_OR_RETURN(const auto response, caller.Call(&v1::KeymanagerService::Stub::DeleteKeystores, request));
  if (response.results_size() != request.pubkeys_size()) {
    return absl::InternalError("the client answered for another number of keys");
  }
  size_t failed = 0;
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::DeleteResult& result = response.results(i);
    out << "index=" << (*indices)[static_cast<size_t>(i)]
        << " result=" << Word(v1::DeleteStatus_Name(result.status()), "DELETE_STATUS_");
    if (!result.message().empty()) out << " message=\"" << Printable(result.message()) << "\"";
    out << "\n";
    failed += result.status() == v1::DELETE_STATUS_DELETED ? 0 : 1;
  }
  if (!response.records().empty()) {
    RETURN_IF_ERROR(WriteRecords(records_file_, response.records()),
                    absl::Status(_.code(), absl::StrCat(_.message(), "; the records are on the client's machine: ",
                                                        Printable(response.records_file()))));
    out << "records are in " << records_file_ << " and, on the client's machine, in "
        << Printable(response.records_file()) << ": keep them as long as a copy of the keys may exist\n";
  }
  return SomeRefused(failed);
}

absl::Status KeymanagerCli::ExportRecords(Caller& caller, std::ostream& out) const {
  ASSIGN_OR_RETURN(const auto response,
                   caller.Call(&v1::KeymanagerService::Stub::ExportSigningRecords, v1::ExportSigningRecordsRequest()));
  RETURN_IF_ERROR(WriteRecords(records_file_, response.records()));
  out << absl::StrCat("records of ", response.keys(), " keys are in ", records_file_,
                      ". The export does not contain what the keys sign from now on\n");
  return absl::OkStatus();
}

absl::Status KeymanagerCli::ImportRecords(Caller& caller, std::ostream& out) const {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(records_file_, kMaxInterchangeBytes));
  v1::ImportSigningRecordsRequest request;
  request.set_records(text);
  ASSIGN_OR_RETURN(const auto response, caller.Call(&v1::KeymanagerService::Stub::ImportSigningRecords, request));
  out << absl::StrCat("imported ", response.keys(), " keys: ", response.new_keys(), " new, ", response.new_leaves(),
                      " leaves above what was known, ", response.closed_leaves(),
                      " leaves that may not sign any more\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
