#include "beacon/network/gossip_codec.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/ssz/ssz.h"
#include "snappy.h"

namespace lean::beacon {
namespace {

ByteSpan Bytes(absl::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

template <typename T>
std::string Serialize(const T& value) {
  const std::vector<uint8_t> bytes = ssz::Serialize(value);
  return std::string(bytes.begin(), bytes.end());
}

template <typename T>
absl::StatusOr<std::shared_ptr<const T>> Parse(absl::string_view bytes) {
  absl::StatusOr<T> value = ssz::Deserialize<T>(Bytes(bytes));
  if (!value.ok()) return value.status();
  return std::make_shared<const T>(*std::move(value));
}

}  // namespace

absl::StatusOr<size_t> UncompressedSize(absl::string_view payload, size_t limit) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(payload.data(), payload.size(), &size)) {
    return absl::InvalidArgumentError("payload: not snappy");
  }
  if (size > limit) {
    return absl::InvalidArgumentError(absl::StrCat("payload: ", size, " bytes uncompressed, at most ", limit));
  }
  return size;
}

absl::StatusOr<std::string> Uncompress(absl::string_view payload, size_t limit) {
  const absl::StatusOr<size_t> size = UncompressedSize(payload, limit);
  if (!size.ok()) return size.status();
  std::string bytes;
  if (!snappy::Uncompress(payload.data(), payload.size(), &bytes)) {
    return absl::InvalidArgumentError("payload: damaged snappy");
  }
  return bytes;
}

std::string Compress(absl::string_view bytes) {
  std::string payload;
  snappy::Compress(bytes.data(), bytes.size(), &payload);
  return payload;
}

Root ItemKey(absl::string_view ssz) { return crypto::Sha256(Bytes(ssz)); }

std::string SerializeBlock(const SignedBlockWithAttestation& block) { return Serialize(block); }

std::string SerializeVote(const SignedAttestation& vote) { return Serialize(vote); }

absl::StatusOr<SignedBlockPtr> ParseBlock(absl::string_view ssz) { return Parse<SignedBlockWithAttestation>(ssz); }

absl::StatusOr<SignedVotePtr> ParseVote(absl::string_view ssz) { return Parse<SignedAttestation>(ssz); }

std::string EncodeBlock(const SignedBlockWithAttestation& block) { return Compress(SerializeBlock(block)); }

absl::StatusOr<SignedBlockPtr> DecodeBlock(absl::string_view payload) {
  const absl::StatusOr<std::string> ssz = Uncompress(payload, kMaxPayloadBytes);
  if (!ssz.ok()) return ssz.status();
  return ParseBlock(*ssz);
}

absl::StatusOr<std::vector<absl::string_view>> SplitVotes(absl::string_view batch) {
  if (batch.empty() || batch.size() % kVoteBytes != 0 || batch.size() > kMaxVotesInMessage * kVoteBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("votes: ", batch.size(), " bytes, expected 1 to ", kMaxVotesInMessage, " times ", kVoteBytes));
  }
  std::vector<absl::string_view> votes;
  votes.reserve(batch.size() / kVoteBytes);
  for (size_t at = 0; at < batch.size(); at += kVoteBytes) votes.push_back(batch.substr(at, kVoteBytes));
  return votes;
}

}  // namespace lean::beacon
