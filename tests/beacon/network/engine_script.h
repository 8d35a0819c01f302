// What a network engine of a test says and hears: it does what the test tells it. Those who derive from it carry the
// messages.
#ifndef LEAN_TESTS_BEACON_NETWORK_ENGINE_SCRIPT_H_
#define LEAN_TESTS_BEACON_NETWORK_ENGINE_SCRIPT_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/network_engine.pb.h"
#include "tests/common/patience.h"

namespace lean::beacon {

// The engine's end of a stream. One thread may read while another writes.
class EngineEnd {
 public:
  virtual ~EngineEnd() = default;
  virtual bool Read(v1::BeaconToEngine* message) = 0;
  virtual bool Write(const v1::EngineToBeacon& message) = 0;
  virtual void Cancel() = 0;
};

// Serves one stream after the other. Thread-safe.
class EngineScript {
 public:
  // `hello`: what it says first; without a version it says nothing.
  explicit EngineScript(v1::EngineHello hello) : hello_(std::move(hello)) {}
  virtual ~EngineScript() = default;

  static v1::EngineHello GoodHello() {
    v1::EngineHello hello;
    hello.set_contract_version(1);
    hello.set_agent("scripted/1");
    hello.set_peer_id("16Uiu2HAmEngine");
    hello.set_enr("enr:-scripted");
    hello.add_addresses("/ip4/127.0.0.1/udp/9000/quic-v1");
    hello.set_network("devnet0");
    return hello;
  }

  // Ends the stream that stands.
  void EndStream() {
    MutexLock lock(mutex_);
    if (stream_ != nullptr) stream_->Cancel();
  }

  // Streams that the beacon has opened and greeted so far.
  int streams() const {
    MutexLock lock(mutex_);
    return streams_;
  }
  bool attached() const {
    MutexLock lock(mutex_);
    return stream_ != nullptr;
  }
  v1::BeaconHello beacon_hello() const {
    MutexLock lock(mutex_);
    return beacon_hello_;
  }

  // False: no stream stands.
  bool Send(const v1::EngineToBeacon& message) {
    MutexLock lock(mutex_);
    return stream_ != nullptr && stream_->Write(message);
  }
  void SendPeer(uint64_t handle, const ClaimedChain& chain, bool serves_range = true) {
    v1::EngineToBeacon message;
    v1::PeerConnected& peer = *message.mutable_connected();
    peer.set_peer(handle);
    peer.set_peer_id("peer-" + std::to_string(handle));
    peer.set_agent("test");
    peer.set_address("/ip4/10.0.0.1/udp/9000/quic-v1");
    peer.set_serves_range(serves_range);
    *peer.mutable_status() = ToProto(chain);
    Send(message);
  }
  void SendStatus(uint64_t handle, const ClaimedChain& chain) {
    v1::EngineToBeacon message;
    message.mutable_status()->set_peer(handle);
    *message.mutable_status()->mutable_status() = ToProto(chain);
    Send(message);
  }
  void SendGone(uint64_t handle) {
    v1::EngineToBeacon message;
    message.mutable_disconnected()->set_peer(handle);
    message.mutable_disconnected()->set_reason("for the test");
    Send(message);
  }
  void SendBlock(uint64_t id, uint64_t handle, const std::string& ssz) {
    v1::EngineToBeacon message;
    v1::GossipItem& item = *message.mutable_items()->add_items();
    item.set_id(id);
    item.set_peer(handle);
    item.set_block(ssz);
    Send(message);
  }
  void SendVotes(uint64_t first_id, uint64_t handle, const std::vector<std::string>& votes) {
    v1::EngineToBeacon message;
    for (const std::string& vote : votes) {
      v1::GossipItem& item = *message.mutable_items()->add_items();
      item.set_id(first_id++);
      item.set_peer(handle);
      item.set_vote(vote);
    }
    Send(message);
  }
  void SendAnswer(uint64_t id, const std::vector<SignedBlockPtr>& blocks, v1::BlockAnswer::End end) {
    v1::EngineToBeacon message;
    message.mutable_answer()->set_id(id);
    for (const SignedBlockPtr& block : blocks) message.mutable_answer()->add_blocks(ssz::SerializeToString(*block));
    message.mutable_answer()->set_end(end);
    Send(message);
  }
  void SendRequest(uint64_t id, uint64_t handle, const AskedBlocks& asked) {
    v1::EngineToBeacon message;
    *message.mutable_request() = ToProto(id, handle, asked);
    Send(message);
  }

  // The first message of this kind that was not taken yet, once it is there; nullopt: it never came. Others stay.
  std::optional<v1::BeaconToEngine> Await(const std::function<bool(const v1::BeaconToEngine&)>& wanted,
                                          std::chrono::milliseconds patience = kPatience) {
    MutexLock lock(mutex_);
    std::optional<v1::BeaconToEngine> message;
    changed_.WaitFor(mutex_, patience, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      const auto found = std::find_if(received_.begin(), received_.end(), wanted);
      if (found == received_.end()) return false;
      message = std::move(*found);
      received_.erase(found);
      return true;
    });
    return message;
  }
  // The verdict on an item; nullopt: none came within `patience`.
  std::optional<v1::Verdict::Outcome> AwaitVerdict(uint64_t id, std::chrono::milliseconds patience = kPatience) {
    MutexLock lock(mutex_);
    std::optional<v1::Verdict::Outcome> outcome;
    changed_.WaitFor(mutex_, patience, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      for (const v1::BeaconToEngine& message : received_) {
        for (const v1::Verdict& verdict : message.verdicts().verdicts()) {
          if (verdict.id() == id) outcome = verdict.outcome();
        }
      }
      return outcome.has_value();
    });
    return outcome;
  }
  std::optional<v1::EndPeer> AwaitEndPeer(uint64_t handle) {
    const auto message =
        Await([&](const v1::BeaconToEngine& m) { return m.has_end_peer() && m.end_peer().peer() == handle; });
    return message.has_value() ? std::optional(message->end_peer()) : std::nullopt;
  }
  std::optional<v1::BlockRequest> AwaitRequest() {
    const auto message = Await([](const v1::BeaconToEngine& m) { return m.has_request(); });
    return message.has_value() ? std::optional(message->request()) : std::nullopt;
  }
  // All messages of an answer; empty when it has no end.
  std::vector<v1::BlockAnswer> AwaitAnswer(uint64_t id) {
    std::vector<v1::BlockAnswer> pieces;
    while (true) {
      const auto message = Await([&](const v1::BeaconToEngine& m) { return m.has_answer() && m.answer().id() == id; });
      if (!message.has_value()) return {};
      pieces.push_back(message->answer());
      if (message->answer().end() != v1::BlockAnswer::MORE) return pieces;
    }
  }

  // Called with each request of the beacon instead of keeping it.
  void OnRequest(std::function<void(const v1::BlockRequest&)> handler) {
    MutexLock lock(mutex_);
    on_request_ = std::move(handler);
  }

 protected:
  // Serves a stream to its end. Returns why the engine ended it; empty: it did not.
  std::string Serve(EngineEnd& stream) {
    v1::BeaconToEngine message;
    if (!stream.Read(&message) || !message.has_hello()) return "no hello";
    {
      MutexLock lock(mutex_);
      ++streams_;
      beacon_hello_ = message.hello();
      if (hello_.contract_version() != 0) {
        v1::EngineToBeacon hello;
        *hello.mutable_hello() = hello_;
        stream.Write(hello);
      }
      stream_ = &stream;
    }
    changed_.NotifyAll();
    while (stream.Read(&message)) {
      std::function<void(const v1::BlockRequest&)> handler;
      {
        MutexLock lock(mutex_);
        if (message.has_request()) handler = on_request_;
        if (handler == nullptr) received_.push_back(message);
      }
      if (handler != nullptr) handler(message.request());
      changed_.NotifyAll();
    }
    MutexLock lock(mutex_);
    if (stream_ == &stream) stream_ = nullptr;
    return "";
  }

 private:
  const v1::EngineHello hello_;
  mutable Mutex mutex_;
  CondVar changed_;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  EngineEnd* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  v1::BeaconHello beacon_hello_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::BeaconToEngine> received_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const v1::BlockRequest&)> on_request_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_ENGINE_SCRIPT_H_
