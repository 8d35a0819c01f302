#include "common/crypto/sha.h"

// OpenSSL 3 deprecates its low-level SHA-256 in favour of EVP. For a 64-byte message, of which Merkle trees are made,
// EVP's one-shot call takes four times as long (it looks the algorithm up and allocates), and a reused EVP context
// still a third longer, for a heap object per thread. The compression function is used where the CPU has no SHA
// extensions (sha_pairs.h).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#ifdef __x86_64__
#include <cpuid.h>

#include "common/crypto/sha_pairs.h"
#endif

namespace lean::crypto {
namespace {

// The second block of every 64-byte message: the end marker, zeros and the length in bits (512), big-endian.
constexpr std::array<uint8_t, SHA256_CBLOCK> MakePairPadding() {
  std::array<uint8_t, SHA256_CBLOCK> block{};
  block[0] = 0x80;
  block[SHA256_CBLOCK - 2] = 0x02;
  return block;
}
constexpr std::array<uint8_t, SHA256_CBLOCK> kPairPadding = MakePairPadding();

void StoreDigest(const SHA256_CTX& context, Root& out) {
  for (size_t i = 0; i < 8; ++i) {
    const uint32_t word = static_cast<uint32_t>(context.h[i]);
    out.data[4 * i] = static_cast<uint8_t>(word >> 24);
    out.data[4 * i + 1] = static_cast<uint8_t>(word >> 16);
    out.data[4 * i + 2] = static_cast<uint8_t>(word >> 8);
    out.data[4 * i + 3] = static_cast<uint8_t>(word);
  }
}

void HashBlock(const uint8_t* block, Root& out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Transform(&context, block);
  SHA256_Transform(&context, kPairPadding.data());
  StoreDigest(context, out);
}

#ifdef __x86_64__
bool HasShaExtensions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0 && __builtin_cpu_supports("sse4.1");
}
#endif

// Hashes `count` blocks that follow each other.
void HashBlocks(const uint8_t* blocks, size_t count, Root* out) {
#ifdef __x86_64__
  static const bool extensions = HasShaExtensions();
  if (extensions) return HashPairsWithExtensions(blocks, count, out->data.data());
#endif
  for (size_t i = 0; i < count; ++i) HashBlock(blocks + SHA256_CBLOCK * i, out[i]);
}

}  // namespace

Root Sha256(ByteSpan message) {
  SHA256_CTX context;
  Root digest;
  SHA256_Init(&context);
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(digest.data.data(), &context);
  return digest;
}

Root HashPair(const Root& left, const Root& right) {
  alignas(16) std::array<uint8_t, SHA256_CBLOCK> block;
  std::memcpy(block.data(), left.data.data(), Root::kSize);
  std::memcpy(block.data() + Root::kSize, right.data.data(), Root::kSize);
  Root parent;
  HashBlocks(block.data(), 1, &parent);
  return parent;
}

void HashPairs(absl::Span<const Root> children, absl::Span<Root> parents) {
  static_assert(sizeof(Root) == Root::kSize, "two neighbouring roots are one block");
  if (!parents.empty()) HashBlocks(children.front().data.data(), parents.size(), parents.data());
}

void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output) {
  if (output.empty()) return;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), input.data(), input.size()) != 1 ||
      EVP_DigestFinalXOF(context.get(), output.data(), output.size()) != 1) {
    std::abort();  // out of memory
  }
}

}  // namespace lean::crypto
