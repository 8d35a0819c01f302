// A client of two keys for the tests of its keymanager, and keys that may come.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_FIXTURE_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_FIXTURE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/process/whole_file.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_new.h"
#include "validator_client/keymanager/keymanager_requests.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

inline constexpr char kOurs[] = "the client's own password";
inline constexpr char kTheirs[] = "the password of what comes";

// A client of the validators 0 and 1, and a folder with the keys of 2 and 3 that can be added.
class KeymanagerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Make("ours", {0, 1}, 1, ours_);
    Make("theirs", {2, 3}, 2, theirs_);
    auto keystores = OpenKeystores(
        List("ours"), [this] { return absl::StatusOr<const Password*>(&ours_); }, 1);
    ASSERT_TRUE(keystores.ok()) << keystores.status();
    auto records = SqliteSigningRecords::Open({.path = dir_.path() + "/records", .create = true});
    ASSERT_TRUE(records.ok()) << records.status();
    records_ = *std::move(records);
    signer_.emplace(keystores->keys, *records_, limit_, [](std::function<void()> task) { task(); });
    preparer_.emplace(keystores->keys, clock_, log_.logger());
    live_.emplace(*signer_, *preparer_);
    requests_.emplace(Context());
  }

  KeymanagerContext Context() {
    return {.keys = *live_,
            .records = *records_,
            .locks = locks_,
            .random = random_,
            .keystores = List("ours"),
            .protection = {&ours_, Pbkdf2Cost{1024}},
            .log_lifetime = 8,
            .log = log_.logger()};
  }

  void Make(const std::string& name, std::vector<uint64_t> indices, uint64_t seed, const Password& password,
            uint32_t log_lifetime = 8) {
    SeededRandomSource random(seed);
    const std::atomic<bool> cancelled{false};
    std::ostringstream out;
    ASSERT_TRUE(MakeKeys({.output_dir = dir_.path() + "/" + name,
                          .indices = std::move(indices),
                          .log_lifetime = log_lifetime,
                          .active_slots = 64,
                          .protection = {&password, Pbkdf2Cost{1024}}},
                         random, cancelled, out, false)
                    .ok());
  }

  std::string List(const std::string& name) const { return dir_.path() + "/" + name + "/keystores.yaml"; }
  std::string Keystore(uint64_t index, const std::string& name = "theirs") const {
    const auto text = ReadTextFile(absl::StrCat(dir_.path(), "/", name, "/validator_", index, ".json"), 1 << 20);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }

  v1::ImportKeystoresRequest Request(uint64_t index, const std::string& keystore) {
    v1::ImportKeystoresRequest request;
    v1::KeystoreToImport& item = *request.add_keystores();
    item.set_keystore(keystore);
    item.set_password(kTheirs);
    item.set_validator_index(index);
    return request;
  }
  v1::ImportResult Import(const v1::ImportKeystoresRequest& request) {
    const auto response = requests_->ImportKeystores(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->results(0) : v1::ImportResult();
  }

  PublicKeyBytes Pubkey(uint64_t index) const { return signer_->keys()->Find(index)->key->pubkey(); }
  absl::StatusOr<v1::DeleteKeystoresResponse> Delete(const PublicKeyBytes& pubkey) {
    v1::DeleteKeystoresRequest request;
    request.add_pubkeys(ToHex(pubkey.span()));
    return requests_->DeleteKeystores(request);
  }

  std::vector<uint64_t> Listed() const {
    std::vector<uint64_t> indices;
    const auto entries = ReadKeystoreList(List("ours"));
    if (!entries.ok()) return indices;
    for (const KeystoreEntry& entry : *entries) indices.push_back(entry.index);
    return indices;
  }

  TemporaryFolder dir_;
  KeyLocks locks_{dir_.path()};
  CapturedLog log_;
  SystemRandomSource random_;
  const Password ours_ = MakePassword(kOurs);
  const Password theirs_ = MakePassword(kTheirs);
  std::unique_ptr<SqliteSigningRecords> records_;
  NoSlotLimit limit_;
  std::optional<Signer> signer_;
  RealClock clock_;
  std::optional<KeyPreparer> preparer_;
  std::optional<LiveKeys> live_;
  std::optional<KeymanagerRequests> requests_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_KEYMANAGER_KEYMANAGER_FIXTURE_H_
