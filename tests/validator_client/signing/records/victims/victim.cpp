// A process that signs like a validator client, with the real signer and real records, and that a test kills. It
// requests two conflicting roots for each leaf, leaves that were signed long ago, and the same root again. It writes
// every signature that it gets to standard output.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/concurrency/worker_pool.h"
#include "sqlite3.h"
#include "tests/validator_client/signing/records/victims/fault_vfs.h"
#include "tests/validator_client/signing/records/victims/victim_signing.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {
namespace {

// Small, so that a short run includes checkpoints of the database.
constexpr int kCheckpointPages = 24;

struct Options {
  std::string records;
  std::string keystores;  // empty: fake keys
  uint64_t keys = 4;      // fake ones
  uint64_t first_slot = 1;
  uint64_t slots = 10;
  uint64_t seed = 0;
  int fault = 0;  // negative: the real disk
  FaultPlan plan;
};

int CheckpointOften(sqlite3* database, char**, const void*) {
  return sqlite3_wal_autocheckpoint(database, kCheckpointPages);
}

std::vector<ValidatorKey> MakeKeys(const Options& options) {
  std::vector<ValidatorKey> keys;
  if (options.keystores.empty()) {
    for (uint64_t i = 0; i < options.keys; ++i) keys.push_back({i, std::make_shared<FakeKey>(i), ""});
    return keys;
  }
  absl::StatusOr<Keystores> opened = OpenKeystores(options.keystores, NoPassword, 1);
  if (!opened.ok()) return {};
  for (const ValidatorKey& key : opened->keys) {
    if (!key.key->Prepare(options.first_slot, [](double) {}).ok()) return {};
  }
  return opened->keys;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("signing_records_victim");
  app.add_option("--records", options.records)->required();
  app.add_option("--keystores", options.keystores);
  app.add_option("--keys", options.keys);
  app.add_option("--first-slot", options.first_slot);
  app.add_option("--slots", options.slots);
  app.add_option("--seed", options.seed);
  app.add_option("--fault", options.fault);
  app.add_option("--fault-first", options.plan.first);
  app.add_option("--fault-count", options.plan.count);
  CLI11_PARSE(app, argc, argv);

  options.plan.fault = static_cast<Fault>(options.fault);
  options.plan.seed = options.seed;
  if (options.fault >= 0) {
    InstallFaultVfs(options.plan);
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(CheckpointOften));
  }
  const std::vector<ValidatorKey> keys = MakeKeys(options);
  if (keys.empty()) return 2;
  auto records = SqliteSigningRecords::Open({.path = options.records, .create = true});
  if (!records.ok()) {
    std::cerr << records.status() << std::endl;
    TellKind(VictimMessage::Kind::kFailed);
    return 1;
  }
  TellKind(VictimMessage::Kind::kOpened);
  WorkerPool pool(2, keys.size());
  NoSlotLimit limit;
  Signer signer(keys, **records, limit, [&pool](std::function<void()> task) { pool.SubmitOrRun(std::move(task)); });
  VictimSigning signing(signer, options.seed);
  for (uint64_t slot = options.first_slot; slot < options.first_slot + options.slots; ++slot) signing.AskAllOf(slot);
  TellKind(VictimMessage::Kind::kDone, FaultVfsOperations());
  return 0;
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
