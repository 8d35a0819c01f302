// A command on keys, which a test kills at any change to a file.
#include <cstdlib>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "tests/validator_client/keymanager/fault_files.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/commands/keys/keys_import.h"
#include "validator_client/commands/keys/keys_upgrade.h"

namespace lean::validator {
namespace {

int Main(int argc, char** argv) {
  std::string command;
  std::string keystores;
  std::string records;
  std::string file;
  int fault = 0;
  FileFaultPlan plan;
  CLI::App app("keys_victim");
  app.add_option("command", command)->required();
  app.add_option("--keystores", keystores)->required();
  app.add_option("--records", records)->required();
  app.add_option("--file", file);
  app.add_option("--folder", plan.folder)->required();
  app.add_option("--fault", fault);
  app.add_option("--at", plan.at);
  app.add_option("--seed", plan.seed);
  CLI11_PARSE(app, argc, argv);
  plan.fault = static_cast<FileFault>(fault);

  const Password password = MakePassword(command == "upgrade" ? file : "right");
  const PasswordSource source = [&password]() -> absl::StatusOr<const Password*> { return &password; };
  SystemRandomSource random;
  ArmFileFaults(plan);
  absl::Status status;
  if (command == "import") {
    KeysImportOptions options;
    options.source = file;
    options.keystores = keystores;
    options.records = records;
    options.source_password = source;
    options.protection = {&password, kCheapCost};
    status = ImportKeys(options, random, std::cout);
  } else if (command == "export") {
    KeysExportOptions options;
    options.keystores = keystores;
    options.indices = {0, 1};
    options.records.database = records;
    options.output = file;
    options.with_records = true;
    options.source_password = source;
    options.protection = {&password, kCheapCost};
    status = ExportKeys(options, random, std::cout);
  } else {
    KeysUpgradeOptions options;
    options.keystores = keystores;
    options.records = records;
    options.password = source;
    options.cost = kCheapCost;
    status = UpgradeKeys(options, random, std::cout);
  }
  std::cout << status << "\ncalls=" << FileCalls() << std::endl;
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
