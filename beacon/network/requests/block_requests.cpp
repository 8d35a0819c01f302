#include "beacon/network/requests/block_requests.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/log/log_text.h"

namespace lean::beacon {
namespace {

// The error of an answer's end.
absl::Status StatusOf(const v1::BlockAnswer& answer) {
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

}  // namespace

void BlockRequests::Ask(uint64_t peer_id, AskedBlocks asked, Done done) {
  const PeerPtr peer = peers_.Find(peer_id);
  if (peer == nullptr) return done(absl::NotFoundError("the peer is gone"));
  v1::BeaconToEngine message;
  {
    MutexLock lock(mutex_);
    if (stopping_ || requests_.size() >= kMostOpen) {
      const absl::Status refusal = stopping_ ? absl::CancelledError("the network is stopping")
                                             : absl::ResourceExhaustedError("too many requests are open");
      lock.Unlock();
      return done(refusal);
    }
    ++peer->requests_open;
    *message.mutable_request() = ToProto(++last_id_, peer->named.peer(), asked);
    requests_.emplace(last_id_, Request{peer, std::move(asked), clock_.Steady(), std::move(done)});
  }
  // Has no effect when the stream has ended; then Tick ends the request.
  send_(peer->stream, std::move(message));
}

absl::Status BlockRequests::OnAnswer(const v1::BlockAnswer& answer) {
  MutexLock lock(mutex_);
  if (answer.id() == 0 || answer.id() > last_id_) {
    return absl::InvalidArgumentError(absl::StrCat("answer.id: ", answer.id(), " was never asked"));
  }
  const auto found = requests_.find(answer.id());
  if (found == requests_.end()) return absl::OkStatus();  // already ended
  Request& request = found->second;
  absl::Status status;
  for (const std::string& ssz : answer.blocks()) {
    request.bytes += ssz.size();
    if (request.bytes > kMaxAnswerBytes && !request.blocks.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("answer.blocks: more than ", kMaxAnswerBytes, " bytes in all"));
    }
    absl::StatusOr<SignedBlockPtr> block = ParseItem<SignedBlockWithAttestation>(ssz);
    if (!block.ok()) {
      status = absl::DataLossError(block.status().message());
      break;
    }
    request.blocks.push_back(*std::move(block));
  }
  if (status.ok() && answer.end() == v1::BlockAnswer::MORE) return absl::OkStatus();
  if (status.ok()) status = StatusOf(answer);
  if (status.ok()) {
    status = CheckAnswered(request.asked, request.blocks);
    if (!status.ok()) status = absl::DataLossError(status.message());
  }
  Request taken = TakeLocked(found);
  lock.Unlock();
  Finish(std::move(taken), status);
  return absl::OkStatus();
}

BlockRequests::Request BlockRequests::TakeLocked(Requests::iterator request) {
  Request taken = std::move(request->second);
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

void BlockRequests::FailIf(const std::function<bool(const Request&)>& ended, const absl::Status& status) {
  std::vector<Request> failed;
  {
    MutexLock lock(mutex_);
    for (auto it = requests_.begin(); it != requests_.end();) {
      const auto request = it++;
      if (ended(request->second)) failed.push_back(TakeLocked(request));
    }
  }
  for (Request& request : failed) Finish(std::move(request), status);
}

void BlockRequests::OnGone(uint64_t peer) {
  FailIf([peer](const Request& request) { return request.peer->id == peer; },
         absl::UnavailableError("the peer has gone"));
}

void BlockRequests::FailAll(const absl::Status& status, bool stopping) {
  {
    MutexLock lock(mutex_);
    stopping_ = stopping_ || stopping;
  }
  FailIf([](const Request&) { return true; }, status);
}

void BlockRequests::Tick(SteadyTime now) {
  FailIf([&](const Request& request) { return now - request.sent > kPatience; },
         absl::DeadlineExceededError("no answer in time"));
}

uint64_t BlockRequests::requests() const {
  MutexLock lock(mutex_);
  return last_id_;
}

metrics::Footprint BlockRequests::queue() const {
  MutexLock lock(mutex_);
  metrics::Footprint all{.name = "block_requests", .items = requests_.size(), .bytes = 0};
  for (const auto& [id, request] : requests_) all.bytes += sizeof(Request) + request.bytes;
  return all;
}

}  // namespace lean::beacon
