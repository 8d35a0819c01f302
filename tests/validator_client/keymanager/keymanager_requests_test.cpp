#include "validator_client/keymanager/keymanager_requests.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"
#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/validator_client/keymanager/keymanager_fixture.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/key_locks.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(KeymanagerTest, AnImportedKeyIsKeptUnderTheClientsPasswordAndWaits) {
  const v1::ImportResult result = Import(Request(2, Keystore(2)));
  EXPECT_EQ(result.status(), v1::IMPORT_STATUS_IMPORTED) << result.message();
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1, 2}));
  EXPECT_EQ(signer_->keys()->size(), 2) << "not let in yet";
  const auto listed = requests_->ListKeystores({});
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->keystores_size(), 3);
  EXPECT_EQ(listed->keystores(2).state(), v1::KEYSTORE_STATE_WAITING);
  EXPECT_EQ(listed->keystores(2).pubkey(), result.pubkey());
  EXPECT_EQ(listed->keystores(0).state(), v1::KEYSTORE_STATE_ACTIVE);
  // Opens the key as a start does and signs with it: its trees are computed from the secret.
  auto again = OpenKeystores(
      List("ours"), [this] { return absl::StatusOr<const Password*>(&ours_); }, 1);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->keys[2].key->Prepare(0, [](double) {}).ok());
  EXPECT_TRUE(again->keys[2].key->Sign(3, FakeRoot(1)).ok());
  EXPECT_EQ(Import(Request(2, Keystore(2))).status(), v1::IMPORT_STATUS_DUPLICATE);
}

TEST_F(KeymanagerTest, WhatCannotComeIsToldPerKeyAndLeavesNothing) {
  Make("longer", {4}, 3, theirs_, 16);
  const std::string good = Keystore(2);
  std::string damaged = good;
  damaged.replace(damaged.find("\"iv\": \"") + 7, 2,
                  damaged.substr(damaged.find("\"iv\": \"") + 7, 2) == "00" ? "11" : "00");
  v1::ImportKeystoresRequest wrong_password = Request(2, good);
  wrong_password.mutable_keystores(0)->set_password("a guess at the password");
  v1::ImportKeystoresRequest no_password = Request(2, good);
  no_password.mutable_keystores(0)->clear_password();
  const std::vector<std::pair<v1::ImportKeystoresRequest, std::string>> cases = {
      {Request(2, "{}"), "INVALID_KEYSTORE"},
      {Request(2, ""), "INVALID_KEYSTORE"},
      {Request(2, damaged), "WRONG_PASSWORD"},
      {Request(4, Keystore(4, "longer")), "INVALID_KEYSTORE"},
      {wrong_password, "WRONG_PASSWORD"},
      {no_password, "WRONG_PASSWORD"},
      {Request(1, good), "TAKEN"},
      {Request(2, Keystore(1, "ours")), "TAKEN"},
  };
  for (const auto& [request, reason] : cases) {
    const v1::ImportResult result = Import(request);
    EXPECT_EQ(result.status(), v1::IMPORT_STATUS_REFUSED);
    EXPECT_EQ(result.reason(), reason) << result.message();
    EXPECT_THAT(result.message(), Not(HasSubstr("password of what")));
    EXPECT_THAT(result.message(), Not(HasSubstr("a guess at")));
  }
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1}));
  EXPECT_EQ(live_->List().size(), 2);
  // One bad key does not prevent the import of good ones.
  v1::ImportKeystoresRequest both = Request(2, "{}");
  *both.add_keystores() = Request(3, Keystore(3)).keystores(0);
  const auto response = requests_->ImportKeystores(both);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->results(0).status(), v1::IMPORT_STATUS_REFUSED);
  EXPECT_EQ(response->results(1).status(), v1::IMPORT_STATUS_IMPORTED) << response->results(1).message();
  EXPECT_THAT(log_.text(), Not(HasSubstr(kTheirs)));
}

TEST_F(KeymanagerTest, AKeyThatAnotherProcessHasStaysOut) {
  const auto listed = ReadKeystoreList(List("theirs"));
  ASSERT_TRUE(listed.ok());
  const KeystoreEntry& copied = listed->front();
  {
    KeyLocks others(dir_.path());
    ASSERT_TRUE(others.Add(copied.pubkey, copied.path).ok());
    const v1::ImportResult result = Import(Request(2, Keystore(2)));
    EXPECT_EQ(result.reason(), "TAKEN");
    EXPECT_THAT(result.message(), HasSubstr("two clients with the same keys would sign twice"));
    EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1})) << "it leaves nothing";
  }
  EXPECT_EQ(Import(Request(2, Keystore(2))).status(), v1::IMPORT_STATUS_IMPORTED);
  EXPECT_FALSE(KeyLocks(dir_.path()).Add(copied.pubkey, copied.path).ok()) << "it is this client's now";
  ASSERT_TRUE(Delete(copied.pubkey).ok());
  EXPECT_TRUE(KeyLocks(dir_.path()).Add(copied.pubkey, copied.path).ok());
}

TEST_F(KeymanagerTest, AKeyWhoseRecordsAreMissingStaysOut) {
  const PublicKeyBytes pubkey = ReadKeystoreList(List("theirs"))->front().pubkey;
  const std::string signed_before = absl::StrReplaceAll(Keystore(2), {{"\"high_water\": 0", "\"high_water\": 6"}});
  const std::string bare = absl::StrReplaceAll(Keystore(2), {{"\"slashing-protection\"", "\"none\""}});
  for (const std::string& keystore : {signed_before, bare}) {
    const v1::ImportResult result = Import(Request(2, keystore));
    EXPECT_EQ(result.reason(), "RECORDS_MISSING") << result.message();
    EXPECT_THAT(result.message(), HasSubstr("import its records with it"));
  }
  v1::ImportKeystoresRequest request = Request(2, signed_before);
  request.set_records(FormatEip3076({{pubkey, {SignedLeaf{6, std::nullopt}}}}, InterchangeForm::kLeaves, Root()));
  ASSERT_EQ(Import(request).status(), v1::IMPORT_STATUS_IMPORTED);
  EXPECT_THAT(Keystore(2, "ours"), HasSubstr("\"high_water\": 6"));
  ASSERT_TRUE(Delete(pubkey).ok());
  EXPECT_EQ(Import(Request(2, bare)).status(), v1::IMPORT_STATUS_IMPORTED) << "its records are here";
  EXPECT_THAT(Keystore(2, "ours"), HasSubstr("slashing-protection"));
}

TEST_F(KeymanagerTest, RecordsComeBeforeTheKey) {
  v1::ImportKeystoresRequest request = Request(2, Keystore(2));
  const auto parsed = ReadKeystoreList(List("theirs"));
  ASSERT_TRUE(parsed.ok());
  const PublicKeyBytes pubkey = parsed->front().pubkey;
  request.set_records("{");
  EXPECT_EQ(requests_->ImportKeystores(request).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1})) << "all of the call is refused";
  request.set_records(FormatInterchange({{pubkey, {{17, FakeRoot(1)}}}}, InterchangeForm::kLeaves));
  EXPECT_EQ(Import(request).status(), v1::IMPORT_STATUS_IMPORTED);
  EXPECT_EQ(**records_->HighestSlot(pubkey), 17);
}

TEST_F(KeymanagerTest, ADeletedKeyLeavesItsRecordsAndNothingElse) {
  const PublicKeyBytes pubkey = Pubkey(1);
  ASSERT_TRUE(records_->Reserve({{pubkey, 9, FakeRoot(3)}, {Pubkey(0), 9, FakeRoot(4)}}).ok());
  const auto response = Delete(pubkey);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).status(), v1::DELETE_STATUS_DELETED) << response->results(0).message();
  const auto histories = ParseInterchange(response->records());
  ASSERT_TRUE(histories.ok());
  EXPECT_EQ(*histories, (std::vector<KeyHistory>{{pubkey, {{9, FakeRoot(3)}}}})) << "its own alone";
  EXPECT_EQ(*ReadTextFile(response->records_file(), 1 << 20), response->records());
  struct stat info {};
  ASSERT_EQ(stat(response->records_file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/ours/validator_1.json"));
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0}));
  EXPECT_EQ(signer_->keys()->Find(pubkey), nullptr);
  const auto again = Delete(pubkey);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->results(0).status(), v1::DELETE_STATUS_NOT_FOUND);
  EXPECT_THAT(again->records(), IsEmpty());
  EXPECT_EQ(**records_->HighestSlot(pubkey), 9) << "the client goes on refusing what it signed";
}

TEST_F(KeymanagerTest, AKeyWhoseRecordsCannotBeExportedStays) {
  const PublicKeyBytes pubkey = Pubkey(1);
  std::filesystem::remove(dir_.path() + "/records");
  const auto response = Delete(pubkey);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).status(), v1::DELETE_STATUS_FAILED);
  EXPECT_THAT(response->results(0).message(), HasSubstr("was moved, deleted or replaced"));
  EXPECT_THAT(response->records(), IsEmpty());
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1}));
  EXPECT_NE(signer_->keys()->Find(pubkey), nullptr);
  EXPECT_TRUE(std::filesystem::exists(dir_.path() + "/ours/validator_1.json"));
}

// The list may come back, with the key.
TEST_F(KeymanagerTest, WithoutTheListNoKeyIsDeletedOrComes) {
  const PublicKeyBytes pubkey = Pubkey(1);
  std::filesystem::rename(List("ours"), List("ours") + ".away");
  const auto response = Delete(pubkey);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).status(), v1::DELETE_STATUS_FAILED);
  EXPECT_THAT(response->results(0).message(), HasSubstr("has no key"));
  EXPECT_NE(signer_->keys()->Find(pubkey), nullptr);
  EXPECT_EQ(Import(Request(2, Keystore(2))).reason(), "STORAGE");
  std::filesystem::rename(List("ours") + ".away", List("ours"));
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1}));
  EXPECT_EQ(Delete(pubkey)->results(0).status(), v1::DELETE_STATUS_DELETED);
}

TEST_F(KeymanagerTest, WithoutAPasswordOfItsOwnNoKeyComes) {
  KeymanagerContext context = Context();
  context.protection.password = nullptr;
  requests_.emplace(std::move(context));
  EXPECT_EQ(Import(Request(2, Keystore(2))).reason(), "NO_PASSWORD");
}

TEST_F(KeymanagerTest, NoFurtherKeyComesOnceTheClientStops) {
  std::stop_source stopping;
  KeymanagerContext context = Context();
  context.stopping = stopping.get_token();
  requests_.emplace(std::move(context));
  EXPECT_EQ(Import(Request(2, Keystore(2))).status(), v1::IMPORT_STATUS_IMPORTED);
  stopping.request_stop();
  EXPECT_EQ(Import(Request(3, Keystore(3))).reason(), "STOPPING");
  EXPECT_EQ(Listed(), (std::vector<uint64_t>{0, 1, 2}));
}

TEST_F(KeymanagerTest, RequestsAreBounded) {
  EXPECT_EQ(rpc::ReasonOf(requests_->ImportKeystores({}).status()), "MALFORMED_REQUEST");
  v1::ImportKeystoresRequest many;
  for (int i = 0; i < 65; ++i) many.add_keystores();
  EXPECT_EQ(rpc::ReasonOf(requests_->ImportKeystores(many).status()), "MALFORMED_REQUEST");
  v1::DeleteKeystoresRequest odd;
  odd.add_pubkeys("0x12");
  EXPECT_EQ(rpc::ReasonOf(requests_->DeleteKeystores(odd).status()), "MALFORMED_REQUEST");
  EXPECT_EQ(rpc::ReasonOf(requests_->DeleteKeystores({}).status()), "MALFORMED_REQUEST");
}

TEST_F(KeymanagerTest, RecordsComeAndGo) {
  ASSERT_TRUE(records_->Reserve({{Pubkey(0), 9, FakeRoot(4)}, {Pubkey(1), 9, FakeRoot(4)}}).ok());
  v1::ExportSigningRecordsRequest one;
  one.add_pubkeys(ToHex(Pubkey(0).span()));
  EXPECT_EQ(requests_->ExportSigningRecords(one)->keys(), 1);
  const auto all = requests_->ExportSigningRecords({});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->keys(), 2);
  v1::ImportSigningRecordsRequest back;
  back.set_records(all->records());
  const auto imported = requests_->ImportSigningRecords(back);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->keys(), 2);
  EXPECT_EQ(imported->new_leaves(), 0);
}

TEST_F(KeymanagerTest, RecordsThatNoAnswerCanHoldAreAnError) {
  std::vector<KeyHistory> histories(4096);
  for (size_t i = 0; i < histories.size(); ++i) {
    histories[i].pubkey.data[0] = static_cast<uint8_t>(i);
    histories[i].pubkey.data[1] = static_cast<uint8_t>(i >> 8);
    for (uint64_t slot = 0; slot < 32; ++slot) histories[i].leaves.push_back({.slot = slot, .root = FakeRoot(4)});
  }
  ASSERT_TRUE(records_->Import(histories).ok());
  const absl::Status status = requests_->ExportSigningRecords({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("name fewer keys"));
  v1::ExportSigningRecordsRequest one;
  one.add_pubkeys(ToHex(histories[7].pubkey.span()));
  const auto exported = requests_->ExportSigningRecords(one);
  ASSERT_TRUE(exported.ok()) << exported.status();
  EXPECT_EQ(exported->keys(), 1);
}

}  // namespace
}  // namespace lean::validator
