// The `keymanager` commands of lean-validator, which call lean.v1.KeymanagerService.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYMANAGER_CLI_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYMANAGER_CLI_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/process/stop_signals.h"
#include "common/rpc/tls_files.h"

namespace lean::v1 {
class ImportKeystoresRequest;
}

namespace lean::validator {

struct KeyBundle;

// Must live as long as `app`, which writes into it.
class KeymanagerCli {
 public:
  explicit KeymanagerCli(CLI::App& app);
  KeymanagerCli(const KeymanagerCli&) = delete;
  KeymanagerCli& operator=(const KeymanagerCli&) = delete;

  // True when the command line has one of these commands.
  bool parsed() const { return keymanager_->parsed(); }

  // Calls the running client and writes one line for each key. FailedPrecondition: a key was not imported or deleted;
  // its line says why. Sets *usage when the command was called wrongly. A signal to stop ends it within a second.
  absl::Status Run(StopSignals& signals, std::ostream& out, bool* usage) const;

 private:
  class Caller;

  absl::Status RunCommand(const std::stop_token& stop, std::ostream& out, bool* usage) const;
  absl::Status List(Caller& caller, std::ostream& out) const;
  absl::Status Import(Caller& caller, const std::stop_token& stop, std::ostream& out, bool* usage) const;
  // One call for each key, so that calls stay small and short.
  static absl::Status ImportBundle(Caller& caller, const KeyBundle& bundle, ByteSpan password, std::ostream& out);
  absl::Status ImportList(Caller& caller, const std::vector<uint64_t>& indices, ByteSpan password,
                          std::ostream& out) const;
  // Sends a request with one key. False: the client refused it.
  static absl::StatusOr<bool> ImportOne(Caller& caller, const v1::ImportKeystoresRequest& request,
                                        const PublicKeyBytes& pubkey, std::ostream& out);
  absl::Status Delete(Caller& caller, std::ostream& out, bool* usage) const;
  absl::Status ExportRecords(Caller& caller, std::ostream& out) const;
  absl::Status ImportRecords(Caller& caller, std::ostream& out) const;

  CLI::App* const keymanager_;
  CLI::App* list_ = nullptr;
  CLI::App* import_ = nullptr;
  CLI::App* delete_ = nullptr;
  CLI::App* export_records_ = nullptr;
  CLI::App* import_records_ = nullptr;
  std::string address_ = "127.0.0.1:5064";
  std::string token_file_;
  rpc::ClientTlsFiles tls_;
  std::string from_;  // what to import
  std::string indices_;
  std::string password_file_;
  std::string records_file_;  // to read or to write
  bool never_signed_ = false;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYMANAGER_CLI_H_
