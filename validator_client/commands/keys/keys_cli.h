// The command line of the `keys` commands of lean-validator.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_CLI_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_CLI_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/process/stop_signals.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/commands/keys/keys_new.h"

namespace lean::validator {

// Must live as long as `app`, which writes into it.
class KeysCli {
 public:
  explicit KeysCli(CLI::App& app);
  KeysCli(const KeysCli&) = delete;
  KeysCli& operator=(const KeysCli&) = delete;

  // True when the command line has one of these commands.
  bool parsed() const { return keys_->parsed(); }

  // Runs the command. Sets *usage when it was called wrongly.
  absl::Status Run(StopSignals& signals, bool* usage);

 private:
  // The options for how key files are written.
  struct ProtectionOptions {
    std::string password_file;
    bool plain = false;
    std::string kdf = "scrypt";
  };

  void AddNew();
  void AddImport();
  void AddExport();
  void AddDelete();
  void AddUpgrade();
  void AddReaders();
  void AddThreads(CLI::App& command);
  void AddKeystores(CLI::App& command);
  void AddRecords(CLI::App& command);
  // The options for the records, with their default path beside the list.
  KeyRecordsOptions Records() const;
  static void AddProtection(CLI::App& command, ProtectionOptions& options);
  static void AddKdf(CLI::App& command, std::string& kdf);
  // The result refers to the password in `password`.
  static absl::StatusOr<KeyProtection> ProtectionOf(const ProtectionOptions& options, KeystorePassword& password);
  absl::StatusOr<std::vector<uint64_t>> Indices(bool* usage) const;
  // The indices of the node --node-id in the genesis folder.
  absl::StatusOr<std::vector<uint64_t>> IndicesOfNode() const;
  // The common part of Import and Export, which open keys with one password and write them with another. Sets
  // source_password, protection and trees of `options`, and runs `work` until a signal.
  template <typename Options>
  absl::Status Rewrite(StopSignals& signals, Options& options,
                       const std::function<absl::Status(RandomSource& random)>& work);
  absl::Status New(StopSignals& signals, bool* usage);
  absl::Status Import(StopSignals& signals, bool* usage);
  absl::Status Export(StopSignals& signals, bool* usage);
  absl::Status Delete(bool* usage);
  absl::Status UpgradeFiles(StopSignals& signals, bool* usage);
  absl::Status Verify(StopSignals& signals);

  CLI::App* const keys_;
  CLI::App* new_ = nullptr;
  CLI::App* import_ = nullptr;
  CLI::App* export_ = nullptr;
  CLI::App* delete_ = nullptr;
  CLI::App* upgrade_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* verify_ = nullptr;
  std::string keystores_;  // of all commands except new
  std::string indices_;
  ProtectionOptions protection_;
  std::string password_file_;  // of existing key files
  unsigned threads_;
  KeysNewOptions new_options_;
  std::string import_source_;
  std::string genesis_;
  std::string node_id_;
  std::string export_dir_;
  bool with_records_ = false;
  bool as_hash_sig_keys_ = false;
  std::string records_input_;   // of import
  std::string records_output_;  // of delete
  KeyRecordsOptions records_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_CLI_H_
