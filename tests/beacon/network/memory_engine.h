// A scripted network engine whose messages stay in memory, so that the thread sanitizer sees both ends of the stream.
#ifndef LEAN_TESTS_BEACON_NETWORK_MEMORY_ENGINE_H_
#define LEAN_TESTS_BEACON_NETWORK_MEMORY_ENGINE_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/network/engine/engine_transport.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/wire/message_limits.h"
#include "tests/beacon/network/engine_script.h"

namespace lean::beacon {

// Messages in both directions between two threads at each end. A writer waits while kMostWaiting messages wait for the
// reader, as on a socket. Thread-safe.
class MemoryStream final : public EngineEnd {
 public:
  bool Read(v1::BeaconToEngine* message) override { return Take(to_engine_, message); }
  bool Write(const v1::EngineToBeacon& message) override {
    if (message.ByteSizeLong() > static_cast<size_t>(rpc::kMaxMessageBytes)) End("received message larger than max");
    return Put(to_beacon_, message);
  }
  void Cancel() override { End("the engine ended the stream"); }

  bool ReadAsBeacon(v1::EngineToBeacon* message) { return Take(to_beacon_, message); }
  bool WriteAsBeacon(const v1::BeaconToEngine& message) { return Put(to_engine_, message); }
  // The engine reads no more.
  void WritesDone() {
    MutexLock lock(mutex_);
    writes_done_ = true;
    changed_.NotifyAll();
  }
  void End(std::string why) {
    MutexLock lock(mutex_);
    if (ended_) return;
    ended_ = true;
    why_ = std::move(why);
    changed_.NotifyAll();
  }
  std::string why() const {
    MutexLock lock(mutex_);
    return why_;
  }

 private:
  static constexpr size_t kMostWaiting = 16;

  template <typename Message>
  bool Put(std::deque<Message>& queue, const Message& message) {
    MutexLock lock(mutex_);
    changed_.Wait(mutex_,
                  [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || queue.size() < kMostWaiting; });
    if (ended_) return false;
    queue.push_back(message);
    changed_.NotifyAll();
    return true;
  }
  template <typename Message>
  bool Take(std::deque<Message>& queue, Message* message) {
    MutexLock lock(mutex_);
    const bool from_beacon = std::is_same_v<Message, v1::BeaconToEngine>;
    changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return ended_ || !queue.empty() || (from_beacon && writes_done_);
    });
    if (ended_ || queue.empty()) return false;
    *message = std::move(queue.front());
    queue.pop_front();
    changed_.NotifyAll();
    return true;
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<v1::BeaconToEngine> to_engine_;
  std::deque<v1::EngineToBeacon> to_beacon_;
  bool writes_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::string why_ ABSL_GUARDED_BY(mutex_);
};

class MemoryEngine;

// The engines of the process by address, as a system has a table of listening sockets. Thread-safe.
struct MemorySockets {
  Mutex mutex;
  std::map<std::string, MemoryEngine*> listening ABSL_GUARDED_BY(mutex);
};
inline MemorySockets& Sockets() {
  static auto* const sockets = new MemorySockets();
  return *sockets;
}

class MemoryEngine final : public EngineScript {
 public:
  explicit MemoryEngine(std::string address, v1::EngineHello hello = GoodHello())
      : EngineScript(std::move(hello)), address_(std::move(address)) {
    MutexLock lock(Sockets().mutex);
    Sockets().listening[address_] = this;
  }
  ~MemoryEngine() override { Stop(); }

  // As a process that is killed.
  void Stop() {
    std::vector<std::thread> threads;
    {
      MutexLock lock(Sockets().mutex);
      Sockets().listening.erase(address_);
      for (const std::shared_ptr<MemoryStream>& stream : streams_) stream->End("Socket closed");
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }

  // False: no engine listens at the address.
  static bool Connect(const std::string& address, const std::shared_ptr<MemoryStream>& stream) {
    MutexLock lock(Sockets().mutex);
    const auto found = Sockets().listening.find(address);
    if (found == Sockets().listening.end()) return false;
    found->second->streams_.push_back(stream);
    found->second->threads_.emplace_back([engine = found->second, stream] { stream->End(engine->Serve(*stream)); });
    return true;
  }

 private:
  const std::string address_;
  // Guarded by the mutex of Sockets().
  std::vector<std::shared_ptr<MemoryStream>> streams_;
  std::vector<std::thread> threads_;
};

class MemoryTransport final : public EngineTransport {
 public:
  explicit MemoryTransport(std::string address) : address_(std::move(address)) {}

  void Start() override {
    if (!MemoryEngine::Connect(address_, stream_)) stream_->End("failed to connect");
  }
  bool Read(v1::EngineToBeacon* message) override { return stream_->ReadAsBeacon(message); }
  bool Write(const v1::BeaconToEngine& message) override { return stream_->WriteAsBeacon(message); }
  void WritesDone() override { stream_->WritesDone(); }
  std::string Finish() override { return stream_->why(); }
  void Cancel() override { stream_->End("cancelled"); }

 private:
  const std::string address_;
  const std::shared_ptr<MemoryStream> stream_ = std::make_shared<MemoryStream>();
};

inline OpenEngineTransport EngineInMemory(std::string address) {
  return [address = std::move(address)] { return std::make_unique<MemoryTransport>(address); };
}

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_NETWORK_MEMORY_ENGINE_H_
