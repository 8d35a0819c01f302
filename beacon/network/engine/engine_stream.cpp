#include "beacon/network/engine/engine_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "beacon/network/engine/contract.h"
#include "common/log/log_text.h"
#include "common/rpc/connections/address.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr std::chrono::seconds kHelloTime{10};
// The engine reports once a second.
constexpr std::chrono::seconds kSilence{15};
// A write that takes longer means that the engine does not read.
constexpr std::chrono::seconds kWriteTime{15};
// After a stream that lasted this long the next one is opened without a pause.
constexpr std::chrono::seconds kStood{5};
// How long a stream may take to end by itself when the beacon stops.
constexpr std::chrono::milliseconds kStopGrace{300};

}  // namespace

absl::Status EngineStream::CheckAddress(const std::string& address) {
  ASSIGN_OR_RETURN(const rpc::Address parsed, rpc::ParseAddress(address));
  if (parsed.IsUnix() || (parsed.host == "127.0.0.1" && parsed.port != 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is not for a network engine: expected unix:PATH, or 127.0.0.1:PORT for tests"));
}

EngineStream::~EngineStream() { Stop(); }

void EngineStream::Start() {
  {
    MutexLock lock(mutex_);
    trouble_ = "the beacon has not dialled it yet";
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void EngineStream::Stop() {
  thread_.request_stop();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    if (attached_ != 0)
      changed_.WaitFor(mutex_, kStopGrace,
                       [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return transport_ == nullptr; });
    if (transport_ != nullptr) transport_->Cancel();
  }
  if (thread_.joinable()) thread_.join();
}

void EngineStream::Run(const std::stop_token& stop) {
  std::chrono::milliseconds pause = kFirstPause;
  while (!stop.stop_requested()) {
    const SteadyTime begin = clock_.Steady();
    bool was_attached = false;
    const std::string why = RunStream(begin, &was_attached);
    if (stop.stop_requested()) return;
    const SteadyTime now = clock_.Steady();
    if (was_attached) {
      log_->warn("network_engine_lost address={} message=\"{}\"", address_, why);
    } else if (log_limit_.Admit("network_engine_absent", now)) {
      log_->warn("network_engine_absent address={} message=\"{}\"", address_, why);
    }
    if (was_attached && now - begin >= kStood) pause = kFirstPause;
    clock_.WaitUntil(now + pause, stop);
    pause = std::min(pause * 2, kLastPause);
  }
}

std::string EngineStream::RunStream(SteadyTime begin, bool* was_attached) {
  ASSIGN_OR_RETURN(const std::unique_ptr<EngineTransport> transport, open_(), Printable(_.message()));
  {
    MutexLock lock(mutex_);
    if (stopping_) return "";
    ++number_;
    transport_ = transport.get();
    heard_ = begin;
    ending_why_.clear();
  }
  transport->Start();
  v1::BeaconToEngine hello;
  *hello.mutable_hello() = owner_.Hello();
  transport->Write(hello);
  std::thread writer;
  v1::EngineToBeacon message;
  while (transport->Read(&message)) {
    if (const absl::Status status = Handle(message); !status.ok()) Refuse(status);
    if (message.has_hello() && !writer.joinable()) writer = std::thread([this, &transport] { WriteAll(*transport); });
  }
  *was_attached = Detach();
  if (writer.joinable()) writer.join();
  const std::string ended = transport->Finish();
  if (*was_attached) owner_.OnDetached(number_);
  MutexLock lock(mutex_);
  transport_ = nullptr;
  trouble_ = !ending_why_.empty() ? ending_why_
             : ended.empty()      ? std::string("the engine ended the stream")
                                  : Printable(ended);
  changed_.NotifyAll();
  return trouble_;
}

absl::Status EngineStream::Handle(const v1::EngineToBeacon& message) {
  uint64_t attached = 0;
  {
    MutexLock lock(mutex_);
    if (!ending_why_.empty()) return absl::OkStatus();  // received after we have ended the stream
    heard_ = clock_.Steady();
    attached = attached_;
  }
  if (attached != 0) {
    if (message.has_hello()) return absl::InvalidArgumentError("the engine sent a second hello");
    return owner_.OnMessage(attached, message);
  }
  if (!message.has_hello()) return absl::InvalidArgumentError("the first message is not a hello");
  ASSIGN_OR_RETURN(const v1::EngineHello hello, Checked(message.hello()));
  log_->info("network_engine_attached address={} agent=\"{}\" peer_id={} network={} addresses={}", address_,
             hello.agent(), hello.peer_id(), hello.network(), absl::StrJoin(hello.addresses(), ","));
  {
    MutexLock lock(mutex_);
    attached_ = number_;
    hello_ = hello;
    trouble_.clear();
    outbox_ = Outbox();
    TellWatcherLocked();
  }
  owner_.OnAttached(number_);
  return absl::OkStatus();
}

void EngineStream::Refuse(const absl::Status& status) {
  const std::string why = Printable(status.message());
  if (log_limit_.Admit("network_engine_refused", clock_.Steady())) {
    log_->error("network_engine_refused address={} message=\"{}\"", address_, why);
  }
  MutexLock lock(mutex_);
  EndLocked(absl::StrCat("the engine violated the contract: ", why));
}

bool EngineStream::Detach() {
  MutexLock lock(mutex_);
  if (std::exchange(attached_, 0) == 0) return false;
  ++lost_;
  trouble_ = "the stream has ended";  // until Finish returns the reason
  changed_.NotifyAll();
  TellWatcherLocked();
  return true;
}

void EngineStream::WriteAll(EngineTransport& transport) {
  MutexLock lock(mutex_);
  std::optional<v1::BeaconToEngine> message;
  while (true) {
    changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return attached_ == 0 || stopping_ || (message = outbox_.Pop()).has_value();
    });
    if (attached_ == 0 || stopping_) break;
    writing_since_ = clock_.Steady();
    lock.Unlock();
    const bool written = transport.Write(*message);
    lock.Lock();
    writing_since_.reset();
    if (!written) break;  // the stream has ended, which the reader notices
  }
  lock.Unlock();
  transport.WritesDone();
}

void EngineStream::Send(uint64_t stream, v1::BeaconToEngine message) {
  MutexLock lock(mutex_);
  if (stream == 0 || stream != attached_) return;
  outbox_.Push(std::move(message));
  if (outbox_.is_full()) return EndLocked("the engine does not read");
  changed_.NotifyAll();
}

void EngineStream::Tick(SteadyTime now) {
  log_limit_.LogLeftOut(now, *log_);
  MutexLock lock(mutex_);
  if (transport_ == nullptr) return;
  if (attached_ == 0 && now - heard_ > kHelloTime) EndLocked("the engine sends no hello");
  if (attached_ != 0 && now - heard_ > kSilence) EndLocked("the engine sends nothing");
  if (writing_since_.has_value() && now - *writing_since_ > kWriteTime) EndLocked("the engine does not read");
}

void EngineStream::EndLocked(std::string why) {
  if (!ending_why_.empty() || transport_ == nullptr) return;
  ending_why_ = std::move(why);
  transport_->Cancel();
}

uint64_t EngineStream::attached() const {
  MutexLock lock(mutex_);
  return attached_;
}

size_t EngineStream::waiting_answer_bytes() const {
  MutexLock lock(mutex_);
  return outbox_.answer_bytes();
}

metrics::Footprint EngineStream::queue() const {
  MutexLock lock(mutex_);
  return {.name = "to_engine", .items = outbox_.size(), .bytes = outbox_.bytes()};
}

v1::EngineHello EngineStream::hello() const {
  MutexLock lock(mutex_);
  return hello_;
}

std::string EngineStream::trouble() const {
  MutexLock lock(mutex_);
  if (trouble_.empty()) return "";
  return absl::StrCat("the network engine at ", address_, " does not answer: ", trouble_);
}

uint64_t EngineStream::lost() const {
  MutexLock lock(mutex_);
  return lost_;
}

void EngineStream::Watch(std::function<void(bool attached)> watcher) {
  MutexLock lock(mutex_);
  watcher_ = std::move(watcher);
  TellWatcherLocked();
}

}  // namespace lean::beacon
