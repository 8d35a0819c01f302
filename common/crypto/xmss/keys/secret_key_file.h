// A secret key on disk: a small key file with the secret, and a cache of the two prepared bottom trees beside it, which
// is rebuilt if it is missing, damaged or for other slots (format: docs/crypto.md).
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/key_seed.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/process/whole_file.h"

namespace lean::xmss {

// Larger than any key file: the longest key has a top tree of 2^17 nodes of 32 bytes and two bottom trees of that size.
inline constexpr size_t kMaxKeyFileBytes = 16 << 20;

// PATH.trees, the path of the tree cache of the key file PATH.
std::string TreeCachePath(const std::string& key_path);

// Writes key file and tree cache as a WholeFile with mode 0600 each. AlreadyExists: `path` exists (a key is never
// overwritten). Errors name the file.
absl::Status SaveSecretKey(const SecretKey& key, const std::string& path, IfExists if_exists = IfExists::kFail);

// PATH.top, the path of the cache of the top tree of the keystore PATH, whose secret is a seed. It is written once.
std::string TopTreePath(const std::string& key_path);

absl::Status SaveTopTree(const Scheme& scheme, const SlotRange& active, const Subtree& top_tree,
                         const std::string& key_path);

// Removes both caches of a key file, if they exist. They contain nothing secret.
void RemoveCaches(const std::string& key_path);

// Writes the tree cache only, such as after SecretKey::Advance.
absl::Status SaveTreeCache(const SecretKey& key, const std::string& key_path);

// The content of a key file without the bottom trees. Fast for any slot.
struct SecretKeyInfo {
  Scheme scheme;
  PublicKey public_key;
  SlotRange active;
  bool has_tree_cache = false;  // its trees are in TreeCachePath; leanSig's form contains them
};

// Reads a key file of ours or a leanSig secret key in SSZ, of lifetime 2^32, 2^16 or 2^8. Errors of LoadSecretKey.
absl::StatusOr<SecretKeyInfo> InspectSecretKey(const std::string& path);

// The same for the content of such a file, which was read or decrypted from `path`. `path` is used for errors only.
absl::StatusOr<SecretKeyInfo> InspectSecretKeyBytes(ByteSpan content, const std::string& path);

struct LoadedSecretKey {
  SecretKey key;
  bool trees_rebuilt = false;  // the trees on disk could not be used
  std::string rebuild_reason;  // empty if not rebuilt
  absl::Status cache;          // error of writing the rebuilt trees to the cache; the key works nevertheless
};

// Reads a key file of ours (with its cache within a second) or a leanSig secret key in SSZ, which contains its trees.
// If the trees must be rebuilt, `options` has threads and progress, and the trees are those that contain `slot`, or the
// first ones if it is before them. NotFound, PermissionDenied, or InvalidArgument, which contains the file and the
// reason.
absl::StatusOr<LoadedSecretKey> LoadSecretKey(const Scheme& scheme, const std::string& path, uint64_t slot,
                                              const KeyGenerationOptions& options = {});

// The same for the content of a key file, decrypted from the file at `path`; its trees are in TreeCachePath(path).
absl::StatusOr<LoadedSecretKey> LoadSecretKeyBytes(const Scheme& scheme, ByteSpan content, const std::string& path,
                                                   uint64_t slot, const KeyGenerationOptions& options = {});

// A key that is computed from a seed, with the trees of the caches beside the keystore at `path`: those that contain
// `slot`, or any if it is nullopt. Computes what the caches lack and writes it to them: without a top tree that is the
// whole key, which takes as long as making it. InvalidArgument: what the seed gives is not the key `expected` with
// these active slots.
absl::StatusOr<LoadedSecretKey> LoadSeededKey(const SecretKeyInfo& expected, KeySeed seed, const std::string& path,
                                              std::optional<uint64_t> slot, const KeyGenerationOptions& options);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_
