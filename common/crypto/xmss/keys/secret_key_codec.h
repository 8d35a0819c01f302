// Byte forms of a secret key: leanSig's SSZ form (*.sk.ssz), and the two that our files hold (docs/crypto.md).
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_CODEC_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_CODEC_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/secrets/secret_memory.h"

namespace lean::xmss {

// leanSig's form: seed, parameter, ranges, top tree and both bottom trees.
WipedBytes EncodeLeanSigSecretKey(const SecretKey& key);

// InvalidArgument: not the one encoding of a key of this scheme, a word not canonical, or a tree whose nodes are not
// the hashes of their children. That the leaves belong to the seed is not checked.
absl::StatusOr<SecretKey> DecodeLeanSigSecretKey(const Scheme& scheme, ByteSpan bytes);

// What a key is without its bottom trees, which can be computed from it.
struct SecretKeySeed {
  std::optional<MasterSeed> master{};  // no key file has it
  PrfKey prf_key;
  Parameter parameter{};
  SlotRange active;
  Subtree top_tree;
};

// Our key file: "LEANXMSS", u32 log_lifetime, u32 zero, seed, parameter, u64 first and end of the active slots, top
// tree (leanSig's SSZ of it), SHA-256 of all before. Integers are little-endian.
WipedBytes EncodeSecretKeySeed(const SecretKey& key);

// Whether bytes claim to be the form above.
bool IsSecretKeySeed(ByteSpan bytes);

// The log_lifetime that the form above claims; nullopt if it is not that form, or cut short.
std::optional<uint32_t> SecretKeySeedLogLifetime(ByteSpan bytes);

// InvalidArgument: as for leanSig's form, another scheme's key, or a wrong checksum.
absl::StatusOr<SecretKeySeed> DecodeSecretKeySeed(const Scheme& scheme, ByteSpan bytes);

// Our tree cache: "LEANTREE", u32 log_lifetime, u32 zero, u64 left bottom index, leaves of both bottom trees, SHA-256
// of all before. Holds nothing secret. The levels above the leaves are hashed anew on reading, up to the roots in the
// key file.
std::vector<uint8_t> EncodeTreeCache(const SecretKey& key);

// Our cache of the top tree: "LEANTOPT", u32 log_lifetime, u32 zero, u64 first and end of the active slots, top tree
// (leanSig's SSZ of it), SHA-256 of all before. Holds nothing secret.
std::vector<uint8_t> EncodeTopTree(const Scheme& scheme, const SlotRange& active, const Subtree& top_tree);

struct CachedTopTree {
  SlotRange active;
  Subtree tree;
};

// InvalidArgument: damaged, of another scheme, or its root is not `expected`. A tree with that root is the key's own,
// whoever wrote the file.
absl::StatusOr<CachedTopTree> DecodeTopTree(const Scheme& scheme, const PublicKey& expected, ByteSpan bytes);

struct CachedTrees {
  uint64_t left_bottom_index = 0;
  Subtree left{};
  Subtree right{};
};

// InvalidArgument: damaged, or of another key.
absl::StatusOr<CachedTrees> DecodeTreeCache(const Scheme& scheme, const SecretKeySeed& seed, ByteSpan bytes);

// The key of a key file and its trees. Errors of SecretKey::Create.
absl::StatusOr<SecretKey> AssembleSecretKey(const Scheme& scheme, SecretKeySeed seed, CachedTrees trees);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_SECRET_KEY_CODEC_H_
