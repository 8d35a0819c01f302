// The secret that a key is computed from: 32 bytes for a key of ours, or what leanSig has drawn for a key of its own.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_SEED_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_SEED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "common/crypto/xmss/one_time/prf.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"
#include "common/secrets/secret_memory.h"

namespace lean::xmss {

// All that a key and its trees follow from, for known active slots.
struct KeySeed {
  std::optional<MasterSeed> master;  // if present, the other members follow from it
  PrfKey prf_key;
  Parameter parameter{};
  // The nodes of the top tree that have no children: hash_len() words each, level by level, the front one of a level
  // before the back one. PaddingNodes() of them.
  std::vector<uint32_t> padding;

  KeySeed Clone() const;
};

// The number of nodes without children in the top tree of a key for `active` slots. At most two for each level.
size_t PaddingNodes(const Scheme& scheme, const SlotRange& active);

// Draws the members as leanSig f10dcbe's key_gen does from rand_chacha's ChaCha12Rng::from_seed(master), which is rand
// 0.9's StdRng: parameter, PRF key, padding. The key for the same active slots is then leanSig's. `active` is checked
// (CheckActiveRange).
KeySeed ExpandSeed(const Scheme& scheme, const SlotRange& active, const MasterSeed& master);

// The seed of an existing key.
KeySeed SeedOf(const SecretKey& key);

// The same for the parts of a key of which no master seed is known.
KeySeed SeedOf(const Scheme& scheme, const SlotRange& active, const PrfKey& prf_key, const Parameter& parameter,
               const Subtree& top_tree);

// The members after `master` one after the other: PRF key, then parameter and padding as little-endian words.
WipedBytes EncodeExplicitSeed(const KeySeed& seed);

// The size of the form above in bytes.
size_t ExplicitSeedBytes(const Scheme& scheme, const SlotRange& active);

// InvalidArgument: another size, or a word that is not canonical. `active` is checked (CheckActiveRange).
absl::StatusOr<KeySeed> DecodeExplicitSeed(const Scheme& scheme, const SlotRange& active, ByteSpan bytes);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_SEED_H_
