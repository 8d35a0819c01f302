// What peers send, from arbitrary bytes: decoded strictly or refused, and never more memory than its limit.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/network/gossip_codec.h"

namespace lean::beacon {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckSsz(absl::string_view ssz) {
  if (const auto block = ParseBlock(ssz); block.ok()) Require(SerializeBlock(**block) == ssz);
  if (const auto vote = ParseVote(ssz); vote.ok()) Require(SerializeVote(**vote) == ssz);
  if (const auto votes = SplitVotes(ssz); votes.ok()) {
    for (const absl::string_view part : *votes) Require(ParseVote(part).ok());
  }
}

void CheckPayload(absl::string_view payload) {
  constexpr size_t kLimit = 100'000;
  const auto bytes = Uncompress(payload, kLimit);
  Require(bytes.ok() <= UncompressedSize(payload, kLimit).ok());
  if (!bytes.ok()) return;
  Require(bytes->size() <= kLimit);
  CheckSsz(*bytes);
  const auto block = DecodeBlock(payload);
  Require(block.ok() == ParseBlock(*bytes).ok());
}

// The bytes laid over a block with votes, at a place that they choose: many of these decode.
void CheckOverlaid(absl::string_view bytes) {
  if (bytes.size() < 2) return;
  SignedBlockWithAttestation block;
  block.message.block.body.attestations = *Attestations::FromVector(std::vector<Attestation>(3));
  block.signature = *BlockSignatures::FromVector(std::vector<SignatureBytes>(1));
  std::string ssz = SerializeBlock(block);
  // The first bytes are the structure; signatures follow.
  const size_t begin = (static_cast<uint8_t>(bytes[0]) | size_t{static_cast<uint8_t>(bytes[1])} << 8) % 700;
  const absl::string_view over = bytes.substr(2, ssz.size() - begin);
  ssz.replace(begin, over.size(), over.data(), over.size());
  CheckSsz(ssz);
  CheckPayload(Compress(ssz));
}

}  // namespace
}  // namespace lean::beacon

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lean::beacon;  // NOLINT(google-build-using-namespace): this is the program
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckPayload(bytes);
  CheckSsz(bytes);
  CheckOverlaid(bytes);
  return 0;
}
