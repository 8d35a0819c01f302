#include "common/crypto/xmss/keys/key_generation.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/keys/subtree.h"
#include "common/crypto/xmss/words.h"
#include "common/status/status_macros.h"

namespace lean::xmss {
namespace {

absl::StatusOr<MasterSeed> DrawSeed(RandomSource& random) {
  MasterSeed::Bytes bytes;
  const absl::Status status = random.Fill(absl::MakeSpan(bytes));
  MasterSeed seed(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  RETURN_IF_ERROR(status);
  return seed;
}

}  // namespace

absl::StatusOr<SlotRange> WidenActiveRange(const Scheme& scheme, SlotRange requested) {
  if (requested.first >= requested.end || requested.end > scheme.lifetime()) {
    return absl::InvalidArgumentError(absl::StrCat("active slots ", requested.first, "..", requested.end,
                                                   " (end excluded) are empty or pass the lifetime of ",
                                                   scheme.lifetime(), " slots"));
  }
  const uint64_t leaves = scheme.bottom_leaves();
  SlotRange widened{.first = requested.first / leaves * leaves, .end = (requested.end + leaves - 1) / leaves * leaves};
  if (widened.size() < 2 * leaves) widened.end = widened.first + 2 * leaves;
  if (widened.end > scheme.lifetime()) {
    const uint64_t excess = widened.end - scheme.lifetime();
    widened.first -= excess;
    widened.end -= excess;
  }
  return widened;
}

uint64_t LeftIndexFor(const Scheme& scheme, const SlotRange& active, uint64_t slot) {
  const uint64_t first_index = active.first / scheme.bottom_leaves();
  const uint64_t last_left_index = active.end / scheme.bottom_leaves() - 2;
  return std::clamp(slot / scheme.bottom_leaves(), first_index, last_left_index);
}

absl::StatusOr<SecretKey> GenerateKey(const Scheme& scheme, SlotRange requested, RandomSource& random,
                                      const KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(const SlotRange active, WidenActiveRange(scheme, requested));
  ASSIGN_OR_RETURN(const MasterSeed seed, DrawSeed(random));
  return BuildKey(scheme, active, ExpandSeed(scheme, active, seed), active.first, options);
}

absl::StatusOr<SecretKey> BuildKey(const Scheme& scheme, const SlotRange& active, KeySeed seed, uint64_t slot,
                                   const KeyGenerationOptions& options) {
  SecretKeyParts parts;
  parts.master = std::move(seed.master);
  parts.prf_key = std::move(seed.prf_key);
  parts.parameter = seed.parameter;
  parts.active = active;
  parts.left_bottom_index = LeftIndexFor(scheme, active, slot);
  const uint64_t first_index = active.first / scheme.bottom_leaves();
  const uint64_t end_index = active.end / scheme.bottom_leaves();
  std::vector<uint32_t> roots;
  for (uint64_t index = first_index; index < end_index; ++index) {
    BottomTreeBuilder builder(scheme, parts.prf_key.Clone(), parts.parameter, index);
    const uint64_t leaves_before = index * scheme.bottom_leaves() - active.first;
    const auto progress = [&](uint64_t leaves_done) {
      return !options.progress ||
             options.progress(static_cast<double>(leaves_before + leaves_done) / static_cast<double>(active.size()));
    };
    RETURN_IF_ERROR(builder.Finish(options.threads, progress));
    Subtree tree = std::move(builder).Take();
    const Node root = RootOf(scheme, tree);
    roots.insert(roots.end(), root.begin(), root.begin() + static_cast<ptrdiff_t>(scheme.hash_len()));
    if (index == parts.left_bottom_index)
      parts.left = std::move(tree);
    else if (index == parts.left_bottom_index + 1)
      parts.right = std::move(tree);
  }
  parts.top_tree = BuildTopTree(scheme, parts.parameter, first_index, std::move(roots), seed.padding);
  return SecretKey::Create(scheme, std::move(parts));
}

}  // namespace lean::xmss
