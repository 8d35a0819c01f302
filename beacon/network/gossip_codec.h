// Blocks and votes as they travel between beacons (proto/lean/v1/peer.proto): SSZ, compressed with snappy's raw format.
// What comes in is anyone's bytes: sizes are checked before anything is allocated.
#ifndef LEAN_BEACON_NETWORK_GOSSIP_CODEC_H_
#define LEAN_BEACON_NETWORK_GOSSIP_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// Of an uncompressed payload. The largest block has 13.3 MB.
inline constexpr size_t kMaxPayloadBytes = 14'000'000;
// SSZ(SignedAttestation), always.
inline constexpr size_t kVoteBytes = 3252;
inline constexpr size_t kMaxVotesInMessage = 256;

// What a payload claims to be uncompressed; at most `limit`. InvalidArgument: more, or not snappy.
absl::StatusOr<size_t> UncompressedSize(absl::string_view payload, size_t limit);

// InvalidArgument: not snappy, or more than `limit` bytes uncompressed.
absl::StatusOr<std::string> Uncompress(absl::string_view payload, size_t limit);
std::string Compress(absl::string_view bytes);

// What tells one item from another, signatures included: SHA-256 of its SSZ. Not the root that is signed: with that,
// anybody could pass off a copy with a wrong signature as the item itself.
Root ItemKey(absl::string_view ssz);

std::string SerializeBlock(const SignedBlockWithAttestation& block);
std::string SerializeVote(const SignedAttestation& vote);
// InvalidArgument: not exactly one block, or vote. A block whose number of signatures is wrong is the chain's to
// refuse.
absl::StatusOr<SignedBlockPtr> ParseBlock(absl::string_view ssz);
absl::StatusOr<SignedVotePtr> ParseVote(absl::string_view ssz);

// A block's payload, and back.
std::string EncodeBlock(const SignedBlockWithAttestation& block);
absl::StatusOr<SignedBlockPtr> DecodeBlock(absl::string_view payload);

// The votes' SSZ out of an uncompressed batch, which they refer to. InvalidArgument: none, too many, or a part of one.
absl::StatusOr<std::vector<absl::string_view>> SplitVotes(absl::string_view batch);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_GOSSIP_CODEC_H_
