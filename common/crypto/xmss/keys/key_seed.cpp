#include "common/crypto/xmss/keys/key_seed.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/crypto/field/koala_bear.h"

namespace lean::xmss {
namespace {

// The words of rand_chacha's ChaCha12Rng: ChaCha of 12 rounds with a 64-bit counter from 0 and stream 0. Wiped at
// destruction.
class ChaCha12 {
 public:
  explicit ChaCha12(const MasterSeed& seed) {
    static constexpr std::array<uint32_t, 4> kConstants = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    std::copy(kConstants.begin(), kConstants.end(), state_.begin());
    std::memcpy(&state_[4], seed.bytes().data(), kPrfKeyBytes);
  }
  ChaCha12(const ChaCha12&) = delete;
  ChaCha12& operator=(const ChaCha12&) = delete;
  ~ChaCha12() {
    OPENSSL_cleanse(state_.data(), sizeof(state_));
    OPENSSL_cleanse(block_.data(), sizeof(block_));
  }

  uint32_t Next() {
    if (used_ == block_.size()) NextBlock();
    return block_[used_++];
  }

 private:
  void NextBlock() {
    block_ = state_;
    for (int round = 0; round < kRounds; round += 2) {
      for (size_t i = 0; i < 4; ++i) Quarter(i, i + 4, i + 8, i + 12);
      for (size_t i = 0; i < 4; ++i) Quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (size_t i = 0; i < block_.size(); ++i) block_[i] += state_[i];
    if (++state_[12] == 0) ++state_[13];
    used_ = 0;
  }

  void Quarter(size_t a, size_t b, size_t c, size_t d) {
    Mix(a, b, d, 16);
    Mix(c, d, b, 12);
    Mix(a, b, d, 8);
    Mix(c, d, b, 7);
  }
  void Mix(size_t sum, size_t addend, size_t turned, int bits) {
    block_[sum] += block_[addend];
    block_[turned] = std::rotl(block_[turned] ^ block_[sum], bits);
  }

  static constexpr int kRounds = 12;
  std::array<uint32_t, 16> state_{};
  std::array<uint32_t, 16> block_{};
  size_t used_ = block_.size();
};

static_assert(std::endian::native == std::endian::little, "the seed's words are copied as they stand in memory");

// leanSig's random field element: 31 bits, drawn again if they are not below the modulus, in Montgomery form.
uint32_t DrawElement(ChaCha12& stream) {
  while (true) {
    const uint32_t word = stream.Next() >> 1;
    if (word < crypto::Fp::kModulus) return crypto::Fp::FromRaw(word).canonical();
  }
}

// Calls visit(level, is_front) for each node without children, in the order of KeySeed::padding.
template <typename Visit>
void ForEachPadding(const Scheme& scheme, const SlotRange& active, Visit visit) {
  uint64_t first = active.first / scheme.bottom_leaves();
  uint64_t last = active.end / scheme.bottom_leaves() - 1;
  for (uint32_t level = scheme.bottom_height(); level <= scheme.log_lifetime(); ++level) {
    if (first % 2 == 1) visit(level, true);
    if (last % 2 == 0) visit(level, false);
    first /= 2;
    last /= 2;
  }
}

}  // namespace

KeySeed KeySeed::Clone() const {
  KeySeed copy{.master = std::nullopt, .prf_key = prf_key.Clone(), .parameter = parameter, .padding = padding};
  if (master.has_value()) copy.master = master->Clone();
  return copy;
}

size_t PaddingNodes(const Scheme& scheme, const SlotRange& active) {
  size_t count = 0;
  ForEachPadding(scheme, active, [&count](uint32_t, bool) { ++count; });
  return count;
}

KeySeed ExpandSeed(const Scheme& scheme, const SlotRange& active, const MasterSeed& master) {
  ChaCha12 stream(master);
  KeySeed seed;
  seed.master = master.Clone();
  for (uint32_t& word : seed.parameter) word = DrawElement(stream);
  PrfKey::Bytes bytes;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(stream.Next());
  seed.prf_key = PrfKey(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  seed.padding.resize(PaddingNodes(scheme, active) * scheme.hash_len());
  for (uint32_t& word : seed.padding) word = DrawElement(stream);
  return seed;
}

KeySeed SeedOf(const Scheme& scheme, const SlotRange& active, const PrfKey& prf_key, const Parameter& parameter,
               const Subtree& top_tree) {
  KeySeed seed{.master = std::nullopt, .prf_key = prf_key.Clone(), .parameter = parameter, .padding = {}};
  ForEachPadding(scheme, active, [&](uint32_t level, bool is_front) {
    const std::vector<uint32_t>& words = top_tree.layers[level - scheme.bottom_height()].words;
    const auto len = static_cast<ptrdiff_t>(scheme.hash_len());
    const auto begin = is_front ? words.begin() : words.end() - len;
    seed.padding.insert(seed.padding.end(), begin, begin + len);
  });
  return seed;
}

KeySeed SeedOf(const SecretKey& key) {
  const SecretKeyParts& parts = key.parts();
  KeySeed seed = SeedOf(key.scheme(), parts.active, parts.prf_key, parts.parameter, parts.top_tree);
  if (parts.master.has_value()) seed.master = parts.master->Clone();
  return seed;
}

WipedBytes EncodeExplicitSeed(const KeySeed& seed) {
  WipedBytes bytes(kPrfKeyBytes + 4 * (kParameterLen + seed.padding.size()));
  absl::Span<uint8_t> rest = bytes.mutable_span();
  std::copy(seed.prf_key.bytes().begin(), seed.prf_key.bytes().end(), rest.begin());
  rest.remove_prefix(kPrfKeyBytes);
  WriteWords(seed.parameter, rest.first(4 * kParameterLen));
  WriteWords(seed.padding, rest.subspan(4 * kParameterLen));
  return bytes;
}

size_t ExplicitSeedBytes(const Scheme& scheme, const SlotRange& active) {
  return kPrfKeyBytes + 4 * (kParameterLen + PaddingNodes(scheme, active) * scheme.hash_len());
}

absl::StatusOr<KeySeed> DecodeExplicitSeed(const Scheme& scheme, const SlotRange& active, ByteSpan bytes) {
  if (bytes.size() != ExplicitSeedBytes(scheme, active)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its seed has ", bytes.size(), " bytes, its slots and scheme ask for ", ExplicitSeedBytes(scheme, active)));
  }
  KeySeed seed;
  seed.prf_key = PrfKeyOf(bytes.first(kPrfKeyBytes));
  bytes.remove_prefix(kPrfKeyBytes);
  seed.padding.resize(PaddingNodes(scheme, active) * scheme.hash_len());
  if (!ReadWords(bytes.first(4 * kParameterLen), absl::MakeSpan(seed.parameter)) ||
      !ReadWords(bytes.subspan(4 * kParameterLen), absl::MakeSpan(seed.padding))) {
    return absl::InvalidArgumentError("its seed has a word that is not below the modulus");
  }
  return seed;
}

}  // namespace lean::xmss
