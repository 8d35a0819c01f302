#include "common/crypto/xmss/keys/secret_key_file.h"

#include <algorithm>
#include <optional>
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

absl::StatusOr<CachedTrees> ReadTreeCache(const Scheme& scheme, const SecretKeySeed& seed, const std::string& path,
                                          uint64_t slot) {
  ASSIGN_OR_RETURN(const WipedBytes bytes, ReadRegularFile(path, kMaxKeyFileBytes));
  ASSIGN_OR_RETURN(CachedTrees trees, DecodeTreeCache(scheme, seed, bytes.span()), InFile(path, _));
  RETURN_IF_ERROR(CheckTreesServe(scheme, seed.active, trees.left_bottom_index, slot, path));
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

absl::Status SaveSecretKey(const SecretKey& key, const std::string& path) {
  const WipedBytes seed = EncodeSecretKeySeed(key);
  RETURN_IF_ERROR(WritePrivateFile(path, seed.span(), IfExists::kFail));
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
  const absl::Status trees_status = file.trees.status();
  if (!trees_status.ok()) {
    const uint64_t left_index = LeftIndexFor(scheme, file.seed.active, slot);
    file.trees = RebuildTrees(scheme, file.seed, left_index, options);
    RETURN_IF_ERROR(file.trees.status(), InFile(path, _));
  }
  ASSIGN_OR_RETURN(SecretKey key, AssembleSecretKey(scheme, std::move(file.seed), *std::move(file.trees)),
                   InFile(path, _));
  absl::Status cache;
  if (!trees_status.ok() && IsSecretKeySeed(content)) cache = SaveTreeCache(key, path);
  return LoadedSecretKey{.key = std::move(key),
                         .trees_rebuilt = !trees_status.ok(),
                         .rebuild_reason = std::string(trees_status.message()),
                         .cache = std::move(cache)};
}

}  // namespace lean::xmss
