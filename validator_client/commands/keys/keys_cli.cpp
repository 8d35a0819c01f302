#include "validator_client/commands/keys/keys_cli.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/config/genesis_folder.h"
#include "common/process/program.h"
#include "common/process/stop_signals.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/commands/keys/keys_import.h"
#include "validator_client/commands/keys/keys_list.h"
#include "validator_client/commands/keys/keys_upgrade.h"

namespace lean::validator {
namespace {

DerivationCost CostOf(const std::string& kdf) {
  if (kdf == "pbkdf2") return Pbkdf2Cost{};
  if (kdf == "argon2id") return Argon2Cost{};
  return ScryptCost{};
}

}  // namespace

KeysCli::KeysCli(CLI::App& app)
    : keys_(app.add_subcommand("keys", "Keys of validators")),
      threads_(std::clamp(std::thread::hardware_concurrency(), 1u, 256u)) {
  keys_->require_subcommand(1);
  AddNew();
  AddImport();
  AddExport();
  AddDelete();
  AddUpgrade();
  AddReaders();
}

absl::Status KeysCli::Run(StopSignals& signals, bool* usage) {
  if (new_->parsed()) return New(signals, usage);
  if (import_->parsed()) return Import(signals, usage);
  if (export_->parsed()) return Export(signals, usage);
  if (verify_->parsed()) return Verify(signals);
  if (upgrade_->parsed()) return UpgradeFiles(signals, usage);
  signals.LetEnd();  // the other two are done at once, and may be ended anywhere
  if (delete_->parsed()) return Delete(usage);
  return ListKeys(keystores_, std::cout);
}

void KeysCli::AddProtection(CLI::App& command, ProtectionOptions& options) {
  CLI::Option* file = command.add_option("--password-file", options.password_file,
                                         "file with the password that encrypts the keys; without it, it is asked for");
  command.add_flag("--plain", options.plain, "write the keys unencrypted: for devnets that are thrown away")
      ->excludes(file);
  AddKdf(command, options.kdf);
}

void KeysCli::AddKdf(CLI::App& command, std::string& kdf) {
  command.add_option("--kdf", kdf, "how the password is stretched")
      ->check(CLI::IsMember({"scrypt", "argon2id", "pbkdf2"}))
      ->capture_default_str();
}

absl::StatusOr<KeyProtection> KeysCli::ProtectionOf(const ProtectionOptions& options, KeystorePassword& password) {
  KeyProtection protection;
  if (options.plain) return protection;
  ASSIGN_OR_RETURN(protection.password, password.Get());
  protection.cost = CostOf(options.kdf);
  return protection;
}

void KeysCli::AddNew() {
  new_ = keys_->add_subcommand("new", "Make secret keys and the list that `run --keystores` reads");
  new_->add_option("--output", new_options_.output_dir, "folder for the key files, made private if it is new")
      ->required();
  new_->add_option("--indices", indices_, "validators to make keys for: 0..3 or 0,2,5")->required();
  new_->add_option("--xmss-log-lifetime", new_options_.log_lifetime,
                   "a key has 2^N leaves, one a slot; the network's own")
      ->check(CLI::IsMember({8, 16, 32}))
      ->capture_default_str();
  new_->add_option("--active-slots", new_options_.active_slots,
                   "slots from 0 on that the keys can sign in, rounded up; 0: all, at most the 2^18 of a chain")
      ->capture_default_str();
  AddThreads(*new_);
  AddProtection(*new_, protection_);
}

void KeysCli::AddThreads(CLI::App& command) {
  command.add_option("--threads", threads_, "threads that compute")->check(CLI::Range(1, 256))->capture_default_str();
}

void KeysCli::AddKeystores(CLI::App& command) {
  command.add_option("--keystores", keystores_, "YAML list of validators and their key files")->required();
}

void KeysCli::AddImport() {
  import_ = keys_->add_subcommand("import", "Take keys over from leanSig's files or from another folder");
  import_
      ->add_option(
          "--from", import_source_,
          "file of `keys export --with-records`, folder with validator-keys-manifest.yaml (hash-sig-keys), the "
          "manifest, or one secret key file")
      ->required();
  AddKeystores(*import_);
  CLI::Option* indices =
      import_->add_option("--indices", indices_, "validators to import: 0..3 or 0,2,5; without it, all of the source");
  CLI::Option* genesis =
      import_->add_option("--genesis", genesis_, "genesis folder, which assigns validators to nodes");
  import_
      ->add_option("--node-id", node_id_,
                   "import the validators of this node, as (annotated_)validators.yaml assigns them")
      ->excludes(indices)
      ->needs(genesis);
  import_->add_option("--from-password-file", password_file_,
                      "file with the password of the source, if it is encrypted; without it, it is asked for");
  import_->add_option("--records", records_.database,
                      "database that gets the signing records [signing_records.sqlite beside the keystores]");
  CLI::Option* input = import_->add_option("--records-input", records_input_,
                                           "JSON file with the keys' signing records, which are imported first");
  import_->add_flag("--never-signed", records_.never_signed, "these keys have never signed anything, anywhere")
      ->excludes(input);
  AddThreads(*import_);
  AddProtection(*import_, protection_);
}

void KeysCli::AddRecords(CLI::App& command) {
  CLI::Option* database = command.add_option("--records", records_.database,
                                             "database of what the keys have signed [signing_records.sqlite beside "
                                             "the keystores]");
  command.add_flag("--never-signed", records_.never_signed, "there is none, since these keys have never signed")
      ->excludes(database);
}

KeyRecordsOptions KeysCli::Records() const {
  KeyRecordsOptions options = records_;
  options.database = RecordsPath(options.database, keystores_);
  return options;
}

void KeysCli::AddExport() {
  export_ = keys_->add_subcommand("export", "Copy keys and what they have signed, to be moved to another machine");
  AddKeystores(*export_);
  export_->add_option("--indices", indices_, "validators whose keys to copy: 0..3 or 0,2,5")->required();
  export_
      ->add_option("--output", export_dir_,
                   "with --with-records, a new file; otherwise a folder for the copies, made private if it is new")
      ->required();
  CLI::Option* with_records = export_->add_flag(
      "--with-records", with_records_,
      "write one file with keys and records for `keys import`; otherwise the copies are for recovery only, and no "
      "client signs with them until they are imported with their records");
  export_->add_option("--from-password-file", password_file_,
                      "file with the password of the keys as they are; without it, it is asked for");
  AddRecords(*export_);
  AddThreads(*export_);
  AddProtection(*export_, protection_);
  with_records->excludes("--plain");
  export_
      ->add_flag(
          "--hash-sig-keys", as_hash_sig_keys_,
          "write leanSig's files and validator-keys-manifest.yaml, which other clients read; they are unencrypted")
      ->needs("--plain");
}

void KeysCli::AddDelete() {
  delete_ = keys_->add_subcommand("delete", "Write the keys' signing records to a file, then delete the keys");
  AddKeystores(*delete_);
  delete_->add_option("--indices", indices_, "validators whose keys to delete: 0..3 or 0,2,5")->required();
  delete_->add_option("--records-output", records_output_, "new file for their signing records")->required();
  AddRecords(*delete_);
}

void KeysCli::AddUpgrade() {
  upgrade_ = keys_->add_subcommand("upgrade", "Convert keystores of version 4 to version 5 (EIP-8310), in place");
  AddKeystores(*upgrade_);
  upgrade_->add_option("--indices", indices_, "validators whose keys to convert: 0..3 or 0,2,5; without it, all");
  upgrade_->add_option("--password-file", password_file_,
                       "file with the password of the key files; without it, it is asked for");
  upgrade_->add_option("--records", records_.database,
                       "database of what the keys have signed, for the state in the files [signing_records.sqlite "
                       "beside the keystores]");
  AddKdf(*upgrade_, protection_.kdf);
}

void KeysCli::AddReaders() {
  list_ = keys_->add_subcommand("list", "Show the keys of a list; needs no password");
  AddKeystores(*list_);
  verify_ = keys_->add_subcommand("verify", "Check key files, trees and public keys against each other");
  AddKeystores(*verify_);
  verify_->add_option("--password-file", password_file_,
                      "file with the password of the encrypted key files; without it, it is asked for");
  AddThreads(*verify_);
}

absl::StatusOr<std::vector<uint64_t>> KeysCli::Indices(bool* usage) const {
  absl::StatusOr<std::vector<uint64_t>> indices = ParseIndexList(indices_);
  if (indices.ok()) return indices;
  *usage = true;
  return absl::InvalidArgumentError(absl::StrCat("--indices: ", indices.status().message()));
}

absl::StatusOr<std::vector<uint64_t>> KeysCli::IndicesOfNode() const {
  ASSIGN_OR_RETURN(const GenesisConfig config, ReadGenesisConfig(genesis_));
  ASSIGN_OR_RETURN(ValidatorAssignment nodes, ReadValidatorAssignment(genesis_, config.validators.size()));
  const auto node = nodes.find(node_id_);
  if (node != nodes.end() && !node->second.empty()) return std::move(node->second);
  return absl::NotFoundError(absl::StrCat(genesis_, " assigns no validators to a node ", node_id_));
}

absl::Status KeysCli::New(StopSignals& signals, bool* usage) {
  ASSIGN_OR_RETURN(new_options_.indices, Indices(usage));
  KeystorePassword password(protection_.password_file, KeystorePassword::kNew);
  ASSIGN_OR_RETURN(new_options_.protection, ProtectionOf(protection_, password));
  new_options_.threads = threads_;
  std::atomic<bool> cancelled{false};
  absl::Status status = RunUntilStopped(
      signals,
      [&] {
        SystemRandomSource random;
        return MakeKeys(new_options_, random, cancelled, std::cerr, isatty(STDERR_FILENO) == 1);
      },
      [&cancelled](const char*) { cancelled = true; });
  if (absl::IsCancelled(status)) return absl::CancelledError("stopped: no key was kept");
  return status;
}

template <typename Options>
absl::Status KeysCli::Rewrite(StopSignals& signals, Options& options,
                              const std::function<absl::Status(RandomSource& random)>& work) {
  // The files are consistent at any moment (KeystoreFolder), so a signal may end the process.
  return RunOrExit(
      signals, kExitFailure,
      [&](const std::stop_token& stop) -> absl::Status {
        KeystorePassword source_password(password_file_, KeystorePassword::kSource, stop);
        KeystorePassword password(protection_.password_file, KeystorePassword::kNew, stop);
        ASSIGN_OR_RETURN(options.protection, ProtectionOf(protection_, password));
        options.source_password = source_password.source();
        options.trees = {.threads = threads_, .progress = [&stop](double) { return !stop.stop_requested(); }};
        options.stop = stop;
        SystemRandomSource random;
        return work(random);
      },
      [](const char*) {});
}

absl::Status KeysCli::Import(StopSignals& signals, bool* usage) {
  KeysImportOptions options;
  options.source = import_source_;
  options.keystores = keystores_;
  const KeyRecordsOptions records = Records();
  options.records = records.database;
  options.never_signed = records.never_signed;
  options.records_input = records_input_;
  if (!indices_.empty() || !node_id_.empty()) {
    ASSIGN_OR_RETURN(options.indices, node_id_.empty() ? Indices(usage) : IndicesOfNode());
  }
  return Rewrite(signals, options, [&options](RandomSource& random) { return ImportKeys(options, random, std::cout); });
}

absl::Status KeysCli::Export(StopSignals& signals, bool* usage) {
  KeysExportOptions options;
  options.keystores = keystores_;
  options.output = export_dir_;
  options.with_records = with_records_;
  options.as_hash_sig_keys = as_hash_sig_keys_;
  options.records = Records();
  ASSIGN_OR_RETURN(options.indices, Indices(usage));
  return Rewrite(signals, options, [&options](RandomSource& random) { return ExportKeys(options, random, std::cout); });
}

absl::Status KeysCli::Delete(bool* usage) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> indices, Indices(usage));
  return DeleteKeys({keystores_, indices, Records(), records_output_}, std::cout);
}

absl::Status KeysCli::UpgradeFiles(StopSignals& signals, bool* usage) {
  KeysUpgradeOptions options;
  options.keystores = keystores_;
  options.records = Records().database;
  options.cost = CostOf(protection_.kdf);
  if (!indices_.empty()) {
    ASSIGN_OR_RETURN(options.indices, Indices(usage));
  }
  return RunOrExit(
      signals, kExitFailure,
      [&](const std::stop_token& stop) {
        KeystorePassword password(password_file_, KeystorePassword::kExisting, stop);
        options.password = password.source();
        options.stop = stop;
        SystemRandomSource random;
        return UpgradeKeys(options, random, std::cout);
      },
      [](const char*) {});
}

absl::Status KeysCli::Verify(StopSignals& signals) {
  return RunOrExit(
      signals, kExitFailure,
      [&](const std::stop_token& stop) {
        KeystorePassword password(password_file_, KeystorePassword::kExisting, stop);
        const xmss::KeyGenerationOptions options = {.threads = threads_,
                                                    .progress = [&stop](double) { return !stop.stop_requested(); }};
        return VerifyKeys(keystores_, password.source(), options, std::cout);
      },
      [](const char*) {});
}

}  // namespace lean::validator
