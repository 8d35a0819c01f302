#include "common/crypto/xmss/keys/secret_key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/keys/key_seed.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::xmss {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SecretKeyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lean_key_file_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ / "validator_0.key";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Six bottom trees.
  static SecretKey NewKey(uint64_t seed = 1) { return *MakeKey(scheme(), {0, 96}, seed); }
  static Scheme scheme() { return *Scheme::Create(8); }

  static bool SameKey(const SecretKey& a, const SecretKey& b) {
    return EncodeLeanSigSecretKey(a).span() == EncodeLeanSigSecretKey(b).span();
  }
  static mode_t ModeOf(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  }

  absl::StatusOr<LoadedSecretKey> Load(uint64_t slot = 0) const { return LoadSecretKey(scheme(), path_, slot); }
  fs::path cache_path() const { return TreeCachePath(path_); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(SecretKeyFileTest, InspectsItsOwnForm) {
  const SecretKey key = NewKey();
  ASSERT_TRUE(SaveSecretKey(key, path_).ok());
  const auto info = InspectSecretKey(path_);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->scheme, scheme());
  EXPECT_EQ(info->public_key, key.public_key());
  EXPECT_EQ(info->active, key.active());
  EXPECT_TRUE(info->has_tree_cache);
}

TEST_F(SecretKeyFileTest, InspectsLeanSigsForm) {
  const SecretKey key = NewKey();
  const WipedBytes bytes = EncodeLeanSigSecretKey(key);
  std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size());
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  const auto info = InspectSecretKey(path_);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->scheme, scheme());
  EXPECT_EQ(info->public_key, key.public_key());
  EXPECT_FALSE(info->has_tree_cache);
}

TEST_F(SecretKeyFileTest, InspectionRefusesWhatLoadingRefuses) {
  EXPECT_EQ(InspectSecretKey(path_).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  FlipByte(path_, 60);
  EXPECT_EQ(InspectSecretKey(path_).status().code(), absl::StatusCode::kInvalidArgument);
  FlipByte(path_, 60);
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_EQ(InspectSecretKey(path_).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(SecretKeyFileTest, LoadsWhatItSaved) {
  const SecretKey key = NewKey();
  ASSERT_TRUE(SaveSecretKey(key, path_).ok());
  EXPECT_EQ(ModeOf(path_), 0600);
  EXPECT_EQ(ModeOf(cache_path()), 0600);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a temporary file is left";
  const absl::StatusOr<LoadedSecretKey> loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->trees_rebuilt);
  EXPECT_TRUE(SameKey(loaded->key, key));
}

TEST_F(SecretKeyFileTest, NeverOverwritesAKey) {
  const SecretKey key = NewKey();
  ASSERT_TRUE(SaveSecretKey(key, path_).ok());
  const absl::Status status = SaveSecretKey(NewKey(2), path_);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(status.message(), HasSubstr(path_.string()));
  EXPECT_TRUE(SameKey(Load()->key, key));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a temporary file is left";
}

TEST_F(SecretKeyFileTest, RefusesAKeyThatOthersCanRead) {
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  fs::permissions(path_, fs::perms::others_read, fs::perm_options::add);
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Load().status().message(), HasSubstr("chmod 600"));
}

TEST_F(SecretKeyFileTest, SaysWhichFileIsMissingOrIsNone) {
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Load().status().message(), HasSubstr(path_.string()));
  EXPECT_THAT(LoadSecretKey(scheme(), folder_.string(), 0).status().message(), HasSubstr("not a regular file"));
  EXPECT_FALSE(SaveSecretKey(NewKey(), folder_ / "missing" / "key").ok());
}

TEST_F(SecretKeyFileTest, RefusesADamagedKeyWhereverItIsDamaged) {
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  const auto size = static_cast<int64_t>(fs::file_size(path_));
  for (int64_t position = 0; position < size; position += 5) {
    FlipByte(path_, position);
    EXPECT_EQ(Load().status().code(), absl::StatusCode::kInvalidArgument) << "byte " << position;
    EXPECT_THAT(Load().status().message(), HasSubstr(path_.string()));
    FlipByte(path_, position);
  }
  ASSERT_TRUE(Load().ok());
  fs::resize_file(path_, fs::file_size(path_) - 1);
  EXPECT_FALSE(Load().ok());
  fs::resize_file(path_, 0);
  EXPECT_FALSE(Load().ok());
}

TEST_F(SecretKeyFileTest, RefusesAKeyOfAnotherLifetime) {
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  EXPECT_THAT(LoadSecretKey(*Scheme::Create(32), path_, 0).status().message(), HasSubstr("lifetime 2^8"));
}

TEST_F(SecretKeyFileTest, RebuildsAMissingOrDamagedCacheOnce) {
  const SecretKey key = NewKey();
  ASSERT_TRUE(SaveSecretKey(key, path_).ok());
  const auto size = static_cast<int64_t>(fs::file_size(cache_path()));
  for (const int64_t position : {int64_t{0}, int64_t{30}, size / 2, size - 1}) {
    FlipByte(cache_path(), position);
    const absl::StatusOr<LoadedSecretKey> loaded = Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_TRUE(loaded->trees_rebuilt);
    EXPECT_THAT(loaded->rebuild_reason, HasSubstr(cache_path().string()));
    EXPECT_TRUE(SameKey(loaded->key, key));
    EXPECT_FALSE(Load()->trees_rebuilt);
  }
  fs::remove(cache_path());
  EXPECT_TRUE(Load()->trees_rebuilt);
  fs::resize_file(cache_path(), 100);
  EXPECT_TRUE(Load()->trees_rebuilt);
  ASSERT_TRUE(SaveTreeCache(NewKey(2), path_).ok());
  EXPECT_THAT(Load()->rebuild_reason, HasSubstr("not those of the key"));
}

TEST_F(SecretKeyFileTest, PreparesTheTreesOfTheSlotItIsLoadedFor) {
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  EXPECT_EQ(Load(20)->key.prepared(), (SlotRange{0, 32})) << "the cache's right tree holds the slot";
  EXPECT_EQ(Load(33)->key.prepared(), (SlotRange{32, 64})) << "rebuilt";
  EXPECT_FALSE(Load(33)->trees_rebuilt) << "the cache was written anew";
  EXPECT_EQ(Load(1000)->key.prepared(), (SlotRange{64, 96})) << "the key's last trees";
  fs::remove(cache_path());
  EXPECT_EQ(Load(50)->key.prepared(), (SlotRange{48, 80}));
  EXPECT_EQ(Load(81)->key.prepared(), (SlotRange{64, 96})) << "the last slots are those of a right tree";
}

TEST_F(SecretKeyFileTest, ComputesAKeyFromItsSeedAndKeepsItsTrees) {
  const SecretKey key = NewKey();
  const SecretKeyInfo info = {key.scheme(), key.public_key(), key.active(), true};
  const auto load = [&](std::optional<uint64_t> slot) { return LoadSeededKey(info, SeedOf(key), path_, slot, {}); };
  const absl::StatusOr<LoadedSecretKey> computed = load(50);
  ASSERT_TRUE(computed.ok()) << computed.status();
  EXPECT_TRUE(computed->trees_rebuilt && computed->cache.ok());
  EXPECT_EQ(computed->key.prepared(), (SlotRange{48, 80}));
  EXPECT_EQ(ModeOf(TopTreePath(path_)), 0600);
  EXPECT_FALSE(load(50)->trees_rebuilt);
  EXPECT_FALSE(load(std::nullopt)->trees_rebuilt);
  EXPECT_EQ(load(0)->key.prepared(), (SlotRange{0, 32})) << "only two trees are built anew";
  EXPECT_TRUE(SameKey(load(0)->key, key));
  EXPECT_TRUE(load(0)->key.parts().master.has_value()) << "so that it can be saved as a seed again";
  for (const int64_t position : {int64_t{0}, int64_t{20}, int64_t{60}, int64_t{400}}) {
    FlipByte(TopTreePath(path_), position);
    EXPECT_TRUE(load(0)->trees_rebuilt) << position;
    EXPECT_FALSE(load(0)->trees_rebuilt);
  }
  const SecretKey other = NewKey(2);
  ASSERT_TRUE(SaveTopTree(scheme(), other.active(), other.parts().top_tree, path_).ok());
  EXPECT_TRUE(SameKey(load(0)->key, key)) << "another key's tree is not used";
  RemoveCaches(path_);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SecretKeyFileTest, ASeedThatGivesAnotherKeyIsRefused) {
  const SecretKey key = NewKey();
  const SecretKeyInfo other = {key.scheme(), NewKey(2).public_key(), key.active(), true};
  EXPECT_EQ(LoadSeededKey(other, SeedOf(key), path_, 0, {}).status().code(), absl::StatusCode::kInvalidArgument);
  const SecretKeyInfo shorter = {key.scheme(), key.public_key(), {0, 64}, true};
  EXPECT_EQ(LoadSeededKey(shorter, SeedOf(key), path_, 0, {}).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(SaveTopTree(scheme(), key.active(), key.parts().top_tree, path_).ok());
  KeyGenerationOptions never;
  never.progress = [](double) { return false; };
  EXPECT_THAT(LoadSeededKey(shorter, SeedOf(key), path_, 0, never).status().message(), HasSubstr("scheme.params"))
      << "the cache shows it without computing anything";
}

TEST_F(SecretKeyFileTest, AnExplicitSeedComesBack) {
  const SecretKey key = NewKey();
  const WipedBytes bytes = EncodeExplicitSeed(SeedOf(key));
  EXPECT_EQ(bytes.span().size(), ExplicitSeedBytes(scheme(), key.active()));
  const absl::StatusOr<KeySeed> seed = DecodeExplicitSeed(scheme(), key.active(), bytes.span());
  ASSERT_TRUE(seed.ok()) << seed.status();
  EXPECT_FALSE(seed->master.has_value());
  const absl::StatusOr<SecretKey> built = BuildKey(scheme(), key.active(), seed->Clone(), 0, {});
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_TRUE(SameKey(*built, key));
  EXPECT_FALSE(DecodeExplicitSeed(scheme(), key.active(), bytes.span().subspan(1)).ok());
  EXPECT_FALSE(DecodeExplicitSeed(scheme(), {0, 32}, bytes.span()).ok());
  WipedBytes damaged(bytes.span().size());
  std::fill(damaged.mutable_span().begin(), damaged.mutable_span().end(), 0xff);
  EXPECT_FALSE(DecodeExplicitSeed(scheme(), key.active(), damaged.span()).ok());
}

TEST_F(SecretKeyFileTest, StopsRebuildingWhenAsked) {
  ASSERT_TRUE(SaveSecretKey(NewKey(), path_).ok());
  fs::remove(cache_path());
  KeyGenerationOptions options;
  options.progress = [](double) { return false; };
  EXPECT_EQ(LoadSecretKey(scheme(), path_, 0, options).status().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(fs::exists(cache_path()));
}

TEST_F(SecretKeyFileTest, ContinuesAKeySavedAfterAdvancing) {
  SecretKey key = NewKey();
  ASSERT_TRUE(SaveSecretKey(key, path_).ok());
  ASSERT_TRUE(key.Advance().ok());
  ASSERT_TRUE(SaveTreeCache(key, path_).ok());
  const absl::StatusOr<LoadedSecretKey> loaded = Load(20);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->trees_rebuilt);
  EXPECT_TRUE(SameKey(loaded->key, key));
}

TEST_F(SecretKeyFileTest, LoadsALeanSigKey) {
  const SecretKey key = NewKey();
  {
    const WipedBytes bytes = EncodeLeanSigSecretKey(key);
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.span().data()), static_cast<std::streamsize>(bytes.span().size()));
  }
  fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write);
  const absl::StatusOr<LoadedSecretKey> loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(SameKey(loaded->key, key));
  EXPECT_EQ(Load(40)->key.prepared(), (SlotRange{32, 64})) << "its trees are computed for the slot";
  EXPECT_FALSE(fs::exists(cache_path())) << "the file is not ours to keep a cache for";
}

}  // namespace
}  // namespace lean::xmss
