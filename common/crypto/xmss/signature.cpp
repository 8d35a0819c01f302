#include "common/crypto/xmss/signature.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace lean::xmss {
namespace {

constexpr size_t kOffsetBytes = 4;

absl::Status NotCanonical() {
  return absl::InvalidArgumentError("a word of the signature is not below the field's modulus");
}

// Reads consecutive pieces; remembers whether every word was canonical.
class WordReader {
 public:
  explicit WordReader(ByteSpan bytes) : rest_(bytes) {}

  void Read(absl::Span<uint32_t> words) {
    canonical_ &= ReadWords(rest_, words);
    rest_.remove_prefix(4 * words.size());
  }
  void ReadNodes(absl::Span<Node> nodes, size_t hash_len) {
    for (Node& node : nodes) {
      node = {};
      Read(absl::MakeSpan(node).first(hash_len));
    }
  }
  uint32_t ReadOffset() {
    uint32_t offset = 0;
    std::memcpy(&offset, rest_.data(), kOffsetBytes);
    rest_.remove_prefix(kOffsetBytes);
    return offset;
  }
  bool canonical() const { return canonical_; }
  ByteSpan rest() const { return rest_; }

 private:
  ByteSpan rest_;
  bool canonical_ = true;
};

class WordWriter {
 public:
  explicit WordWriter(absl::Span<uint8_t> bytes) : rest_(bytes) {}

  void Write(absl::Span<const uint32_t> words) {
    WriteWords(words, rest_);
    rest_.remove_prefix(4 * words.size());
  }
  void WriteNodes(absl::Span<const Node> nodes, size_t hash_len) {
    for (const Node& node : nodes) Write(absl::MakeConstSpan(node).first(hash_len));
  }
  absl::Span<uint8_t> rest() const { return rest_; }

 private:
  absl::Span<uint8_t> rest_;
};

// The three offsets of leanSig's form, each of which has one right value.
struct SszOffsets {
  explicit SszOffsets(const Scheme& scheme)
      : path(static_cast<uint32_t>(2 * kOffsetBytes + 4 * scheme.randomness_len())),
        chains(static_cast<uint32_t>(path + kOffsetBytes + scheme.log_lifetime() * scheme.hash_bytes())),
        end(chains + kDimension * scheme.hash_bytes()) {}

  uint32_t path;
  uint32_t chains;
  size_t end;
};

}  // namespace

void EncodeFlat(const Scheme& scheme, const Signature& signature, absl::Span<uint8_t> container) {
  WordWriter writer(container);
  writer.WriteNodes(absl::MakeConstSpan(signature.path).first(scheme.log_lifetime()), scheme.hash_len());
  writer.Write(absl::MakeConstSpan(signature.randomness).first(scheme.randomness_len()));
  writer.WriteNodes(signature.chains, scheme.hash_len());
  std::fill(writer.rest().begin(), writer.rest().end(), uint8_t{0});
}

absl::Status DecodeFlat(const Scheme& scheme, ByteSpan container, Signature& signature) {
  if (container.size() < scheme.flat_signature_bytes()) {
    return absl::InvalidArgumentError(absl::StrCat("a signature has at least ", scheme.flat_signature_bytes(),
                                                   " bytes in its flat form, not ", container.size()));
  }
  signature = {};
  WordReader reader(container);
  reader.ReadNodes(absl::MakeSpan(signature.path).first(scheme.log_lifetime()), scheme.hash_len());
  reader.Read(absl::MakeSpan(signature.randomness).first(scheme.randomness_len()));
  reader.ReadNodes(absl::MakeSpan(signature.chains), scheme.hash_len());
  if (!reader.canonical()) return NotCanonical();
  const ByteSpan padding = reader.rest();
  if (std::any_of(padding.begin(), padding.end(), [](uint8_t byte) { return byte != 0; })) {
    return absl::InvalidArgumentError("the bytes behind the signature are not zero");
  }
  return absl::OkStatus();
}

std::vector<uint8_t> EncodeSsz(const Scheme& scheme, const Signature& signature) {
  const SszOffsets offsets(scheme);
  std::vector<uint8_t> bytes(offsets.end);
  WordWriter writer(absl::MakeSpan(bytes));
  writer.Write({offsets.path});
  writer.Write(absl::MakeConstSpan(signature.randomness).first(scheme.randomness_len()));
  writer.Write({offsets.chains});
  writer.Write({static_cast<uint32_t>(kOffsetBytes)});  // of the nodes in the path's own container
  writer.WriteNodes(absl::MakeConstSpan(signature.path).first(scheme.log_lifetime()), scheme.hash_len());
  writer.WriteNodes(signature.chains, scheme.hash_len());
  return bytes;
}

absl::Status DecodeSsz(const Scheme& scheme, ByteSpan bytes, Signature& signature) {
  const SszOffsets offsets(scheme);
  if (bytes.size() != offsets.end) {
    return absl::InvalidArgumentError(
        absl::StrCat("a signature has ", offsets.end, " bytes in leanSig's form, not ", bytes.size()));
  }
  signature = {};
  WordReader reader(bytes);
  const uint32_t path_offset = reader.ReadOffset();
  reader.Read(absl::MakeSpan(signature.randomness).first(scheme.randomness_len()));
  const uint32_t chains_offset = reader.ReadOffset();
  const uint32_t nodes_offset = reader.ReadOffset();
  if (path_offset != offsets.path || chains_offset != offsets.chains || nodes_offset != kOffsetBytes) {
    return absl::InvalidArgumentError("an offset of the signature is not the one its scheme gives it");
  }
  reader.ReadNodes(absl::MakeSpan(signature.path).first(scheme.log_lifetime()), scheme.hash_len());
  reader.ReadNodes(absl::MakeSpan(signature.chains), scheme.hash_len());
  return reader.canonical() ? absl::OkStatus() : NotCanonical();
}

}  // namespace lean::xmss
