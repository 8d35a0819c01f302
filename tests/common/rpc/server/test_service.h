// A service whose one method does what the test says, on a pool of one thread.
#ifndef LEAN_TESTS_COMMON_RPC_SERVER_TEST_SERVICE_H_
#define LEAN_TESTS_COMMON_RPC_SERVER_TEST_SERVICE_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/rpc/server/unary_call.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "spdlog/sinks/null_sink.h"

namespace lean::rpc {

inline std::shared_ptr<spdlog::logger> SilentLog() {
  return std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>());
}

// One thread and at most `capacity` tasks that wait. Its destructor drops what has not begun.
class TestPool {
 public:
  explicit TestPool(size_t capacity) : capacity_(capacity), thread_([this] { Loop(); }) {}
  ~TestPool() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }

  Schedule Scheduler() {
    return [this](const Caller& caller, Work work) {
      {
        const MutexLock lock(mutex_);
        last_caller_ = caller;
        if (tasks_.size() < capacity_) {
          tasks_.push_back(std::move(work.run));
          changed_.NotifyAll();
          return;
        }
      }
      work.refuse();
    };
  }

  // Who made the last call.
  Caller last_caller() {
    const MutexLock lock(mutex_);
    return last_caller_;
  }

  // Blocks until `count` tasks wait for the thread.
  void AwaitWaiting(size_t count) {
    MutexLock lock(mutex_);
    changed_.Wait(mutex_, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return tasks_.size() == count; });
  }

 private:
  void Loop() {
    MutexLock lock(mutex_);
    while (true) {
      changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      changed_.NotifyAll();
      lock.Unlock();
      task();
      lock.Lock();
    }
  }

  const size_t capacity_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_;
  Caller last_caller_;
  bool stopping_ = false;
  std::thread thread_;
};

class TestService final : public v1::BeaconService::WithRawCallbackMethod_GetValidators<v1::BeaconService::Service> {
 public:
  using Handle = std::function<void(const v1::GetValidatorsRequest&, Reply<v1::GetValidatorsResponse>)>;

  TestService(Schedule schedule, Handle handle, const UnreadLimits& unread = {},
              std::shared_ptr<RequestBytes> requests = nullptr)
      : dispatcher_(std::move(schedule), std::move(requests), unread), handle_(std::move(handle)) {}

  grpc::ServerUnaryReactor* GetValidators(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override {
    return dispatcher_.Run<v1::GetValidatorsRequest, v1::GetValidatorsResponse>(context, request, response, handle_);
  }

  const Dispatcher& dispatcher() const { return dispatcher_; }

 private:
  Dispatcher dispatcher_;
  const Handle handle_;
};

}  // namespace lean::rpc

#endif  // LEAN_TESTS_COMMON_RPC_SERVER_TEST_SERVICE_H_
