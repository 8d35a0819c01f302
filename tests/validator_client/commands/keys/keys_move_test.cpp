#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/validator_client/commands/keys/keys_fixture.h"
#include "validator_client/commands/keys/keys_upgrade.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

// The machine to which keys are moved.
class KeysMoveTest : public KeysLeaveTest {
 protected:
  absl::Status Arrive(const std::string& source, std::vector<uint64_t> indices, const std::string& records_input = "",
                      bool never_signed = false) {
    KeysImportOptions options;
    options.source = source;
    options.keystores = there_list_;
    options.indices = std::move(indices);
    options.records = there_database_;
    options.records_input = records_input;
    options.never_signed = never_signed;
    options.source_password = Source();
    options.protection = {&password_, kCheapCost};
    return ImportKeys(options, random_, out_);
  }
  std::optional<uint64_t> HighestThere(uint64_t index) const {
    const auto records = SqliteSigningRecords::Open({.path = there_database_});
    return records.ok() ? *(*records)->HighestSlot(Pubkey(index)) : std::nullopt;
  }
  // What `run` says on the way to its first signature.
  absl::Status Start(const std::string& list, const std::string& database) {
    ASSIGN_OR_RETURN(const Keystores keystores, OpenKeystores(list, Source(), 1));
    ASSIGN_OR_RETURN(const auto records, SqliteSigningRecords::Open({.path = database, .create = true}));
    return CheckRecordsReach(keystores.states, *records, "the records");
  }

  const std::string there_ = absl::StrCat(dir_.path(), "/there");
  const std::string there_list_ = absl::StrCat(there_, "/keystores.yaml");
  const std::string there_database_ = absl::StrCat(there_, "/signing_records.sqlite");
};

TEST_F(KeysMoveTest, OneFileMovesKeysWithTheirRecords) {
  ASSERT_TRUE(Export({0, 1}, /*with_records=*/true).ok());
  struct stat info {};
  ASSERT_EQ(stat(bundle_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(Export({0}, /*with_records=*/true).code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(Arrive(bundle_, {}).ok());
  ASSERT_TRUE(Arrive(bundle_, {}).ok()) << "again changes nothing";
  EXPECT_TRUE(absl::StrContains(out_.str(), "result=already_there")) << out_.str();
  EXPECT_EQ(ReadKeystoreList(there_list_)->size(), 2);
  EXPECT_EQ(HighestThere(0), 5);
  EXPECT_EQ(HighestThere(1), std::nullopt);
  EXPECT_EQ(SummarizeKeyFile(there_ + "/validator_0.json")->state.high_water, 5);
  EXPECT_TRUE(VerifyKeys(there_list_, Source(), {}, out_).ok()) << out_.str();
  EXPECT_TRUE(Start(there_list_, there_database_).ok());
}

TEST_F(KeysMoveTest, ABundleIsWholeOrRefused) {
  ASSERT_TRUE(Export({0, 1}, /*with_records=*/true).ok());
  std::ifstream in(bundle_);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto error = [&](const std::string& changed) {
    std::ofstream(bundle_, std::ios::trunc) << changed;
    return absl::StrReplaceAll(Arrive(bundle_, {}).message(), {{bundle_ + ": ", ""}});
  };
  EXPECT_EQ(error(absl::StrReplaceAll(text, {{"\"slot\": \"5\"", "\"slot\": \"4\""}})),
            "keys[0]: has signed a slot (state.high_water) above its records: they are not the records of this export");
  EXPECT_EQ(error(absl::StrReplaceAll(text, {{"\"validator_index\": 1", "\"validator_index\": 0"}})),
            "keys[1]: has the index of an earlier key");
  EXPECT_EQ(error(absl::StrReplaceAll(text, {{"\"format\"", "\"note\": 1, \"format\""}})), "note: is not known here");
  EXPECT_EQ(
      error(absl::StrReplaceAll(text, {{"\"signed_attestations\": []", "\"signed_attestations\": [1]"}})).substr(0, 53),
      "records.data[0].signed_attestations: is not empty: it");
  std::string no_records = text;
  const size_t begin = no_records.rfind(ToHex(Pubkey(1).span()));
  no_records.replace(begin, 6, "0x1234");
  EXPECT_EQ(error(no_records), "keys[1]: has no records");
  EXPECT_FALSE(fs::exists(there_list_));
  EXPECT_FALSE(fs::exists(there_database_));
  EXPECT_EQ(error(text), "");
}

TEST_F(KeysMoveTest, NothingIsAddedWhenOneSecretDoesNotOpen) {
  ASSERT_TRUE(Export({0, 1}, /*with_records=*/true).ok());
  std::ifstream in(bundle_);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const size_t message = text.rfind("\"message\": \"") + 12;
  text[message] = text[message] == '0' ? '1' : '0';
  std::ofstream(bundle_, std::ios::trunc) << text;
  EXPECT_TRUE(absl::StrContains(Arrive(bundle_, {}).message(), "validator 1: wrong password"));
  EXPECT_FALSE(fs::exists(there_list_));
  EXPECT_FALSE(fs::exists(there_database_));
}

TEST_F(KeysMoveTest, ABareCopyDoesNotSign) {
  ASSERT_TRUE(Export({0, 1}).ok());
  const std::string copy = copies_ + "/validator_0.json";
  EXPECT_TRUE(SummarizeKeyFile(copy)->state.recovery_only);
  const absl::Status started = Start(copies_ + "/keystores.yaml", database_);
  EXPECT_EQ(started.code(), absl::StatusCode::kFailedPrecondition) << started;
  EXPECT_TRUE(absl::StrContains(started.message(), "exported without its signing records")) << started;

  EXPECT_TRUE(absl::StrContains(Arrive(copy, {0}).message(), "import its records with it"));
  EXPECT_TRUE(absl::StrContains(Arrive(copy, {0}, "", /*never_signed=*/true).message(), "signed up to slot 5"));
  EXPECT_FALSE(fs::exists(there_list_));
  ASSERT_TRUE(Arrive(copy, {0}, copies_ + "/records.json").ok()) << out_.str();
  EXPECT_TRUE(absl::StrContains(Arrive(copies_ + "/validator_1.json", {1}).message(), "--never-signed"));
  ASSERT_TRUE(Arrive(copies_ + "/validator_1.json", {1}, "", /*never_signed=*/true).ok()) << out_.str();
  EXPECT_EQ(HighestThere(0), 5);
  EXPECT_TRUE(Start(there_list_, there_database_).ok());
}

// They may be the only ones that their password opens.
TEST_F(KeysMoveTest, KeyFilesThatNoListNamesAreNotReplacedByAnExport) {
  ASSERT_TRUE(Export({0}).ok());
  fs::remove(copies_ + "/keystores.yaml");
  fs::remove(copies_ + "/records.json");
  const auto written = fs::last_write_time(copies_ + "/validator_0.json");
  EXPECT_EQ(Export({0}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(fs::last_write_time(copies_ + "/validator_0.json"), written);
}

TEST_F(KeysMoveTest, RecordsThatWentBackAreRefused) {
  ASSERT_TRUE(Export({0}, /*with_records=*/true).ok());
  ASSERT_TRUE(Arrive(bundle_, {}).ok());
  ASSERT_TRUE(Start(there_list_, there_database_).ok());
  // An older copy of the database takes its place.
  for (const bool known : {true, false}) {
    const std::string older = absl::StrCat(dir_.path(), "/older", known, ".sqlite");
    if (known) {
      auto records = SqliteSigningRecords::Open({.path = older, .create = true});
      ASSERT_TRUE((*records)->Reserve({SigningRequest{Pubkey(0), 4, FakeRoot(9)}}).ok());
    }
    const absl::Status status = Start(there_list_, older);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "had signed up to slot 5")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), known ? "end at slot 4" : "do not have the key")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "lean-validator records raise")) << status;
  }
}

TEST_F(KeysMoveTest, UpgradeWritesTheHighestSlotIntoTheState) {
  const auto upgrade = [this] {
    out_.str("");
    KeysUpgradeOptions options;
    options.keystores = list_;
    options.records = database_;
    options.password = Source();
    options.cost = kCheapCost;
    const absl::Status status = UpgradeKeys(options, random_, out_);
    EXPECT_TRUE(status.ok()) << status;
    return absl::StrReplaceAll(out_.str(), {{folder_ + "/", ""}});
  };
  EXPECT_TRUE(absl::StrContains(upgrade(), "result=state_updated file=validator_0.json")) << out_.str();
  EXPECT_EQ(SummarizeKeyFile(folder_ + "/validator_0.json")->state.high_water, 5);
  EXPECT_EQ(SummarizeKeyFile(folder_ + "/validator_1.json")->state.high_water, std::nullopt);
  EXPECT_FALSE(absl::StrContains(upgrade(), "updated")) << out_.str();
  EXPECT_TRUE(Verify().ok()) << out_.str();
}

}  // namespace
}  // namespace lean::validator
