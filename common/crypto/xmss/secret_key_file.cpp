#include "common/crypto/xmss/secret_key_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/bottom_tree_builder.h"
#include "common/crypto/xmss/private_file.h"
#include "common/crypto/xmss/secret_key_codec.h"

namespace lean::xmss {
namespace {

// Larger than any key: the longest has a top tree of 2^17 nodes of 32 bytes and two bottom trees of the same size.
constexpr size_t kMaxFileBytes = 16 << 20;

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// The tree that holds `slot` and the one after it, as far as the key's active slots allow.
uint64_t LeftIndexFor(const Scheme& scheme, const SlotRange& active, uint64_t slot) {
  const uint64_t first_index = active.first / scheme.bottom_leaves();
  const uint64_t last_left_index = active.end / scheme.bottom_leaves() - 2;
  return std::clamp(slot / scheme.bottom_leaves(), first_index, last_left_index);
}

absl::StatusOr<CachedTrees> RebuildTrees(const Scheme& scheme, const SecretKeySeed& seed, uint64_t left_index,
                                         const KeyGenerationOptions& options) {
  CachedTrees trees{.left_bottom_index = left_index, .left = {}, .right = {}};
  for (const bool is_right : {false, true}) {
    BottomTreeBuilder builder(scheme, seed.prf_key.Clone(), seed.parameter, left_index + (is_right ? 1 : 0));
    const auto progress = [&](uint64_t leaves_done) {
      const double trees_done = static_cast<double>(leaves_done) / static_cast<double>(builder.leaves_total());
      return !options.progress || options.progress((trees_done + (is_right ? 1 : 0)) / 2);
    };
    if (absl::Status status = builder.Finish(options.threads, progress); !status.ok()) return status;
    (is_right ? trees.right : trees.left) = std::move(builder).Take();
  }
  return trees;
}

absl::StatusOr<SecretKey> Assemble(const Scheme& scheme, SecretKeySeed seed, CachedTrees trees) {
  return SecretKey::Create(scheme, {.prf_key = std::move(seed.prf_key),
                                    .parameter = seed.parameter,
                                    .active = seed.active,
                                    .top_tree = std::move(seed.top_tree),
                                    .left_bottom_index = trees.left_bottom_index,
                                    .left = std::move(trees.left),
                                    .right = std::move(trees.right)});
}

absl::StatusOr<CachedTrees> ReadTreeCache(const Scheme& scheme, const SecretKeySeed& seed, const std::string& path,
                                          uint64_t slot) {
  const absl::StatusOr<WipedBytes> bytes = ReadPrivateFile(path, kMaxFileBytes, /*must_be_private=*/false);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<CachedTrees> trees = DecodeTreeCache(scheme, seed, bytes->span());
  if (!trees.ok()) return InFile(path, trees.status());
  // A cache that lies one tree back is good: its right tree holds the slot, and the next is prepared in the background.
  const uint64_t wanted = LeftIndexFor(scheme, seed.active, slot);
  if (trees->left_bottom_index != wanted && trees->left_bottom_index + 1 != wanted) {
    return absl::OutOfRangeError(absl::StrCat(path, " holds trees of other slots"));
  }
  return trees;
}

}  // namespace

std::string TreeCachePath(const std::string& key_path) { return absl::StrCat(key_path, ".trees"); }

absl::Status SaveSecretKey(const SecretKey& key, const std::string& path) {
  const WipedBytes seed = EncodeSecretKeySeed(key);
  if (absl::Status status = WritePrivateFile(path, seed.span(), IfExists::kFail); !status.ok()) return status;
  return SaveTreeCache(key, path);
}

absl::Status SaveTreeCache(const SecretKey& key, const std::string& key_path) {
  return WritePrivateFile(TreeCachePath(key_path), EncodeTreeCache(key), IfExists::kReplace);
}

absl::StatusOr<LoadedSecretKey> LoadSecretKey(const Scheme& scheme, const std::string& path, uint64_t slot,
                                              const KeyGenerationOptions& options) {
  const absl::StatusOr<WipedBytes> bytes = ReadPrivateFile(path, kMaxFileBytes, /*must_be_private=*/true);
  if (!bytes.ok()) return bytes.status();
  if (!IsSecretKeySeed(bytes->span())) {
    absl::StatusOr<SecretKey> key = DecodeLeanSigSecretKey(scheme, bytes->span());
    if (!key.ok()) return InFile(path, key.status());
    return LoadedSecretKey{.key = *std::move(key), .trees_rebuilt = false, .rebuild_reason = {}};
  }
  absl::StatusOr<SecretKeySeed> seed = DecodeSecretKeySeed(scheme, bytes->span());
  if (!seed.ok()) return InFile(path, seed.status());

  absl::StatusOr<CachedTrees> trees = ReadTreeCache(scheme, *seed, TreeCachePath(path), slot);
  const absl::Status cache_status = trees.status();
  if (!cache_status.ok()) {
    trees = RebuildTrees(scheme, *seed, LeftIndexFor(scheme, seed->active, slot), options);
    if (!trees.ok()) return InFile(path, trees.status());
  }
  absl::StatusOr<SecretKey> key = Assemble(scheme, *std::move(seed), *std::move(trees));
  if (!key.ok()) return InFile(path, key.status());
  if (!cache_status.ok()) {
    if (absl::Status status = SaveTreeCache(*key, path); !status.ok()) return status;
  }
  return LoadedSecretKey{.key = *std::move(key),
                         .trees_rebuilt = !cache_status.ok(),
                         .rebuild_reason = std::string(cache_status.message())};
}

}  // namespace lean::xmss
