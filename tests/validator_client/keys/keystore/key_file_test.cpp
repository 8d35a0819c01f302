#include "validator_client/keys/keystore/key_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/key_seed.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystore/keystore_json.h"
#include "validator_client/keys/xmss_signing_key.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const xmss::SecretKey& TestKey() {
  static const auto* const key = [] {
    SeededRandomSource random(7);
    return new xmss::SecretKey(*xmss::GenerateKey(*xmss::Scheme::Create(8), {0, 64}, random, {}));
  }();
  return *key;
}

class EncryptedKeyFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(SaveEncryptedKey(TestKey(), kState, path_, password_, kCheapCost, random_).ok());
    text_ = Text();
  }

  std::string Text() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  absl::StatusOr<OpenedKeyFile> Open() const {
    return OpenKeyFile(path_, [this]() -> absl::StatusOr<const Password*> { return &password_; });
  }
  // The error of opening `text`, without the name of the file.
  std::string Error(const std::string& text) const {
    std::ofstream(path_, std::ios::trunc) << text;
    const auto opened = Open();
    return opened.ok() ? "no error" : absl::StrReplaceAll(opened.status().message(), {{path_ + ": ", ""}});
  }
  // The error after `edit` has changed the JSON.
  template <typename Edit>
  std::string ErrorAfter(Edit edit) const {
    json root = json::parse(text_);
    edit(root);
    return Error(root.dump());
  }
  static bool IsTestKey(const OpenedKeyFile& file) {
    return file.seed.has_value() &&
           xmss::EncodeExplicitSeed(*file.seed).span() == xmss::EncodeExplicitSeed(xmss::SeedOf(TestKey())).span();
  }

  // What is wrong with the file once its trees are there as well.
  std::string ErrorOfWhole() const {
    const auto whole =
        ReadWholeKey(path_, [this]() -> absl::StatusOr<const Password*> { return &password_; }, false, {});
    return whole.ok() ? "no error" : absl::StrReplaceAll(whole.status().message(), {{path_ + ": ", ""}});
  }

  static inline const KeyState kState = {.high_water = 12, .recovery_only = false, .reference = "records"};
  TemporaryFolder dir_;
  const std::string path_ = absl::StrCat(dir_.path(), "/validator_0.json");
  SeededRandomSource random_{1};
  const Password password_ = MakePassword("right");
  std::string text_;
};

TEST_F(EncryptedKeyFileTest, HoldsTheKeyItWasMadeOf) {
  const auto opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(IsTestKey(*opened));
  EXPECT_EQ(opened->info.public_key, TestKey().public_key());
  EXPECT_EQ(opened->info.active, (xmss::SlotRange{0, 64}));
  EXPECT_EQ(opened->state, kState);
}

TEST_F(EncryptedKeyFileTest, HoldsTheSeedOfAKeyWithoutOne) {
  xmss::SecretKeyParts parts =
      std::move(*xmss::DecodeLeanSigSecretKey(TestKey().scheme(), xmss::EncodeLeanSigSecretKey(TestKey()).span()))
          .TakeParts();
  EXPECT_FALSE(parts.master.has_value()) << "leanSig's form does not have it";
  const xmss::SecretKey imported = *xmss::SecretKey::Create(TestKey().scheme(), std::move(parts));
  fs::remove(path_);
  ASSERT_TRUE(SaveEncryptedKey(imported, {}, path_, password_, kCheapCost, random_).ok());
  EXPECT_EQ(json::parse(Text()).at("scheme").at("params").at("seed_derivation"), "leansig-explicit");
  for (const bool has_caches : {true, false}) {
    if (!has_caches) xmss::RemoveCaches(path_);
    const auto opened = Open();
    ASSERT_TRUE(opened.ok() && IsTestKey(*opened)) << opened.status();
    EXPECT_EQ(ErrorOfWhole(), "no error");
    EXPECT_TRUE(fs::exists(xmss::TopTreePath(path_)));
  }
}

TEST_F(EncryptedKeyFileTest, ItsTreesAreThoseOfItsPublicKey) {
  const auto edit = [this](auto change) {
    json root = json::parse(text_);
    change(root);
    std::ofstream(path_, std::ios::trunc) << root.dump();
    return ErrorOfWhole();
  };
  const std::string changed =
      "pubkey and scheme.params are not those of the key that its seed gives: one of them was changed";
  const auto fewer = [](json& root) { root["scheme"]["params"]["num_active_epochs"] = 32; };
  const auto other_root = [](json& root) {
    std::string pubkey = root["pubkey"];
    pubkey[3] = pubkey[3] == '0' ? '1' : '0';
    root["pubkey"] = pubkey;
  };
  EXPECT_EQ(edit(fewer), changed);
  EXPECT_EQ(edit(other_root), changed);
  xmss::RemoveCaches(path_);
  EXPECT_EQ(edit(fewer), changed);
  EXPECT_EQ(edit(other_root), changed);
  EXPECT_EQ(edit([](json&) {}), "no error");
}

TEST_F(EncryptedKeyFileTest, IsPrivateAndShowsNoSecret) {
  for (const std::string& file : {path_, xmss::TreeCachePath(path_), xmss::TopTreePath(path_)}) {
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u) << file;
  }
  EXPECT_FALSE(absl::StrContains(text_, ToHex(TestKey().parts().prf_key.bytes()).substr(2)));
  EXPECT_FALSE(absl::StrContains(text_, ToHex(TestKey().parts().master->bytes()).substr(2)));
  EXPECT_FALSE(absl::StrContains(text_, "right"));
}

TEST_F(EncryptedKeyFileTest, HasEip8310sForm) {
  const json root = json::parse(text_);
  EXPECT_EQ(root.at("version"), 5);
  EXPECT_EQ(root.at("uuid").get<std::string>().size(), 36);
  EXPECT_EQ(root.at("uuid").get<std::string>()[14], '4');
  EXPECT_EQ(root.at("path"), "");
  EXPECT_EQ(root.at("pubkey"), ToHex(PublicKeyBytesOf(TestKey().scheme(), TestKey().public_key()).span()).substr(2));
  EXPECT_EQ(root.at("scheme"), json::parse(R"({"name": "leanxmss", "params": {
      "hash": "poseidon2-koalabear", "tree_height": 8, "hypertree_layers": 1, "encoding": "target_sum",
      "winternitz_w": 8, "dimension": 64, "target_sum": 375, "index_mode": "synchronized", "activation_epoch": 0,
      "lifetime_leaves": 256, "num_active_epochs": 64, "seed_derivation": "leansig-chacha12"}})"));
  EXPECT_EQ(root.at("state"), json::parse(R"({"authoritative": false, "authority": "slashing-protection",
      "reference": "records", "capacity": {"total": 64, "consumed": 13, "remaining": 51}, "high_water": 12,
      "reserved_ranges": []})"));
  const json& crypto = root.at("crypto");
  EXPECT_EQ(crypto.at("kdf").at("function"), "pbkdf2");
  EXPECT_EQ(crypto.at("kdf").at("params").at("prf"), "hmac-sha256");
  EXPECT_EQ(crypto.at("kdf").at("params").at("dklen"), 32);
  EXPECT_EQ(crypto.at("kdf").at("message"), "");
  EXPECT_EQ(crypto.at("checksum").at("function"), "sha256");
  EXPECT_EQ(crypto.at("cipher").at("function"), "aes-256-gcm");
  EXPECT_EQ(crypto.at("cipher").at("params").at("iv").get<std::string>().size(), 24);
  EXPECT_EQ(crypto.at("cipher").at("message").get<std::string>().size(), 2 * (32 + 16)) << "seed and tag";
}

TEST_F(EncryptedKeyFileTest, ItsSummaryNeedsNoPassword) {
  const auto summary = SummarizeKeyFile(path_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->encrypted);
  EXPECT_EQ(summary->pubkey, PublicKeyBytesOf(TestKey().scheme(), TestKey().public_key()));
  EXPECT_EQ(summary->log_lifetime, 8);
  EXPECT_EQ(summary->active, (xmss::SlotRange{0, 64}));
}

TEST_F(EncryptedKeyFileTest, APlainFileIsOpenedWithoutAPassword) {
  const std::string plain = absl::StrCat(dir_.path(), "/plain.key");
  ASSERT_TRUE(xmss::SaveSecretKey(TestKey(), plain).ok());
  const auto opened =
      OpenKeyFile(plain, []() -> absl::StatusOr<const Password*> { return absl::InternalError("asked"); });
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->info.public_key, TestKey().public_key());
  EXPECT_FALSE(SummarizeKeyFile(plain)->encrypted);
}

TEST_F(EncryptedKeyFileTest, SignsAsThePlainKeyDoes) {
  Root message;
  message.data[0] = 9;
  SignatureBytes expected;
  xmss::EncodeFlat(TestKey().scheme(), *TestKey().Sign(31, message), expected.mutable_span());
  for (const bool has_cache : {true, false}) {
    SCOPED_TRACE(has_cache);
    if (!has_cache) xmss::RemoveCaches(path_);
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    XmssSigningKey key(path_, *std::move(opened), 1);
    ASSERT_TRUE(key.Prepare(3, [](double) {}).ok());
    EXPECT_TRUE(fs::exists(xmss::TreeCachePath(path_)));
    const auto signature = key.Sign(31, message);
    ASSERT_TRUE(signature.ok()) << signature.status();
    EXPECT_EQ(*signature, expected);
    ASSERT_TRUE(key.Prepare(50, [](double) {}).ok()) << "and moves on";
    EXPECT_EQ(key.prepared_slots(), (xmss::SlotRange{32, 64}));
  }
}

TEST_F(EncryptedKeyFileTest, NeverOverwrites) {
  EXPECT_EQ(SaveEncryptedKey(TestKey(), {}, path_, password_, kCheapCost, random_).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Text(), text_);
}

TEST_F(EncryptedKeyFileTest, RefusesOpenModes) {
  for (const mode_t mode : {0620, 0604, 0644, 0660}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(Open().status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(SummarizeKeyFile(path_).status().code(), absl::StatusCode::kPermissionDenied);
  }
}

TEST_F(EncryptedKeyFileTest, SaysWhatIsWrong) {
  const auto opened = OpenKeyFile(path_, []() -> absl::StatusOr<const Password*> {
    static const auto* const wrong = new Password(MakePassword("hush"));
    return wrong;
  });
  EXPECT_TRUE(absl::StrContains(opened.status().message(), absl::StrCat(path_, ": wrong password"))) << opened.status();
  EXPECT_FALSE(absl::StrContains(opened.status().message(), "hush"));

  EXPECT_EQ(ErrorAfter([](json& root) { root["version"] = 3; }),
            "version: is 3, and only 5 (EIP-8310) and 4 are known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root.erase("version"); }), "version: is missing");
  EXPECT_EQ(ErrorAfter([](json& root) { root["scheme"]["name"] = "bls"; }),
            "scheme.name: is not \"leanxmss\", the only one that is known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root.erase("scheme"); }), "scheme.name: is missing");
  EXPECT_EQ(ErrorAfter([](json& root) { root["uuid"] = "1"; }), "uuid: is no UUID");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["kdf"]["function"] = "argon2"; }),
            "crypto.kdf.function: is none of \"scrypt\", \"pbkdf2\" and \"argon2id\"");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["kdf"]["params"]["dklen"] = 16; }),
            "crypto.kdf.params.dklen: is 16, and only 32 is known here");
  EXPECT_EQ(ErrorAfter([](json& root) {
              root["crypto"]["kdf"] = json::parse(
                  R"({"function": "scrypt", "params": {"n": 4194304, "r": 8, "p": 1, "dklen": 32, "salt": "00"}})");
            }),
            "crypto.kdf.params: scrypt with n 4194304 and r 8 takes more than the 256 MiB that are allowed");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["kdf"]["params"]["c"] = -1; }),
            "crypto.kdf.params.c: is not a number from 0 to 2^64 - 1");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["cipher"]["function"] = "aes-256-ctr"; }),
            "crypto.cipher.function: is not \"aes-256-gcm\", the only one that is known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["cipher"]["function"] = "aes-128-ctr"; }),
            "crypto.cipher.function: is \"aes-128-ctr\", which version 5 forbids");
  EXPECT_TRUE(
      absl::StartsWith(ErrorAfter([](json& root) { root["crypto"]["cipher"]["params"]["iv"] = std::string(24, '0'); }),
                       "wrong password"));
  EXPECT_EQ(ErrorAfter([](json& root) { root["pubkey"] = std::string(104, '0'); }),
            "pubkey: is not that of the seed in it: it is damaged");
  EXPECT_EQ(ErrorAfter([](json& root) { root["scheme"]["params"]["num_active_epochs"] = 257; }),
            "scheme.params: its active epochs are not within its lifetime");
  EXPECT_TRUE(absl::StartsWith(ErrorAfter([](json& root) { root["scheme"]["params"]["num_active_epochs"] = 33; }),
                               "scheme.params: a key's active slots are two or more whole bottom trees"));
  EXPECT_EQ(ErrorAfter([](json& root) { root["scheme"]["params"]["tree_height"] = 18; }),
            "scheme.params.tree_height: is none of 32, 16 and 8");
  EXPECT_EQ(ErrorAfter([](json& root) { root["state"]["high_water"] = uint64_t{1} << 32; }),
            "state.high_water: no key has a leaf of 2^32 or more");
  EXPECT_TRUE(absl::StartsWith(
      ErrorAfter([](json& root) { root["crypto"]["checksum"]["message"] = std::string(64, 'a'); }), "wrong password"));
  EXPECT_EQ(ErrorAfter([](json& root) { root["enabled"] = false; }), "enabled: is not known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto.kdf"] = root["crypto"]["kdf"]; }),
            "crypto.kdf: is not known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["kdf"]["params"]["q"] = 1; }),
            "crypto.kdf.params.q: is not known here");
  EXPECT_EQ(ErrorAfter([](json& root) { root["crypto"]["checksum"]["params"]["x"] = 1; }),
            "crypto.checksum.params: is no empty object");
  EXPECT_TRUE(absl::StartsWith(Error(std::string(100000, '{')), "no JSON: "));
  EXPECT_EQ(Error("{\"version\": s3cret, \"more\": 1}"), "no JSON: parse error at line 1, column 13");
  EXPECT_TRUE(absl::EndsWith(Error("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}"),
                             "nested too deeply"));
  EXPECT_TRUE(absl::EndsWith(ErrorAfter([](json& root) { root["description"] = std::string(70000, ' '); }),
                             "bytes, more than the 65536 a keystore can have"));
  const std::string twice = absl::StrCat("{\"version\": 5, ", text_.substr(1));
  EXPECT_TRUE(absl::StrContains(Error(twice), "version")) << Error(twice);
  EXPECT_EQ(Error(text_), "no error");
}

TEST_F(EncryptedKeyFileTest, SaysThatAFileIsEmpty) {
  std::ofstream(path_, std::ios::trunc).flush();
  EXPECT_EQ(Open().status().message(), absl::StrCat(path_, " is empty: put the key back from a copy, if there is one"));
}

TEST_F(EncryptedKeyFileTest, RefusesEveryTruncation) {
  const std::string whole = text_.substr(0, text_.find_last_of('}') + 1);
  for (size_t size = 0; size < whole.size(); size += size < 1200 || size + 40 > whole.size() ? 1 : 97) {
    EXPECT_NE(Error(whole.substr(0, size)), "no error") << size;
  }
}

// A file with any change to its bytes opens to its original key or not at all.
RC_GTEST_FIXTURE_PROP(EncryptedKeyFileTest, DamageIsNeverAccepted, ()) {
  std::string damaged = text_;
  const int edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits; ++i) {
    // Half of the changes hit the fields, because most of the text is ciphertext.
    const bool anywhere = *rc::gen::arbitrary<bool>() || damaged.size() < 1300;
    const auto at = *rc::gen::inRange<size_t>(0, anywhere ? damaged.size() : 1300);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        damaged[at] = *rc::gen::arbitrary<char>();
        break;
      case 1:
        damaged.erase(at, *rc::gen::inRange<size_t>(1, 40));
        break;
      case 2:
        damaged.insert(at,
                       *rc::gen::elementOf(std::vector<std::string>{"0", "9", "f", "\"", "{", "]", "-", ".5", "null"}));
        break;
      default:
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << *rc::gen::inRange(0, 8)));
    }
    if (damaged.empty()) break;
  }
  std::ofstream(path_, std::ios::trunc | std::ios::binary) << damaged;
  const auto opened = Open();
  const bool as_made = opened.ok() && IsTestKey(*opened) &&
                       (opened->info.public_key == TestKey().public_key() || ErrorOfWhole() != "no error");
  const bool refused = !opened.ok() && absl::StrContains(opened.status().message(), path_);
  RC_ASSERT(as_made || refused || ErrorOfWhole() != "no error");
}

// Values of every type in place of each field.
TEST_F(EncryptedKeyFileTest, RefusesEveryFieldOfAnotherType) {
  const json whole = json::parse(text_).flatten();
  for (const auto& [pointer, value] : whole.items()) {
    if (pointer == "/crypto/checksum/params") continue;  // empty, and nothing in it is read
    for (const json& other : {json(), json(true), json(-1), json(1.5), json(json::array()), json(json::object()),
                              value.is_string() ? json(7) : json("7")}) {
      json root = json::parse(text_);
      root[json::json_pointer(pointer)] = other;
      if (root == json::parse(text_)) continue;
      EXPECT_NE(Error(root.dump()), "no error") << pointer << " = " << other;
    }
  }
}

}  // namespace
}  // namespace lean::validator
