// A production key with more bottom trees than the two it holds: about half a minute of one core.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::xmss {
namespace {

constexpr uint64_t kSlots = uint64_t{1} << 18;
constexpr uint64_t kSliceLeaves = 64;

void ExpectSigns(const SecretKey& key, uint64_t slot) {
  const Root message = MessageOf(static_cast<uint8_t>(slot % 251));
  const absl::StatusOr<Signature> signature = key.Sign(slot, message);
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_TRUE(Verify(key.scheme(), key.public_key(), slot, message, *signature)) << "slot " << slot;
}

TEST(LongKeyTest, PreparesItsNextTreeInSlicesWhileItSigns) {
  const Scheme scheme = *Scheme::Create(32);
  SeededRandomSource random(1);
  absl::StatusOr<SecretKey> key =
      GenerateKey(scheme, {.first = 0, .end = kSlots}, random, {.threads = 2, .progress = {}});
  ASSERT_TRUE(key.ok()) << key.status();
  ASSERT_EQ(key->active(), (SlotRange{0, kSlots}));

  BottomTreeBuilder builder = key->NextTreeBuilder();
  while (!builder.done()) {
    const uint64_t before = builder.leaves_done();
    builder.Step(kSliceLeaves);
    ASSERT_EQ(builder.leaves_done(), before + kSliceLeaves);
    // A duty's signature between two slices.
    if (before % (uint64_t{1} << 13) == 0) ExpectSigns(*key, before);
  }
  EXPECT_FALSE(key->Sign(131072, Root{}).ok());
  ASSERT_TRUE(key->Advance(std::move(builder)).ok());
  EXPECT_EQ(key->prepared(), (SlotRange{65536, 196608}));
  for (const uint64_t slot : {65536, 131071, 131072, 196607}) ExpectSigns(*key, slot);

  // The advanced trees come back from disk, and a key that slept through a tree computes what it needs.
  std::string folder = (std::filesystem::temp_directory_path() / "lean_long_key_XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/key";
  ASSERT_TRUE(SaveSecretKey(*key, path).ok());
  const absl::StatusOr<LoadedSecretKey> loaded = LoadSecretKey(scheme, path, 131072);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->trees_rebuilt);
  ExpectSigns(loaded->key, 131072);
  const absl::StatusOr<LoadedSecretKey> late = LoadSecretKey(scheme, path, kSlots - 1, {.threads = 2, .progress = {}});
  ASSERT_TRUE(late.ok()) << late.status();
  EXPECT_TRUE(late->trees_rebuilt);
  ExpectSigns(late->key, kSlots - 1);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lean::xmss
