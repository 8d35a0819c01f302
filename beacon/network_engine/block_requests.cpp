#include "beacon/network_engine/block_requests.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/gossip_codec.h"
#include "common/log/log_text.h"

namespace lean::beacon {

void BlockRequests::Ask(const EnginePeerPtr& peer, AskedBlocks asked, Done done) {
  v1::BlockRequest message;
  {
    std::unique_lock lock(mutex_);
    absl::Status refusal;
    if (stopping_) refusal = absl::CancelledError("the network is stopping");
    if (requests_.size() >= limits_.open || peer->requests_open >= limits_.open_per_peer) {
      refusal = absl::ResourceExhaustedError("too many requests are open");
    }
    if (!refusal.ok()) {
      lock.unlock();
      return done(refusal);
    }
    ++peer->requests_open;
    ++peer->requests_out;
    const uint64_t id = ++last_id_;
    message = ToProto(id, peer->named.handle, asked);
    requests_.emplace(
        id,
        Request{
            .peer = peer, .asked = std::move(asked), .sent = clock_.Steady(), .done = std::move(done), .blocks = {}});
  }
  // Void when its stream has ended meanwhile: the request ends in Tick then.
  send_(peer->stream, std::move(message));
}

absl::Status BlockRequests::OnAnswer(const v1::BlockAnswer& answer) {
  std::unique_lock lock(mutex_);
  if (answer.id() == 0 || answer.id() > last_id_) {
    return absl::InvalidArgumentError(absl::StrCat("answer.id: ", answer.id(), " was never asked"));
  }
  const auto found = requests_.find(answer.id());
  if (found == requests_.end()) return absl::OkStatus();  // it is over
  absl::Status status = CollectLocked(answer, &found->second);
  if (status.ok() && answer.end() == v1::BlockAnswer::MORE) return absl::OkStatus();
  if (status.ok()) status = StatusOf(answer);
  if (status.ok()) {
    status = CheckAnswered(found->second.asked, found->second.blocks);
    if (!status.ok()) status = absl::DataLossError(status.message());
  }
  Request request = TakeLocked(found);
  lock.unlock();
  Finish(std::move(request), status);
  return absl::OkStatus();
}

absl::Status BlockRequests::CollectLocked(const v1::BlockAnswer& answer, Request* request) {
  for (const std::string& ssz : answer.blocks()) {
    if (request->full) break;
    if (ssz.size() > kMaxPayloadBytes) {
      return absl::DataLossError(absl::StrCat("a block of ", ssz.size(), " bytes, at most ", kMaxPayloadBytes));
    }
    const absl::StatusOr<SignedBlockPtr> block = ParseBlock(ssz);
    if (!block.ok()) return absl::DataLossError(block.status().message());
    const size_t bytes = BytesOf(**block);
    if (!request->blocks.empty() && request->bytes + bytes > limits_.answer_bytes) {
      request->full = true;
      break;
    }
    if (held_bytes_ + bytes > limits_.held_bytes) return absl::ResourceExhaustedError("too many blocks are on the way");
    request->blocks.push_back(*block);
    request->bytes += bytes;
    held_bytes_ += bytes;
  }
  return absl::OkStatus();
}

absl::Status BlockRequests::StatusOf(const v1::BlockAnswer& answer) {
  const std::string message = Printable(answer.message());
  switch (answer.end()) {
    case v1::BlockAnswer::COMPLETE:
      return absl::OkStatus();
    case v1::BlockAnswer::TIMED_OUT:
      return absl::DeadlineExceededError("no answer in time");
    case v1::BlockAnswer::MALFORMED:
      return absl::DataLossError(absl::StrCat("no answer: ", message));
    case v1::BlockAnswer::OVERLOADED:
      return absl::ResourceExhaustedError(message);
    case v1::BlockAnswer::UNSUPPORTED:
      return absl::UnimplementedError(absl::StrCat("it does not answer such requests: ", message));
    default:
      return absl::UnavailableError(message);
  }
}

BlockRequests::Request BlockRequests::TakeLocked(Requests::iterator request) {
  Request taken = std::move(request->second);
  held_bytes_ -= taken.bytes;
  --taken.peer->requests_open;
  requests_.erase(request);
  return taken;
}

void BlockRequests::Finish(Request request, const absl::Status& status) {
  const uint64_t peer = request.peer->id;
  if (status.ok()) return request.done(std::move(request.blocks));
  if (absl::IsDeadlineExceeded(status)) peers_.BlameNoAnswer(peer, request.sent);
  if (absl::IsDataLoss(status)) peers_.Blame(peer, Offence::kBadAnswer, absl::StrCat("answer: ", status.message()));
  if (absl::IsUnimplemented(status)) {
    if (!request.asked.by_root()) peers_.ServesNoRange(peer);
    return request.done(absl::UnavailableError(status.message()));
  }
  request.done(status);
}

void BlockRequests::OnGone(uint64_t peer) {
  std::vector<Request> failed;
  {
    std::lock_guard lock(mutex_);
    for (auto it = requests_.begin(); it != requests_.end();) {
      const auto request = it++;
      if (request->second.peer->id == peer) failed.push_back(TakeLocked(request));
    }
  }
  for (Request& request : failed) Finish(std::move(request), absl::UnavailableError("the peer has gone"));
}

void BlockRequests::FailAll(const absl::Status& status, bool stopping) {
  std::vector<Request> failed;
  {
    std::lock_guard lock(mutex_);
    stopping_ = stopping_ || stopping;
    while (!requests_.empty()) failed.push_back(TakeLocked(requests_.begin()));
  }
  for (Request& request : failed) Finish(std::move(request), status);
}

void BlockRequests::Tick(SteadyTime now) {
  std::vector<Request> late;
  {
    std::lock_guard lock(mutex_);
    for (auto it = requests_.begin(); it != requests_.end();) {
      const auto request = it++;
      if (now - request->second.sent > limits_.patience) late.push_back(TakeLocked(request));
    }
  }
  for (Request& request : late) Finish(std::move(request), absl::DeadlineExceededError("no answer in time"));
}

size_t BlockRequests::open() const {
  std::lock_guard lock(mutex_);
  return requests_.size();
}

}  // namespace lean::beacon
