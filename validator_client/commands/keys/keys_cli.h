// The `keys` commands of lean-validator, as the command line has them.
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

// Lives as long as `app`, which writes into it.
class KeysCli {
 public:
  explicit KeysCli(CLI::App& app);
  KeysCli(const KeysCli&) = delete;
  KeysCli& operator=(const KeysCli&) = delete;

  // Whether the command line is one of these commands.
  bool parsed() const { return keys_->parsed(); }

  // Runs it. *usage: the error is in how the command was called.
  absl::Status Run(StopSignals& signals, bool* usage);

 private:
  // How key files are to be written, as the options say it.
  struct ProtectionOptions {
    std::string password_file;
    bool plain = false;
    std::string kdf = "scrypt";
  };

  void AddNew();
  void AddImport();
  void AddExport();
  void AddDelete();
  void AddReaders();
  void AddThreads(CLI::App& command);
  void AddKeystores(CLI::App& command);
  void AddRecords(CLI::App& command);
  // Where the records are unless the command line says otherwise: beside the list.
  KeyRecordsOptions Records() const;
  static void AddProtection(CLI::App& command, ProtectionOptions& options);
  // The password in it belongs to `password`.
  static absl::StatusOr<KeyProtection> ProtectionOf(const ProtectionOptions& options, KeystorePassword& password);
  absl::StatusOr<std::vector<uint64_t>> Indices(bool* usage) const;
  // Those that the genesis folder gives to the node of --node-id.
  absl::StatusOr<std::vector<uint64_t>> IndicesOfNode() const;
  // What Import and Export have in common: opens keys with one password, and writes them under another (`options` has
  // source_password, protection and trees). Runs `work` with them until a signal.
  template <typename Options>
  absl::Status Rewrite(StopSignals& signals, Options& options,
                       const std::function<absl::Status(RandomSource& random)>& work);
  absl::Status New(StopSignals& signals, bool* usage);
  absl::Status Import(StopSignals& signals, bool* usage);
  absl::Status Export(StopSignals& signals, bool* usage);
  absl::Status Delete(bool* usage);
  absl::Status Verify(StopSignals& signals);

  CLI::App* const keys_;
  CLI::App* new_ = nullptr;
  CLI::App* import_ = nullptr;
  CLI::App* export_ = nullptr;
  CLI::App* delete_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* verify_ = nullptr;
  std::string keystores_;  // of all commands but new
  std::string indices_;
  ProtectionOptions protection_;
  std::string password_file_;  // of existing key files
  unsigned threads_;
  KeysNewOptions new_options_;
  std::string import_source_;
  std::string genesis_;
  std::string node_id_;
  std::string export_dir_;
  bool as_hash_sig_keys_ = false;
  std::string records_output_;  // of delete
  KeyRecordsOptions records_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_CLI_H_
