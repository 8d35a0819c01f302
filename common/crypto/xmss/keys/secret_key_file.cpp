#include "common/crypto/xmss/keys/secret_key_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::xmss {
namespace {

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
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
    RETURN_IF_ERROR(builder.Finish(options.threads, progress));
    (is_right ? trees.right : trees.left) = std::move(builder).Take();
  }
  return trees;
}

// OutOfRange unless one of the trees left_index and left_index + 1 holds `slot`, or the active slot nearest to it.
// Where it is the second, the next tree can be prepared in the background.
absl::Status CheckTreesServe(const Scheme& scheme, const SlotRange& active, uint64_t left_index, uint64_t slot,
                             const std::string& path) {
  const uint64_t index = std::clamp(slot, active.first, active.end - 1) / scheme.bottom_leaves();
  if (index == left_index || index == left_index + 1) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(path, " holds trees of other slots"));
}

// nullopt: for any slot.
absl::StatusOr<CachedTrees> ReadTreeCache(const Scheme& scheme, const SecretKeySeed& seed, const std::string& path,
                                          std::optional<uint64_t> slot) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadRegularFile(path, kMaxKeyFileBytes));
  ASSIGN_OR_RETURN(CachedTrees trees, DecodeTreeCache(scheme, seed, bytes.span()), InFile(path, _));
  if (slot.has_value()) {
    RETURN_IF_ERROR(CheckTreesServe(scheme, seed.active, trees.left_bottom_index, *slot, path));
  }
  return trees;
}

// The seed and the cached trees of our key file, or the seed and the trees of a leanSig key.
struct KeyFile {
  SecretKeySeed seed;
  absl::StatusOr<CachedTrees> trees = absl::UnknownError("not read");  // otherwise the error why they cannot be used
};

absl::StatusOr<KeyFile> ReadKeyFile(const Scheme& scheme, const std::string& path, uint64_t slot, ByteSpan bytes) {
  KeyFile file;
  if (IsSecretKeySeed(bytes)) {
    ASSIGN_OR_RETURN(file.seed, DecodeSecretKeySeed(scheme, bytes));
    file.trees = ReadTreeCache(scheme, file.seed, TreeCachePath(path), slot);
    return file;
  }
  ASSIGN_OR_RETURN(SecretKey key, DecodeLeanSigSecretKey(scheme, bytes));
  SecretKeyParts parts = std::move(key).TakeParts();
  file.seed = {.prf_key = std::move(parts.prf_key),
               .parameter = parts.parameter,
               .active = parts.active,
               .top_tree = std::move(parts.top_tree)};
  if (absl::Status status = CheckTreesServe(scheme, parts.active, parts.left_bottom_index, slot, path); !status.ok()) {
    file.trees = status;
    return file;
  }
  file.trees = CachedTrees{
      .left_bottom_index = parts.left_bottom_index, .left = std::move(parts.left), .right = std::move(parts.right)};
  return file;
}

// Adds the trees that the file does not have. With `has_cache`, writes them to the cache beside it.
absl::StatusOr<LoadedSecretKey> Assemble(const Scheme& scheme, KeyFile file, const std::string& path, uint64_t slot,
                                         bool has_cache, const KeyGenerationOptions& options) {
  const absl::Status trees_status = file.trees.status();
  if (!trees_status.ok()) {
    const uint64_t left_index = LeftIndexFor(scheme, file.seed.active, slot);
    file.trees = RebuildTrees(scheme, file.seed, left_index, options);
    RETURN_IF_ERROR(file.trees.status(), InFile(path, _));
  }
  ASSIGN_OR_RETURN(SecretKey key, AssembleSecretKey(scheme, std::move(file.seed), *std::move(file.trees)),
                   InFile(path, _));
  absl::Status cache;
  if (!trees_status.ok() && has_cache) cache = SaveTreeCache(key, path);
  return LoadedSecretKey{.key = std::move(key),
                         .trees_rebuilt = !trees_status.ok(),
                         .rebuild_reason = std::string(trees_status.message()),
                         .cache = std::move(cache)};
}

absl::StatusOr<CachedTopTree> ReadTopTree(const Scheme& scheme, const PublicKey& expected, const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadRegularFile(path, kMaxKeyFileBytes));
  ASSIGN_OR_RETURN(CachedTopTree top, DecodeTopTree(scheme, expected, bytes.span()), InFile(path, _));
  return top;
}

absl::Status NotOfSeed(const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": pubkey and scheme.params are not those of the key that its seed gives: one of them was changed"));
}

absl::StatusOr<SecretKeyInfo> InspectSeed(uint32_t log_lifetime, ByteSpan bytes) {
  ASSIGN_OR_RETURN(const Scheme scheme, Scheme::Create(log_lifetime));
  ASSIGN_OR_RETURN(const SecretKeySeed seed, DecodeSecretKeySeed(scheme, bytes));
  return SecretKeyInfo{.scheme = scheme,
                       .public_key = {.root = RootOf(scheme, seed.top_tree), .parameter = seed.parameter},
                       .active = seed.active,
                       .has_tree_cache = true};
}

// leanSig's form has no lifetime at its start, so this tries the schemes until one decodes it.
absl::StatusOr<SecretKeyInfo> InspectLeanSig(ByteSpan bytes) {
  absl::Status failure;
  for (const uint32_t log_lifetime : {8, 16, 32}) {
    ASSIGN_OR_RETURN(const Scheme scheme, Scheme::Create(log_lifetime));
    const absl::StatusOr<SecretKey> key = DecodeLeanSigSecretKey(scheme, bytes);
    if (key.ok()) return SecretKeyInfo{.scheme = scheme, .public_key = key->public_key(), .active = key->active()};
    failure = key.status();
  }
  return failure;
}

}  // namespace

absl::StatusOr<SecretKeyInfo> InspectSecretKey(const std::string& path) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadSecretFile(path, kMaxKeyFileBytes, SecretFileKind::kRegular));
  return InspectSecretKeyBytes(bytes.span(), path);
}

absl::StatusOr<SecretKeyInfo> InspectSecretKeyBytes(ByteSpan content, const std::string& path) {
  const std::optional<uint32_t> log_lifetime = SecretKeySeedLogLifetime(content);
  ASSIGN_OR_RETURN(SecretKeyInfo info,
                   log_lifetime.has_value() ? InspectSeed(*log_lifetime, content) : InspectLeanSig(content),
                   InFile(path, _));
  return info;
}

std::string TreeCachePath(const std::string& key_path) { return absl::StrCat(key_path, ".trees"); }

std::string TopTreePath(const std::string& key_path) { return absl::StrCat(key_path, ".top"); }

absl::Status SaveTopTree(const Scheme& scheme, const SlotRange& active, const Subtree& top_tree,
                         const std::string& key_path) {
  return WritePrivateFile(TopTreePath(key_path), EncodeTopTree(scheme, active, top_tree), IfExists::kReplace);
}

void RemoveCaches(const std::string& key_path) {
  std::error_code ignored;
  std::filesystem::remove(TreeCachePath(key_path), ignored);
  std::filesystem::remove(TopTreePath(key_path), ignored);
}

absl::Status SaveSecretKey(const SecretKey& key, const std::string& path, IfExists if_exists) {
  const WipedBytes seed = EncodeSecretKeySeed(key);
  RETURN_IF_ERROR(WritePrivateFile(path, seed.span(), if_exists));
  return SaveTreeCache(key, path);
}

absl::Status SaveTreeCache(const SecretKey& key, const std::string& key_path) {
  return WritePrivateFile(TreeCachePath(key_path), EncodeTreeCache(key), IfExists::kReplace);
}

absl::StatusOr<LoadedSecretKey> LoadSecretKey(const Scheme& scheme, const std::string& path, uint64_t slot,
                                              const KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadSecretFile(path, kMaxKeyFileBytes, SecretFileKind::kRegular));
  return LoadSecretKeyBytes(scheme, bytes.span(), path, slot, options);
}

absl::StatusOr<LoadedSecretKey> LoadSecretKeyBytes(const Scheme& scheme, ByteSpan content, const std::string& path,
                                                   uint64_t slot, const KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(KeyFile file, ReadKeyFile(scheme, path, slot, content), InFile(path, _));
  return Assemble(scheme, std::move(file), path, slot, IsSecretKeySeed(content), options);
}

absl::StatusOr<LoadedSecretKey> LoadSeededKey(const SecretKeyInfo& expected, KeySeed seed, const std::string& path,
                                              std::optional<uint64_t> slot, const KeyGenerationOptions& options) {
  const Scheme& scheme = expected.scheme;
  const uint64_t wanted = slot.value_or(expected.active.first);
  absl::StatusOr<CachedTopTree> top = ReadTopTree(scheme, expected.public_key, TopTreePath(path));
  if (top.ok() && top->active != expected.active) return NotOfSeed(path);
  if (top.ok()) {
    KeyFile file;
    file.seed = {.master = std::move(seed.master),
                 .prf_key = std::move(seed.prf_key),
                 .parameter = seed.parameter,
                 .active = expected.active,
                 .top_tree = std::move(top->tree)};
    file.trees = ReadTreeCache(scheme, file.seed, TreeCachePath(path), slot);
    return Assemble(scheme, std::move(file), path, wanted, /*has_cache=*/true, options);
  }
  ASSIGN_OR_RETURN(SecretKey key, BuildKey(scheme, expected.active, std::move(seed), wanted, options), InFile(path, _));
  if (key.public_key() != expected.public_key) return NotOfSeed(path);
  absl::Status cache = SaveTopTree(scheme, expected.active, key.parts().top_tree, path);
  if (cache.ok()) cache = SaveTreeCache(key, path);
  return LoadedSecretKey{.key = std::move(key),
                         .trees_rebuilt = true,
                         .rebuild_reason = std::string(top.status().message()),
                         .cache = std::move(cache)};
}

}  // namespace lean::xmss
