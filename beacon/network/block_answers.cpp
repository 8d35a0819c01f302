#include "beacon/network/block_answers.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/asked_blocks.h"
#include "beacon/network/gossip_codec.h"
#include "beacon/network/peer_blocks.h"
#include "common/rpc/convert.h"
#include "common/rpc/status.h"

namespace lean::beacon {
namespace {

// All of an answer's blocks, uncompressed: the budget, or one of the largest.
constexpr size_t kMaxAnswerBytes = kAnswerBytes + kMaxPayloadBytes;

absl::StatusOr<std::vector<SignedBlockPtr>> Find(const v1::BlocksByRootRequest& request, const BlockSource& source) {
  if (request.roots().empty() || static_cast<size_t>(request.roots_size()) > kMaxRootsAsked) {
    return rpc::MalformedRequest(absl::StrCat("roots: ", request.roots_size(), ", expected 1 to ", kMaxRootsAsked));
  }
  std::vector<SignedBlockPtr> blocks;
  std::set<Root> found;
  size_t bytes = 0;
  for (const std::string& text : request.roots()) {
    const absl::StatusOr<Root> root = rpc::FixedBytesFromProto<Root>(text, "roots");
    if (!root.ok()) return root.status();
    if (!found.insert(*root).second) continue;
    SignedBlockPtr block = source.ByRoot(*root);
    if (block == nullptr) continue;
    bytes += BytesOf(*block);
    if (bytes > kAnswerBytes && !blocks.empty()) break;
    blocks.push_back(std::move(block));
  }
  return blocks;
}

absl::StatusOr<std::vector<SignedBlockPtr>> Find(const v1::BlocksByRangeRequest& request, const BlockSource& source) {
  if (request.count() == 0 || request.count() > kMaxSlotsAsked) {
    return rpc::MalformedRequest(absl::StrCat("count: ", request.count(), ", expected 1 to ", kMaxSlotsAsked));
  }
  return source.CanonicalRange(request.first_slot(), request.count(), kAnswerBytes);
}

absl::StatusOr<std::vector<SignedBlockPtr>> Find(const v1::BlocksRequest& request, const BlockSource& source) {
  switch (request.request_case()) {
    case v1::BlocksRequest::kByRoot:
      return Find(request.by_root(), source);
    case v1::BlocksRequest::kByRange:
      return Find(request.by_range(), source);
    case v1::BlocksRequest::REQUEST_NOT_SET:
      break;
  }
  return rpc::MalformedRequest("request: neither by_root nor by_range");
}

absl::Status Overloaded(absl::string_view message) {
  return rpc::MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", message);
}

// What a request of our own asks for.
AskedBlocks AskedBy(const v1::BlocksRequest& request) {
  if (request.has_by_range()) {
    return {.roots = {}, .first_slot = request.by_range().first_slot(), .count = request.by_range().count()};
  }
  AskedBlocks asked;
  for (const std::string& root : request.by_root().roots()) {
    std::copy(root.begin(), root.end(), asked.roots.emplace_back().data.begin());
  }
  return asked;
}

}  // namespace

v1::BlocksRequest RequestByRoot(const std::vector<Root>& roots) {
  v1::BlocksRequest request;
  for (const Root& root : roots) request.mutable_by_root()->add_roots(rpc::BytesToProto(root));
  return request;
}

v1::BlocksRequest RequestByRange(uint64_t first_slot, uint64_t count) {
  v1::BlocksRequest request;
  request.mutable_by_range()->set_first_slot(first_slot);
  request.mutable_by_range()->set_count(count);
  return request;
}

absl::StatusOr<v1::BlocksResponse> AnswerRequest(const v1::BlocksRequest& request, GossipPeer& peer,
                                                 const BlockSource& source, const Clock& clock) {
  if (!peer.rates().TakeRequest(clock.Steady())) {
    peer.Report(Offence::kTooMuch, "requests come too fast");
    return Overloaded("too many requests: ask again later");
  }
  const absl::StatusOr<std::vector<SignedBlockPtr>> blocks = Find(request, source);
  if (!blocks.ok()) {
    peer.Report(Offence::kInvalidItem, absl::StrCat("request: ", blocks.status().message()));
    return blocks.status();
  }
  size_t bytes = 0;
  for (const SignedBlockPtr& block : *blocks) bytes += BytesOf(*block);
  if (!peer.rates().TakeServed(bytes, clock.Steady())) return Overloaded("too many blocks: ask again later");
  v1::BlocksResponse answer;
  for (const SignedBlockPtr& block : *blocks) answer.add_blocks(EncodeBlock(*block));
  return answer;
}

absl::StatusOr<std::vector<SignedBlockPtr>> CheckAnswer(const v1::BlocksRequest& request,
                                                        const v1::BlocksResponse& answer) {
  const uint64_t most =
      request.has_by_root() ? static_cast<uint64_t>(request.by_root().roots_size()) : request.by_range().count();
  if (static_cast<uint64_t>(answer.blocks_size()) > most) {
    return absl::InvalidArgumentError(absl::StrCat(answer.blocks_size(), " blocks, at most ", most));
  }
  std::vector<SignedBlockPtr> blocks;
  size_t bytes = 0;
  for (const std::string& payload : answer.blocks()) {
    const absl::StatusOr<size_t> size = UncompressedSize(payload, kMaxPayloadBytes);
    if (!size.ok()) return size.status();
    bytes += *size;
    if (bytes > kMaxAnswerBytes) {
      return absl::InvalidArgumentError(absl::StrCat(bytes, " bytes and more, at most ", kMaxAnswerBytes));
    }
    absl::StatusOr<SignedBlockPtr> block = DecodeBlock(payload);
    if (!block.ok()) return block.status();
    blocks.push_back(*std::move(block));
  }
  if (absl::Status status = CheckAnswered(AskedBy(request), blocks); !status.ok()) return status;
  return blocks;
}

absl::StatusOr<std::vector<SignedBlockPtr>> JudgeAnswer(const v1::BlocksRequest& request,
                                                        const absl::StatusOr<v1::BlocksResponse>& answer,
                                                        SteadyTime asked, GossipPeer& peer) {
  if (!answer.ok()) {
    const absl::Status& status = answer.status();
    if (absl::IsDeadlineExceeded(status)) peer.ReportNoAnswer(asked);
    if (absl::IsDataLoss(status)) peer.Report(Offence::kBadAnswer, std::string(status.message()));
    const bool as_it_is =
        absl::IsDeadlineExceeded(status) || absl::IsDataLoss(status) || absl::IsResourceExhausted(status);
    return as_it_is ? status : absl::UnavailableError(status.message());
  }
  absl::StatusOr<std::vector<SignedBlockPtr>> blocks = CheckAnswer(request, *answer);
  if (blocks.ok()) return blocks;
  peer.Report(Offence::kBadAnswer, absl::StrCat("answer: ", blocks.status().message()));
  return absl::DataLossError(blocks.status().message());
}

}  // namespace lean::beacon
