#include "beacon/network_engine/engine_stream.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "beacon/network/messages.h"
#include "common/log/log_text.h"
#include "common/rpc/address.h"
#include "common/rpc/unary_call.h"

namespace lean::beacon {
namespace {

constexpr char kAttachMethod[] = "/lean.v1.NetworkEngine/Attach";

constexpr std::chrono::seconds kHelloTime{10};
// The engine reports once a second.
constexpr std::chrono::seconds kSilence{15};
// A message that has not left by then: the engine does not read.
constexpr std::chrono::seconds kWriteTime{15};
// A stream that stood for so long is opened again without a pause.
constexpr std::chrono::seconds kStood{5};
// For a stream to end by itself when the beacon stops.
constexpr std::chrono::milliseconds kStopGrace{300};
// Between two lines of the log that there is no engine.
constexpr std::chrono::minutes kTroubleRepeat{1};

}  // namespace

// One stream's handler.
class EngineStream::Session final : public StreamHandler {
 public:
  explicit Session(EngineStream& owner) : owner_(owner) {}

  void OnRead(bool ok, const grpc::ByteBuffer& message) override { owner_.OnRead(ok, message); }
  void OnWritten(bool ok) override { owner_.OnWritten(ok); }
  void OnClosed(const grpc::Status& status) override { owner_.OnClosed(status); }

 private:
  EngineStream& owner_;  // dials again only when this stream is closed, and waits for that before it ends
};

absl::Status EngineStream::CheckAddress(const std::string& address) {
  const absl::StatusOr<rpc::Address> parsed = rpc::ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->IsUnix() || (parsed->host == "127.0.0.1" && parsed->port != 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is not for a network engine: expected unix:PATH, or 127.0.0.1:PORT for tests"));
}

EngineStream::EngineStream(std::string address, EngineStreamOwner& owner, const Clock& clock,
                           std::shared_ptr<spdlog::logger> log)
    : address_(std::move(address)),
      owner_(owner),
      clock_(clock),
      log_(std::move(log)),
      channels_(PeerTlsFiles()),
      trouble_since_(clock.Steady()) {}

EngineStream::~EngineStream() { Stop(); }

void EngineStream::Stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  const auto idle = [this] { return state_ == State::kIdle; };
  if (stream_ != nullptr) stream_->Finish();
  if (!closed_.wait_for(lock, kStopGrace, idle)) {
    if (stream_ != nullptr) stream_->Cancel();
    closed_.wait(lock, idle);
  }
  lock.unlock();
  channels_.Stop();
}

void EngineStream::Tick(SteadyTime now) {
  channels_.DropUnused();
  log_limit_.LogLeftOut(now, *log_);
  std::lock_guard lock(mutex_);
  if (state_ == State::kIdle && !stopping_ && now >= next_dial_) DialLocked(now);
  if (state_ == State::kHello && now - heard_ > kHelloTime) EndLocked("the engine does not say hello");
  if (state_ == State::kAttached && now - heard_ > kSilence) EndLocked("the engine has fallen silent");
  if (writing_ && now - writing_since_ > kWriteTime) EndLocked("the engine does not read");
  LogTroubleLocked(now);
}

void EngineStream::DialLocked(SteadyTime now) {
  const auto stub = channels_.Open(address_);
  if (!stub.ok()) {  // its address was checked: what is left is short for now
    trouble_ = Printable(stub.status().message());
    next_dial_ = now + kLastPause;
    return;
  }
  v1::BeaconToEngine hello;
  *hello.mutable_hello() = owner_.Hello();
  ClientStream* stream = MakeClientStream(*stub, kAttachMethod, std::make_shared<Session>(*this));
  stream_ = StreamOf(stream);
  ++number_;
  state_ = State::kHello;
  heard_ = now;
  was_attached_ = false;
  writing_ = false;
  outbox_ = EngineOutbox();
  ending_why_.clear();
  stream_->Read();
  WriteLocked(hello, now);
  StartClientStream(stream);
}

void EngineStream::OnRead(bool ok, const grpc::ByteBuffer& bytes) {
  absl::Status status;
  if (ok) status = Handle(bytes);
  std::lock_guard lock(mutex_);
  if (stream_ == nullptr) return;
  if (!ok) return stream_->Finish();
  if (!status.ok()) {
    if (log_limit_.Admit("network_engine_refused", clock_.Steady())) {
      log_->error("network_engine_refused address={} message=\"{}\"", address_, Printable(status.message()));
    }
    EndLocked(absl::StrCat("what it sent is not of the contract: ", Printable(status.message())));
  }
  if (state_ != State::kEnding) stream_->Read();
}

absl::Status EngineStream::Handle(const grpc::ByteBuffer& bytes) {
  v1::EngineToBeacon message;
  if (absl::Status status = rpc::DecodeRequest(bytes, message); !status.ok()) return status;
  uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    if (state_ == State::kEnding) return absl::OkStatus();
    heard_ = clock_.Steady();
    number = number_;
    if (state_ == State::kAttached) {
      if (message.has_hello()) return absl::InvalidArgumentError("a second hello");
      if (message.content_case() == v1::EngineToBeacon::CONTENT_NOT_SET) return absl::OkStatus();
    } else if (!message.has_hello()) {
      return absl::InvalidArgumentError("the first message is no hello");
    }
  }
  if (!message.has_hello()) return owner_.OnMessage(number, message);
  const absl::StatusOr<EngineInfo> info = FromProto(message.hello());
  if (!info.ok()) return info.status();
  {
    std::lock_guard lock(mutex_);
    state_ = State::kAttached;
    was_attached_ = true;
    attached_since_ = heard_;
    info_ = *info;
    trouble_.clear();
    trouble_logged_.reset();
  }
  log_->info("network_engine_attached address={} agent=\"{}\" peer_id={} network={} addresses={}", address_,
             info->agent, info->peer_id, info->network, absl::StrJoin(info->addresses, ","));
  owner_.OnAttached(number, *info);
  return absl::OkStatus();
}

void EngineStream::OnWritten(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) PumpLocked();  // otherwise the stream has ended, which shows when reading
}

void EngineStream::PumpLocked() {
  if (outbox_.is_full()) return EndLocked("the engine does not read");
  if (writing_ || stream_ == nullptr || state_ != State::kAttached) return;
  if (const std::optional<v1::BeaconToEngine> message = outbox_.Pop()) WriteLocked(*message, clock_.Steady());
}

void EngineStream::WriteLocked(const v1::BeaconToEngine& message, SteadyTime now) {
  writing_ = true;
  writing_since_ = now;
  stream_->Write(ToByteBuffer(message));
}

void EngineStream::EndLocked(std::string why) {
  if (state_ == State::kEnding || state_ == State::kIdle || stream_ == nullptr) return;
  state_ = State::kEnding;
  ending_why_ = std::move(why);
  stream_->Cancel();
}

void EngineStream::OnClosed(const grpc::Status& status) {
  uint64_t number = 0;
  bool was_attached = false;
  {
    std::lock_guard lock(mutex_);
    number = number_;
    was_attached = was_attached_;
    state_ = State::kEnding;
    stream_ = nullptr;
    writing_ = false;
    outbox_ = EngineOutbox();
  }
  if (was_attached) owner_.OnDetached(number);
  std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.Steady();
  if (was_attached && now - attached_since_ >= kStood) pause_ = kFirstPause;
  next_dial_ = now + pause_;
  pause_ = std::min(pause_ * 2, kLastPause);
  trouble_ = !ending_why_.empty()             ? ending_why_
             : status.error_message().empty() ? std::string("it ended the stream")
                                              : Printable(status.error_message());
  if (was_attached) {
    ++lost_;
    trouble_since_ = now;
  }
  if (was_attached && !stopping_) {
    log_->warn("network_engine_lost address={} message=\"{}\"", address_, trouble_);
    trouble_logged_ = now;
  }
  state_ = State::kIdle;
  closed_.notify_all();
}

void EngineStream::LogTroubleLocked(SteadyTime now) {
  if (trouble_.empty() || number_ == 0 || state_ != State::kIdle || stopping_) return;
  if (trouble_logged_.has_value() && now - *trouble_logged_ < kTroubleRepeat) return;
  trouble_logged_ = now;
  log_->warn("network_engine_absent address={} seconds={} message=\"{}\"", address_,
             std::chrono::duration_cast<std::chrono::seconds>(now - trouble_since_).count(), trouble_);
}

uint64_t EngineStream::attached() const {
  std::lock_guard lock(mutex_);
  return AttachedLocked();
}

size_t EngineStream::waiting_answer_bytes() const {
  std::lock_guard lock(mutex_);
  return outbox_.answer_bytes();
}

std::optional<EngineInfo> EngineStream::info() const {
  std::lock_guard lock(mutex_);
  return info_;
}

std::string EngineStream::trouble() const {
  std::lock_guard lock(mutex_);
  if (trouble_.empty()) return "";
  return absl::StrCat("the network engine at ", address_, " does not answer: ", trouble_);
}

uint64_t EngineStream::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace lean::beacon
