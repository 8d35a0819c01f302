// A secret key on disk: a small key file that holds the secret, and beside it a cache of the two prepared bottom trees,
// which is rebuilt where it is missing, damaged or of another part of the key's life (docs/crypto.md has the bytes).
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key.h"

namespace lean::xmss {

// Larger than any key file: the longest key has a top tree of 2^17 nodes of 32 bytes and two bottom trees of that size.
inline constexpr size_t kMaxKeyFileBytes = 16 << 20;

// PATH.trees: where the bottom trees of the key file PATH are kept.
std::string TreeCachePath(const std::string& key_path);

// Writes key file and tree cache, each mode 0600, synced and put in place by one rename, so that a crash leaves the old
// file or the new one. AlreadyExists: `path` is there already (a key is never overwritten). Others name the file.
absl::Status SaveSecretKey(const SecretKey& key, const std::string& path);

// Writes the tree cache alone, as after SecretKey::Advance.
absl::Status SaveTreeCache(const SecretKey& key, const std::string& key_path);

// What a key file says about its key without the trees that sign: quick, whatever the slot.
struct SecretKeyInfo {
  Scheme scheme;
  PublicKey public_key;
  SlotRange active;
  bool has_tree_cache = false;  // its trees are kept in TreeCachePath; leanSig's form has them inside
};

// Reads a key file of ours or a leanSig secret key in SSZ, of lifetime 2^32, 2^16 or 2^8. Errors of LoadSecretKey.
absl::StatusOr<SecretKeyInfo> InspectSecretKey(const std::string& path);

// The same for the content of such a file, which was at `path` or decrypted from it; `path` is for errors alone.
absl::StatusOr<SecretKeyInfo> InspectSecretKeyBytes(ByteSpan content, const std::string& path);

struct LoadedSecretKey {
  SecretKey key;
  bool trees_rebuilt = false;  // what was on disk was of no use
  std::string rebuild_reason;  // empty if not rebuilt
  absl::Status cache;          // not OK: the rebuilt trees could not be kept in a cache; the key is as good as with one
};

// Reads a key file of ours (with its cache, under a second) or a leanSig secret key in SSZ (its trees are inside).
// Where the trees must be rebuilt, `options` gives threads and progress, and the trees are those that hold `slot`, or
// the first ones if it lies before them.
// NotFound, PermissionDenied, or InvalidArgument that names the file and what is wrong in it.
absl::StatusOr<LoadedSecretKey> LoadSecretKey(const Scheme& scheme, const std::string& path, uint64_t slot,
                                              const KeyGenerationOptions& options = {});

// The same for the content of a key file, decrypted from the file at `path`; its trees are in TreeCachePath(path).
absl::StatusOr<LoadedSecretKey> LoadSecretKeyBytes(const Scheme& scheme, ByteSpan content, const std::string& path,
                                                   uint64_t slot, const KeyGenerationOptions& options = {});

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_FILE_H_
