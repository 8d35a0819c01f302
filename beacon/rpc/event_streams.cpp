#include "beacon/rpc/event_streams.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/rpc/event_views.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {
namespace {

// A request is decoded on a thread of gRPC, so it must be short.
constexpr size_t kMaxRequestBytes = 1024;

// The kinds in the order of EventKind, which begins at 0 while the message's enum begins at 1.
absl::StatusOr<EventKinds> KindsOf(const v1::StreamEventsRequest& request) {
  if (request.kinds().empty()) return EventKinds().set();
  EventKinds kinds;
  for (const int kind : request.kinds()) {
    if (kind < v1::Event::HEAD || kind > v1::Event::BLOCK_VOTES) {
      return rpc::MalformedRequest(absl::StrCat("kinds: ", kind, " is no kind of event"));
    }
    kinds.set(static_cast<size_t>(kind - v1::Event::HEAD));
  }
  return kinds;
}
static_assert(v1::Event::VOTE - v1::Event::HEAD == static_cast<int>(EventKind::kVote));
static_assert(v1::Event::BLOCK_VOTES - v1::Event::HEAD == static_cast<int>(EventKind::kBlockVotes));

absl::StatusOr<std::optional<EventCursor>> CursorOf(const v1::StreamEventsRequest& request) {
  if (request.after().empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const EventCursor cursor, EventCursor::Parse(request.after()),
                   rpc::MalformedRequest(absl::StrCat("after: ", _.message())));
  return cursor;
}

absl::Status ShuttingDown() {
  return rpc::MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the beacon is shutting down");
}

absl::Status TooManyStreams(absl::string_view whose) {
  return rpc::MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                        absl::StrCat("too many streams of ", whose, " are open; try again later"));
}

grpc::ByteBuffer BytesOfMessage(const v1::StreamEventsResponse& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

}  // namespace

// Made by Open and kept by EventStreams and by gRPC until OnDone. The methods of gRPC and Wake may be called at the
// same time. At most one message is being made or written (busy_).
class EventStreams::Stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                                   public std::enable_shared_from_this<Stream> {
 public:
  Stream(EventStreams& owner, rpc::Caller caller, EventKinds kinds, const std::optional<EventCursor>& after)
      : owner_(owner), caller_(std::move(caller)), reader_(owner.history_, kinds, after) {}

  void Begin() {
    self_ = shared_from_this();
    watch_ = owner_.history_.Watch([this] { Wake(); });
    StartSendInitialMetadata();
  }

  void End(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (std::exchange(ended_, true)) return;
    Finish(rpc::ToGrpcStatus(status));
  }

  void OnSendInitialMetadataDone(bool ok) override {
    if (ok) return Wake();
    End(absl::CancelledError("the caller has left"));
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the caller has left"));
    {
      MutexLock lock(mutex_);
      busy_ = false;
    }
    Wake();
  }
  void OnCancel() override { End(absl::CancelledError("the caller has left")); }
  void OnDone() override {
    owner_.history_.Unwatch(watch_);
    const std::shared_ptr<Stream> self = std::move(self_);  // a message that is still being made also keeps the object
    owner_.Leave(self, caller_.host);
  }

 private:
  // Makes the next message, if none is under way.
  void Wake() {
    {
      MutexLock lock(mutex_);
      if (ended_ || std::exchange(busy_, true)) {
        missed_ = true;
        return;
      }
      missed_ = false;
    }
    owner_.schedule_(caller_, {.run = [stream = shared_from_this()] { stream->Next(); },
                               .refuse = [stream = shared_from_this()] { stream->Rest(); },
                               .bytes = 0});
  }

  // The pool has no room: the next event wakes the stream again.
  void Rest() {
    MutexLock lock(mutex_);
    busy_ = false;
  }

  void Next() {
    EventReader::Batch batch;
    do {
      batch = reader_.Read(kMostEvents);
    } while (batch.empty() && reader_.behind());
    if (batch.empty()) {
      {
        MutexLock lock(mutex_);
        busy_ = false;
        if (!missed_) return;
      }
      return Wake();
    }
    v1::StreamEventsResponse message;
    message.set_lost(batch.lost);
    message.set_restarted(batch.restarted);
    for (const EventSlice& slice : batch.slices) View(reader_, slice, message);
    MutexLock lock(mutex_);
    if (ended_) return;
    written_ = BytesOfMessage(message);
    if (owner_.requests_ != nullptr) owner_.requests_->CountAnswer(caller_.connection, written_.Length());
    StartWrite(&written_);
  }

  EventStreams& owner_;
  const rpc::Caller caller_;
  EventReader reader_;  // of whoever has set busy_
  EventHistory::WatchId watch_ = 0;
  std::shared_ptr<Stream> self_;  // gRPC's share
  Mutex mutex_;
  grpc::ByteBuffer written_ ABSL_GUARDED_BY(mutex_);  // being written
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool missed_ ABSL_GUARDED_BY(mutex_) = false;  // events may have come since the reader was asked
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

grpc::ServerWriteReactor<grpc::ByteBuffer>* EventStreams::Open(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* bytes) {
  rpc::Caller caller = rpc::CallerOf(*context);
  if (requests_ != nullptr) requests_->Count(context->peer(), bytes->Length());
  v1::StreamEventsRequest request;
  const auto refuse = [](const absl::Status& status) { return new rpc::RefusedStream(status); };
  if (bytes->Length() > kMaxRequestBytes) return refuse(rpc::MalformedRequest("the request is too long"));
  RETURN_IF_ERROR(rpc::DecodeRequest(*bytes, request), refuse(_));
  ASSIGN_OR_RETURN(const EventKinds kinds, KindsOf(request), refuse(_));
  ASSIGN_OR_RETURN(const std::optional<EventCursor> after, CursorOf(request), refuse(_));
  RETURN_IF_ERROR(Admit(caller.host), refuse(_));
  const auto stream = std::make_shared<Stream>(*this, std::move(caller), kinds, after);
  stream->Begin();
  Enter(stream);
  return stream.get();
}

absl::Status EventStreams::Admit(const std::string& host) {
  MutexLock lock(mutex_);
  if (stopped_) return ShuttingDown();
  if (count_ >= kMostStreams) return TooManyStreams("all callers");
  size_t& of_host = by_host_[host];
  if (of_host >= kMostOfCaller) return TooManyStreams("this caller");
  ++of_host;
  ++count_;
  return absl::OkStatus();
}

void EventStreams::Enter(const std::shared_ptr<Stream>& stream) {
  {
    MutexLock lock(mutex_);
    if (!stopped_) {
      streams_.insert(stream);
      return;
    }
  }
  stream->End(ShuttingDown());
}

void EventStreams::Leave(const std::shared_ptr<Stream>& stream, const std::string& host) {
  MutexLock lock(mutex_);
  streams_.erase(stream);
  --count_;
  const auto of_host = by_host_.find(host);
  if (--of_host->second == 0) by_host_.erase(of_host);
}

void EventStreams::Stop() {
  std::set<std::shared_ptr<Stream>> open;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    open = streams_;
  }
  for (const auto& stream : open) stream->End(ShuttingDown());
}

size_t EventStreams::size() const {
  MutexLock lock(mutex_);
  return count_;
}

}  // namespace lean::beacon
