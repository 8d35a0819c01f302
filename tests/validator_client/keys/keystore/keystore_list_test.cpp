#include "validator_client/keys/keystore/keystore_list.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

// The text of a list with PK0.. replaced by keys.
std::string WithKeys(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"PK0", ToHex(FakePubkey(0).span())},
                                    {"PK1", ToHex(FakePubkey(1).span())},
                                    {"PK2", ToHex(FakePubkey(2).span()).substr(2)}});
}

class KeystoreListTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<KeystoreEntry>> Read(absl::string_view text) {
    std::ofstream(file_) << WithKeys(text);
    return ReadKeystoreList(file_);
  }
  // The error after the name of the folder.
  std::string Error(absl::string_view text) {
    const auto entries = Read(text);
    if (entries.ok()) return "no error";
    EXPECT_EQ(entries.status().code(), absl::StatusCode::kInvalidArgument);
    return absl::StrReplaceAll(entries.status().message(), {{absl::StrCat(dir_.path(), "/"), ""}});
  }

  TemporaryFolder dir_;
  const std::string file_ = absl::StrCat(dir_.path(), "/keystores.yaml");
};

TEST_F(KeystoreListTest, ReadsEntriesWithTheirLines) {
  const auto entries =
      Read("# ours\n- index: 3\n  pubkey: PK0\n  keystore: a.key\n\n- {index: 0, pubkey: PK2, keystore: /k/b.key}\n");
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 2);
  EXPECT_EQ((*entries)[0].index, 3);
  EXPECT_EQ((*entries)[0].pubkey, FakePubkey(0));
  EXPECT_EQ((*entries)[0].path, absl::StrCat(dir_.path(), "/a.key"));
  EXPECT_EQ((*entries)[0].origin, absl::StrCat(file_, ":2"));
  EXPECT_EQ((*entries)[1].pubkey, FakePubkey(2));
  EXPECT_EQ((*entries)[1].path, "/k/b.key");
  EXPECT_EQ((*entries)[1].origin, absl::StrCat(file_, ":6"));
}

TEST_F(KeystoreListTest, ReadsWhatItFormats) {
  const std::vector<KeystoreEntry> written = {
      {0, FakePubkey(0), "a.key", ""}, {7, FakePubkey(1), "b.key", ""}, {8, FakePubkey(2), "c\\name \"d\".key", ""}};
  const auto read = Read(FormatKeystoreList(written));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 3);
  EXPECT_EQ((*read)[1].index, 7);
  EXPECT_EQ((*read)[1].pubkey, FakePubkey(1));
  EXPECT_EQ((*read)[1].path, absl::StrCat(dir_.path(), "/b.key"));
  EXPECT_EQ((*read)[2].path, absl::StrCat(dir_.path(), "/c\\name \"d\".key"));
}

TEST_F(KeystoreListTest, RefusesWhatIsNoList) {
  EXPECT_EQ(Error(""), "keystores.yaml:1: expected a list");
  EXPECT_EQ(Error("index: 0\n"), "keystores.yaml:1: expected a list");
  EXPECT_EQ(Error("[]"), "keystores.yaml:1: lists no validators");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: a\n- 5\n"),
            "keystores.yaml:4: [1]: expected a map of `name: value`");
}

TEST_F(KeystoreListTest, RefusesMissingFields) {
  EXPECT_EQ(Error("- pubkey: PK0\n  keystore: a\n"),
            "keystores.yaml:1: [0]: index is missing: add it (the validator's index in the registry)");
  EXPECT_EQ(Error("\n\n- index: 0\n  keystore: a\n"),
            "keystores.yaml:3: [0]: pubkey is missing: add it (the public key, 52 bytes of hex)");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n"),
            "keystores.yaml:1: [0]: keystore is missing: add it (the secret key file, relative to this one)");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: a\n  enabled: false\n"),
            "keystores.yaml:4: [0].enabled: unknown field: known are index, pubkey, keystore");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: a\n---\n- index: 1\n"),
            "keystores.yaml:5: another document begins here: the file may hold one");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: \"\"\n"),
            "keystores.yaml:3: [0].keystore: expected the name of a file");
}

TEST_F(KeystoreListTest, RefusesMalformedValues) {
  for (const char* index : {"-1", "one", "18446744073709551616", "1.5"}) {
    EXPECT_EQ(
        Error(absl::StrCat("- index: ", index, "\n  pubkey: PK0\n  keystore: a\n")),
        absl::StrCat("keystores.yaml:1: [0].index: expected a whole number from 0 to 18446744073709551615, got \"",
                     index, "\""));
  }
  EXPECT_EQ(Error("- index: 0\n  pubkey: \"0x1234\"\n  keystore: a\n").substr(0, 29), "keystores.yaml:2: [0].pubkey:");
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: [a]\n"),
            "keystores.yaml:3: [0].keystore: expected a single value");
}

TEST_F(KeystoreListTest, RefusesDuplicates) {
  const std::string first = "- index: 0\n  pubkey: PK0\n  keystore: a.key\n";
  const std::string origin = absl::StrCat(file_, ":1");
  const std::string at = absl::StrReplaceAll(origin, {{absl::StrCat(dir_.path(), "/"), ""}});
  EXPECT_EQ(Error(first + "- index: 0\n  pubkey: PK1\n  keystore: b.key\n"),
            absl::StrCat("keystores.yaml:4: index 0 appears twice, first at ", at));
  EXPECT_EQ(Error(first + "- index: 1\n  pubkey: PK0\n  keystore: b.key\n"),
            absl::StrCat("keystores.yaml:4: pubkey 0x0101…01 appears twice, first at ", at));
  EXPECT_EQ(Error(first + "- index: 1\n  pubkey: PK1\n  keystore: ./x/../a.key\n"),
            absl::StrCat("keystores.yaml:4: keystore a.key appears twice, first at ", at));
}

TEST_F(KeystoreListTest, SeesThroughLinks) {
  std::ofstream(absl::StrCat(dir_.path(), "/a.key")) << "k";
  std::filesystem::create_symlink("a.key", absl::StrCat(dir_.path(), "/b.key"));
  EXPECT_EQ(Error("- index: 0\n  pubkey: PK0\n  keystore: a.key\n- index: 1\n  pubkey: PK1\n  keystore: b.key\n"),
            "keystores.yaml:4: keystore b.key appears twice, first at keystores.yaml:1");
}

TEST_F(KeystoreListTest, RefusesBrokenYaml) {
  EXPECT_EQ(Error("- index: 0\n  pubkey: [1, 2\n").substr(0, 34), "keystores.yaml:3: not valid YAML: ");
}

TEST_F(KeystoreListTest, NamesAFileThatIsNotThere) {
  const auto entries = ReadKeystoreList(absl::StrCat(dir_.path(), "/none.yaml"));
  EXPECT_EQ(entries.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(entries.status().message(),
            absl::StrCat("cannot open ", dir_.path(), "/none.yaml: No such file or directory"));
}

TEST_F(KeystoreListTest, BoundsTheNumberOfEntries) {
  std::string text;
  for (size_t i = 0; i <= kMaxKeystores; ++i) absl::StrAppend(&text, "- {}\n");
  EXPECT_EQ(Error(text), "keystores.yaml:1: the list has 4097 items, at most 4096 are allowed");
}

}  // namespace
}  // namespace lean::validator
