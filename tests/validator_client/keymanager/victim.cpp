// The signer and the keymanager of a validator client, which a test kills while a key is deleted. One thread signs with
// all keys, slot after slot, and reports every signature. The other thread deletes the key of validator 1.
#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "spdlog/sinks/null_sink.h"
#include "tests/validator_client/keymanager/fault_files.h"
#include "tests/validator_client/signing/records/victims/victim_signing.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keymanager/keymanager_requests.h"
#include "validator_client/keys/keystores.h"

namespace lean::validator {
namespace {

constexpr uint64_t kSlotsBefore = 3;  // slots signed before the deletion starts
constexpr uint64_t kSlotsAfter = 3;   // and after it has ended

struct Options {
  std::string keystores;
  std::string records;
  uint64_t first_slot = 1;
  int fault = 0;
  FileFaultPlan plan;
};

// Runs until the deletion has ended and some more slots are signed.
void SignAlong(Signer& signer, const Options& options, std::atomic<uint64_t>& slot, const std::atomic<bool>& deleted) {
  VictimSigning signing(signer, options.plan.seed);
  while (!deleted) signing.AskAllOf(slot++);
  for (uint64_t i = 0; i < kSlotsAfter; ++i) signing.AskAllOf(slot++);
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("keymanager_victim");
  app.add_option("--keystores", options.keystores)->required();
  app.add_option("--records", options.records)->required();
  app.add_option("--first-slot", options.first_slot);
  app.add_option("--seed", options.plan.seed);
  app.add_option("--fault", options.fault);
  app.add_option("--at", options.plan.at);
  CLI11_PARSE(app, argc, argv);
  options.plan.fault = static_cast<FileFault>(options.fault);
  options.plan.folder = FolderOf(options.keystores);

  const absl::StatusOr<Keystores> keystores = OpenKeystores(options.keystores, NoPassword, 1);
  if (!keystores.ok()) return 2;
  for (const ValidatorKey& key : keystores->keys) {
    if (!key.key->Prepare(options.first_slot, [](double) {}).ok()) return 2;
  }
  const auto records = SqliteSigningRecords::Open({.path = options.records, .create = true});
  if (!records.ok()) {
    TellKind(VictimMessage::Kind::kFailed);
    return 1;
  }
  TellKind(VictimMessage::Kind::kOpened);
  const auto log = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
  NoSlotLimit limit;
  Signer signer(keystores->keys, **records, limit, [](std::function<void()> task) { task(); });
  const RealClock clock;
  KeyPreparer preparer(keystores->keys, clock, log);
  LiveKeys live(signer, preparer);
  SystemRandomSource random;
  KeyLocks locks(options.keystores);  // other tests use the same keys
  KeymanagerRequests requests({.keys = live,
                               .records = **records,
                               .locks = locks,
                               .random = random,
                               .keystores = options.keystores,
                               .log_lifetime = keystores->log_lifetime,
                               .log = log});

  std::atomic<uint64_t> slot = options.first_slot;
  std::atomic<bool> deleted = false;
  std::thread duties([&] { SignAlong(signer, options, slot, deleted); });
  while (slot < options.first_slot + kSlotsBefore) std::this_thread::yield();
  const KeySetPtr keys = signer.keys();
  if (const ValidatorKey* key = keys->Find(uint64_t{1}); key != nullptr) {
    v1::DeleteKeystoresRequest request;
    request.add_pubkeys(ToHex(key->key->pubkey().span()));
    ArmFileFaults(options.plan);
    const auto response = requests.DeleteKeystores(request);
    if (!response.ok() || response->results(0).status() != v1::DELETE_STATUS_DELETED) return 2;
    TellKind(VictimMessage::Kind::kDeleted);
  }
  deleted = true;
  duties.join();
  TellKind(VictimMessage::Kind::kDone, FileCalls());
  return 0;
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
