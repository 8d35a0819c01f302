#include "common/crypto/xmss/keys/secret_key_codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/crypto/sha.h"
#include "common/status/status_macros.h"

namespace lean::xmss {
namespace {

constexpr absl::string_view kSeedMagic = "LEANXMSS";
constexpr absl::string_view kCacheMagic = "LEANTREE";
constexpr absl::string_view kTopMagic = "LEANTOPT";
constexpr size_t kMagicBytes = 8;
constexpr size_t kHashBytes = 32;
constexpr size_t kParameterBytes = 4 * kParameterLen;
constexpr size_t kLeanSigFixedBytes = kPrfKeyBytes + kParameterBytes + 8 + 8 + 4 + 8 + 4 + 4;
constexpr size_t kSeedFixedBytes = kMagicBytes + 4 + 4 + kPrfKeyBytes + kParameterBytes + 8 + 8;
constexpr size_t kCacheFixedBytes = kMagicBytes + 4 + 4 + 8;
constexpr size_t kTopFixedBytes = kMagicBytes + 4 + 4 + 8 + 8;
constexpr uint32_t kSubtreeFixedBytes = 8 + 8 + 4;
constexpr uint32_t kLayerFixedBytes = 8 + 4;

// Reads little-endian pieces one after the other. What is read beyond the end is zero and makes ok() false, as does
// whatever Expect does not find.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : rest_(bytes) {}

  template <typename Integer>
  Integer Read() {
    Integer value = 0;
    const ByteSpan bytes = Take(sizeof(Integer));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  template <typename Integer>
  void Expect(Integer expected) {
    ok_ &= Read<Integer>() == expected;
  }
  void Words(absl::Span<uint32_t> words) {
    const ByteSpan bytes = Take(4 * words.size());
    ok_ &= bytes.size() == 4 * words.size() && ReadWords(bytes, words);
  }
  ByteSpan Take(size_t count) {
    if (rest_.size() < count) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const ByteSpan taken = rest_.first(count);
    rest_.remove_prefix(count);
    return taken;
  }
  size_t remaining() const { return rest_.size(); }
  bool ok() const { return ok_; }

 private:
  ByteSpan rest_;
  bool ok_ = true;
};

// Writes into a span that is large enough.
class Writer {
 public:
  explicit Writer(absl::Span<uint8_t> bytes) : rest_(bytes) {}

  template <typename Integer>
  void Write(Integer value) {
    std::memcpy(rest_.data(), &value, sizeof(value));
    rest_.remove_prefix(sizeof(value));
  }
  void Bytes(ByteSpan bytes) {
    std::copy(bytes.begin(), bytes.end(), rest_.begin());
    rest_.remove_prefix(bytes.size());
  }
  void Words(absl::Span<const uint32_t> words) {
    WriteWords(words, rest_.first(4 * words.size()));
    rest_.remove_prefix(4 * words.size());
  }

 private:
  absl::Span<uint8_t> rest_;
};

// A subtree in leanSig's SSZ: depth of the whole tree, lowest level, then the list of layers, each of them with its
// first index and its nodes.
size_t SubtreeBytes(const Scheme& scheme, absl::Span<const LayerShape> shape) {
  size_t bytes = kSubtreeFixedBytes;
  for (const LayerShape& layer : shape) bytes += 4 + kLayerFixedBytes + layer.nodes * scheme.hash_bytes();
  return bytes;
}

std::vector<LayerShape> ShapeOf(const Scheme& scheme, const Subtree& tree) {
  std::vector<LayerShape> shape;
  for (const Layer& layer : tree.layers) {
    shape.push_back({.first_index = layer.first_index, .nodes = layer.words.size() / scheme.hash_len()});
  }
  return shape;
}

void WriteSubtree(const Scheme& scheme, const Subtree& tree, Writer& writer) {
  writer.Write<uint64_t>(scheme.log_lifetime());
  writer.Write<uint64_t>(tree.lowest_level);
  writer.Write(kSubtreeFixedBytes);
  auto offset = static_cast<uint32_t>(4 * tree.layers.size());
  for (const Layer& layer : tree.layers) {
    writer.Write(offset);
    offset += kLayerFixedBytes + static_cast<uint32_t>(4 * layer.words.size());
  }
  for (const Layer& layer : tree.layers) {
    writer.Write(layer.first_index);
    writer.Write(kLayerFixedBytes);
    writer.Words(layer.words);
  }
}

// The caller has checked that the bytes are there, so that nothing is allocated for what is not.
Subtree ReadSubtree(const Scheme& scheme, uint32_t lowest_level, absl::Span<const LayerShape> shape, Reader& reader) {
  reader.Expect<uint64_t>(scheme.log_lifetime());
  reader.Expect<uint64_t>(lowest_level);
  reader.Expect(kSubtreeFixedBytes);
  auto offset = static_cast<uint32_t>(4 * shape.size());
  for (const LayerShape& layer : shape) {
    reader.Expect(offset);
    offset += kLayerFixedBytes + static_cast<uint32_t>(layer.nodes * scheme.hash_bytes());
  }
  Subtree tree{.lowest_level = lowest_level};
  for (const LayerShape& layer : shape) {
    reader.Expect(layer.first_index);
    reader.Expect(kLayerFixedBytes);
    tree.layers.push_back({.first_index = layer.first_index});
    tree.layers.back().words.resize(layer.nodes * scheme.hash_len());
    reader.Words(absl::MakeSpan(tree.layers.back().words));
  }
  return tree;
}

std::vector<LayerShape> TopTreeShapeOf(const Scheme& scheme, const SlotRange& active) {
  return TopTreeShape(scheme, active.first / scheme.bottom_leaves(), active.size() / scheme.bottom_leaves());
}

absl::Status WrongSize(size_t expected, size_t actual) {
  return absl::InvalidArgumentError(
      absl::StrCat("its slots and scheme ask for ", expected, " bytes, but there are ", actual));
}

absl::Status Malformed() {
  return absl::InvalidArgumentError("an offset, a number or a word in it is not what its scheme and slots ask for");
}

absl::Status Inconsistent(absl::string_view tree) {
  return absl::InvalidArgumentError(absl::StrCat("the ", tree, " holds a node that is not the hash of its children"));
}

void SealWithHash(absl::Span<uint8_t> bytes) {
  const size_t size = bytes.size() - kHashBytes;
  const Root hash = crypto::Sha256(bytes.first(size));
  std::copy(hash.data.begin(), hash.data.end(), bytes.begin() + static_cast<ptrdiff_t>(size));
}

bool IsSealed(ByteSpan bytes) {
  if (bytes.size() < kHashBytes) return false;
  const size_t size = bytes.size() - kHashBytes;
  return ByteSpan(crypto::Sha256(bytes.first(size)).data) == bytes.subspan(size);
}

}  // namespace

WipedBytes EncodeLeanSigSecretKey(const SecretKey& key) {
  const Scheme& scheme = key.scheme();
  const SecretKeyParts& parts = key.parts();
  const size_t left = kLeanSigFixedBytes + SubtreeBytes(scheme, ShapeOf(scheme, parts.top_tree));
  const size_t right = left + SubtreeBytes(scheme, ShapeOf(scheme, parts.left));
  WipedBytes bytes(right + SubtreeBytes(scheme, ShapeOf(scheme, parts.right)));
  Writer writer(bytes.mutable_span());
  writer.Bytes(parts.prf_key.bytes());
  writer.Words(parts.parameter);
  writer.Write(parts.active.first);
  writer.Write(parts.active.size());
  writer.Write(static_cast<uint32_t>(kLeanSigFixedBytes));
  writer.Write(parts.left_bottom_index);
  writer.Write(static_cast<uint32_t>(left));
  writer.Write(static_cast<uint32_t>(right));
  for (const Subtree* tree : {&parts.top_tree, &parts.left, &parts.right}) WriteSubtree(scheme, *tree, writer);
  return bytes;
}

absl::StatusOr<SecretKey> DecodeLeanSigSecretKey(const Scheme& scheme, ByteSpan bytes) {
  Reader reader(bytes);
  SecretKeyParts parts;
  parts.prf_key = PrfKeyOf(reader.Take(kPrfKeyBytes));
  reader.Words(absl::MakeSpan(parts.parameter));
  parts.active.first = reader.Read<uint64_t>();
  const auto active_slots = reader.Read<uint64_t>();
  reader.Expect(static_cast<uint32_t>(kLeanSigFixedBytes));
  parts.left_bottom_index = reader.Read<uint64_t>();
  const auto left_offset = reader.Read<uint32_t>();
  const auto right_offset = reader.Read<uint32_t>();
  if (!reader.ok()) return Malformed();
  if (active_slots > scheme.lifetime() || parts.left_bottom_index > scheme.bottom_leaves()) return Malformed();
  parts.active.end = parts.active.first + active_slots;
  RETURN_IF_ERROR(CheckActiveRange(scheme, parts.active));

  const std::vector<LayerShape> top = TopTreeShapeOf(scheme, parts.active);
  const std::vector<LayerShape> left = BottomTreeShape(scheme, parts.left_bottom_index);
  const std::vector<LayerShape> right = BottomTreeShape(scheme, parts.left_bottom_index + 1);
  const size_t left_begin = kLeanSigFixedBytes + SubtreeBytes(scheme, top);
  const size_t right_begin = left_begin + SubtreeBytes(scheme, left);
  const size_t end = right_begin + SubtreeBytes(scheme, right);
  if (bytes.size() != end) return WrongSize(end, bytes.size());
  if (left_offset != left_begin || right_offset != right_begin) return Malformed();
  parts.top_tree = ReadSubtree(scheme, scheme.bottom_height(), top, reader);
  parts.left = ReadSubtree(scheme, 0, left, reader);
  parts.right = ReadSubtree(scheme, 0, right, reader);
  if (!reader.ok()) return Malformed();
  if (!IsConsistent(scheme, parts.parameter, parts.top_tree)) return Inconsistent("top tree");
  if (!IsConsistent(scheme, parts.parameter, parts.left)) return Inconsistent("left bottom tree");
  if (!IsConsistent(scheme, parts.parameter, parts.right)) return Inconsistent("right bottom tree");
  return SecretKey::Create(scheme, std::move(parts));
}

WipedBytes EncodeSecretKeySeed(const SecretKey& key) {
  const Scheme& scheme = key.scheme();
  const SecretKeyParts& parts = key.parts();
  WipedBytes bytes(kSeedFixedBytes + SubtreeBytes(scheme, ShapeOf(scheme, parts.top_tree)) + kHashBytes);
  Writer writer(bytes.mutable_span());
  writer.Bytes(BytesOfText(kSeedMagic));
  writer.Write(scheme.log_lifetime());
  writer.Write(uint32_t{0});
  writer.Bytes(parts.prf_key.bytes());
  writer.Words(parts.parameter);
  writer.Write(parts.active.first);
  writer.Write(parts.active.end);
  WriteSubtree(scheme, parts.top_tree, writer);
  SealWithHash(bytes.mutable_span());
  return bytes;
}

bool IsSecretKeySeed(ByteSpan bytes) {
  return bytes.size() >= kMagicBytes && bytes.first(kMagicBytes) == BytesOfText(kSeedMagic);
}

std::optional<uint32_t> SecretKeySeedLogLifetime(ByteSpan bytes) {
  if (!IsSecretKeySeed(bytes)) return std::nullopt;
  Reader reader(bytes);
  reader.Take(kMagicBytes);
  const auto log_lifetime = reader.Read<uint32_t>();
  if (!reader.ok()) return std::nullopt;
  return log_lifetime;
}

absl::StatusOr<SecretKeySeed> DecodeSecretKeySeed(const Scheme& scheme, ByteSpan bytes) {
  if (!IsSecretKeySeed(bytes)) return absl::InvalidArgumentError("it does not begin with LEANXMSS");
  if (!IsSealed(bytes)) return absl::InvalidArgumentError("its checksum is wrong: it is damaged or cut short");
  Reader reader(bytes);
  reader.Take(kMagicBytes);
  if (const auto log_lifetime = reader.Read<uint32_t>(); log_lifetime != scheme.log_lifetime()) {
    return absl::InvalidArgumentError(absl::StrCat("it is a key of lifetime 2^", log_lifetime, ", and lifetime 2^",
                                                   scheme.log_lifetime(), " is wanted"));
  }
  reader.Expect(uint32_t{0});
  SecretKeySeed seed;
  seed.prf_key = PrfKeyOf(reader.Take(kPrfKeyBytes));
  reader.Words(absl::MakeSpan(seed.parameter));
  seed.active.first = reader.Read<uint64_t>();
  seed.active.end = reader.Read<uint64_t>();
  if (!reader.ok()) return Malformed();
  RETURN_IF_ERROR(CheckActiveRange(scheme, seed.active));
  const std::vector<LayerShape> shape = TopTreeShapeOf(scheme, seed.active);
  const size_t end = kSeedFixedBytes + SubtreeBytes(scheme, shape) + kHashBytes;
  if (bytes.size() != end) return WrongSize(end, bytes.size());
  seed.top_tree = ReadSubtree(scheme, scheme.bottom_height(), shape, reader);
  if (!reader.ok()) return Malformed();
  if (!IsConsistent(scheme, seed.parameter, seed.top_tree)) return Inconsistent("top tree");
  return seed;
}

std::vector<uint8_t> EncodeTopTree(const Scheme& scheme, const SlotRange& active, const Subtree& top_tree) {
  std::vector<uint8_t> bytes(kTopFixedBytes + SubtreeBytes(scheme, ShapeOf(scheme, top_tree)) + kHashBytes);
  Writer writer(absl::MakeSpan(bytes));
  writer.Bytes(BytesOfText(kTopMagic));
  writer.Write(scheme.log_lifetime());
  writer.Write(uint32_t{0});
  writer.Write(active.first);
  writer.Write(active.end);
  WriteSubtree(scheme, top_tree, writer);
  SealWithHash(absl::MakeSpan(bytes));
  return bytes;
}

absl::StatusOr<CachedTopTree> DecodeTopTree(const Scheme& scheme, const PublicKey& expected, ByteSpan bytes) {
  if (!IsSealed(bytes)) return absl::InvalidArgumentError("its checksum is wrong: it is damaged");
  Reader reader(bytes);
  if (reader.Take(kMagicBytes) != BytesOfText(kTopMagic)) {
    return absl::InvalidArgumentError("it does not begin with LEANTOPT");
  }
  reader.Expect(scheme.log_lifetime());
  reader.Expect(uint32_t{0});
  CachedTopTree cached;
  cached.active.first = reader.Read<uint64_t>();
  cached.active.end = reader.Read<uint64_t>();
  if (!reader.ok()) return Malformed();
  RETURN_IF_ERROR(CheckActiveRange(scheme, cached.active));
  const std::vector<LayerShape> shape = TopTreeShapeOf(scheme, cached.active);
  const size_t end = kTopFixedBytes + SubtreeBytes(scheme, shape) + kHashBytes;
  if (bytes.size() != end) return WrongSize(end, bytes.size());
  cached.tree = ReadSubtree(scheme, scheme.bottom_height(), shape, reader);
  if (!reader.ok()) return Malformed();
  if (!IsConsistent(scheme, expected.parameter, cached.tree)) return Inconsistent("top tree");
  if (RootOf(scheme, cached.tree) != expected.root) {
    return absl::InvalidArgumentError("its root is not that of the public key");
  }
  return cached;
}

std::vector<uint8_t> EncodeTreeCache(const SecretKey& key) {
  const Scheme& scheme = key.scheme();
  const size_t tree_bytes = scheme.bottom_leaves() * scheme.hash_bytes();
  std::vector<uint8_t> bytes(kCacheFixedBytes + 2 * tree_bytes + kHashBytes);
  Writer writer(absl::MakeSpan(bytes));
  writer.Bytes(BytesOfText(kCacheMagic));
  writer.Write(scheme.log_lifetime());
  writer.Write(uint32_t{0});
  writer.Write(key.parts().left_bottom_index);
  writer.Words(key.parts().left.layers.front().words);
  writer.Words(key.parts().right.layers.front().words);
  SealWithHash(absl::MakeSpan(bytes));
  return bytes;
}

absl::StatusOr<CachedTrees> DecodeTreeCache(const Scheme& scheme, const SecretKeySeed& seed, ByteSpan bytes) {
  const size_t tree_words = scheme.bottom_leaves() * scheme.hash_len();
  const size_t end = kCacheFixedBytes + 2 * 4 * tree_words + kHashBytes;
  if (bytes.size() != end) return WrongSize(end, bytes.size());
  if (!IsSealed(bytes)) return absl::InvalidArgumentError("its checksum is wrong: it is damaged");
  Reader reader(bytes);
  if (reader.Take(kMagicBytes) != BytesOfText(kCacheMagic)) {
    return absl::InvalidArgumentError("it does not begin with LEANTREE");
  }
  reader.Expect(scheme.log_lifetime());
  reader.Expect(uint32_t{0});
  CachedTrees trees{.left_bottom_index = reader.Read<uint64_t>()};
  const uint64_t first_index = seed.active.first / scheme.bottom_leaves();
  const uint64_t end_index = seed.active.end / scheme.bottom_leaves();
  if (!reader.ok() || trees.left_bottom_index < first_index || trees.left_bottom_index + 2 > end_index) {
    return Malformed();
  }
  std::vector<uint32_t> left(tree_words);
  std::vector<uint32_t> right(tree_words);
  reader.Words(absl::MakeSpan(left));
  reader.Words(absl::MakeSpan(right));
  if (!reader.ok()) return Malformed();
  trees.left = BuildBottomTree(scheme, seed.parameter, trees.left_bottom_index, std::move(left));
  trees.right = BuildBottomTree(scheme, seed.parameter, trees.left_bottom_index + 1, std::move(right));
  const Layer& roots = seed.top_tree.layers.front();
  if (RootOf(scheme, trees.left) != NodeAt(scheme, roots, trees.left_bottom_index) ||
      RootOf(scheme, trees.right) != NodeAt(scheme, roots, trees.left_bottom_index + 1)) {
    return absl::InvalidArgumentError("its trees are not those of the key");
  }
  return trees;
}

absl::StatusOr<SecretKey> AssembleSecretKey(const Scheme& scheme, SecretKeySeed seed, CachedTrees trees) {
  return SecretKey::Create(scheme, {.master = std::move(seed.master),
                                    .prf_key = std::move(seed.prf_key),
                                    .parameter = seed.parameter,
                                    .active = seed.active,
                                    .top_tree = std::move(seed.top_tree),
                                    .left_bottom_index = trees.left_bottom_index,
                                    .left = std::move(trees.left),
                                    .right = std::move(trees.right)});
}

}  // namespace lean::xmss
