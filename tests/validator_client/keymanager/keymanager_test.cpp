#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/config/text_file.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"
#include "tests/common/rpc/certificates.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_new.h"
#include "validator_client/keymanager/access_token.h"
#include "validator_client/keymanager/keymanager_requests.h"
#include "validator_client/keymanager/keymanager_server.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kOurs[] = "the client's own password";
constexpr char kTheirs[] = "the password of what comes";

// A client of the validators 0 and 1, and a folder with the keys of 2 and 3 that may come.
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
  // As a start would open it, and able to sign: its trees grow from the secret.
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
      {Request(2, damaged), "INVALID_KEYSTORE"},
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
  // One bad key keeps no good one out.
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

grpc::Status Ask(const std::string& address, const rpc::ClientTlsFiles& tls, const std::string& header) {
  rpc::ChannelOptions options;
  options.tls = tls;
  const auto channel = rpc::MakeChannel(address, options);
  if (!channel.ok()) return grpc::Status(grpc::StatusCode::INTERNAL, std::string(channel.status().message()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!header.empty()) context.AddMetadata("authorization", header);
  v1::ListKeystoresResponse response;
  return v1::KeymanagerService::NewStub(*channel)->ListKeystores(&context, {}, &response);
}

TEST_F(KeymanagerTest, TheTokenOpens) {
  KeymanagerServerOptions options;
  options.address = "127.0.0.1:0";
  options.token_file = dir_.path() + "/token";
  const auto server = StartKeymanagerServer(Context(), options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();
  const auto token = ReadAccessToken(options.token_file);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(Ask(address, {}, "").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(address, {}, "Bearer " + std::string(64, 'a')).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Ask(address, {}, "Bearer " + *token).ok());
  EXPECT_THAT(log_.text(), Not(HasSubstr(*token)));
}

TEST_F(KeymanagerTest, ACertificateOpensInPlaceOfATokenAndNothingElseDoes) {
  const rpc::CertificateFiles authority = rpc::MakeCertificate(dir_.path(), "authority");
  const rpc::CertificateFiles server_files = rpc::MakeCertificate(dir_.path(), "server", authority);
  const rpc::CertificateFiles client_files = rpc::MakeCertificate(dir_.path(), "client", authority);
  const rpc::CertificateFiles foreign_files = rpc::MakeCertificate(dir_.path(), "foreign");
  KeymanagerServerOptions options;
  options.address = "127.0.0.1:0";
  options.tls = {.cert = server_files.cert, .key = server_files.key, .client_ca = authority.cert};
  const auto server = StartKeymanagerServer(Context(), options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = absl::StrCat("localhost:", (*server)->address().port);
  const auto with = [&authority](const std::string& cert, const std::string& key) {
    return rpc::ClientTlsFiles{.server_ca = authority.cert, .cert = cert, .key = key};
  };
  const grpc::Status known = Ask(address, with(client_files.cert, client_files.key), "");
  EXPECT_TRUE(known.ok()) << known.error_message();
  EXPECT_FALSE(Ask(address, with("", ""), "").ok());
  EXPECT_FALSE(Ask(address, with(foreign_files.cert, foreign_files.key), "").ok());
}

TEST_F(KeymanagerTest, AddressesThatOthersReachNeedTls) {
  KeymanagerServerOptions options;
  for (const char* address : {"127.0.0.1:0", "localhost:1", "[::1]:1", "unix:/tmp/x"}) {
    options.address = address;
    EXPECT_TRUE(CheckKeymanagerAddress(options).ok()) << address;
  }
  options.address = "0.0.0.0:1";
  EXPECT_EQ(CheckKeymanagerAddress(options).code(), absl::StatusCode::kInvalidArgument);
  options.tls.cert = options.tls.key = "file";
  EXPECT_TRUE(CheckKeymanagerAddress(options).ok());
}

TEST(AccessToken, IsMadeOnceAndKeptPrivate) {
  const TemporaryFolder dir;
  const std::string path = dir.path() + "/token";
  SystemRandomSource random;
  const auto made = AccessToken::ReadOrMake(path, random);
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string token = *ReadAccessToken(path);
  EXPECT_EQ(token.size(), 64);
  const auto again = AccessToken::ReadOrMake(path, random);
  ASSERT_TRUE(again.ok());
  for (const AccessToken* each : {&*made, &*again}) {
    EXPECT_TRUE(each->Matches(token));
    EXPECT_FALSE(each->Matches(token.substr(1)));
    EXPECT_FALSE(each->Matches(token + "0"));
    EXPECT_FALSE(each->Matches(""));
  }
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(AccessToken::ReadOrMake(path, random).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(AccessToken, WeakOnesAreRefused) {
  const TemporaryFolder dir;
  SystemRandomSource random;
  int n = 0;
  for (const char* text : {"", "short", "0123456789abcdef0123456789abcde\n", "0123456789abcdef 0123456789abcdef x"}) {
    const std::string path = absl::StrCat(dir.path(), "/token", n++);
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(AccessToken::ReadOrMake(path, random).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace lean::validator
