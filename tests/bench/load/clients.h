// Callers of a beacon, each with a connection of its own, on gRPC's asynchronous client.
#ifndef LEAN_TESTS_BENCH_LOAD_CLIENTS_H_
#define LEAN_TESTS_BENCH_LOAD_CLIENTS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/concurrency/mutex.h"
#include "grpcpp/completion_queue.h"
#include "lean/v1/beacon.pb.h"
#include "lean/v1/validator.pb.h"
#include "tests/bench/load/open_loop.h"

namespace lean::load {

// Makes calls without waiting for their answers, and records their times. One thread receives the answers. Thread-safe,
// except for TakeCalls, which waits for the calls of all threads.
class Clients {
 public:
  // Opens `count` connections, at least one, and waits until all of them are open. Errors: a bad address; Unavailable.
  static absl::StatusOr<std::unique_ptr<Clients>> Connect(const std::string& beacon, size_t count);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  size_t count() const { return connections_.size(); }

  // A call of one client, below count(), that was due at `due`. It ends with an error after ten seconds.
  void Send(size_t client, Time due, const v1::GetHeadRequest& request);
  void Send(size_t client, Time due, const v1::BuildVoteRequest& request);
  // Good only if every vote was accepted or queued.
  void Send(size_t client, Time due, const v1::SubmitVotesRequest& request);

  // Waits for all answers.
  void Wait();
  // The same, and returns the calls since the last time, in the order in which they ended.
  std::vector<Call> TakeCalls();

  // What was wrong with bad calls since Connect, by the code or the reason, with their number.
  std::map<std::string, size_t> errors() const;

 private:
  struct Connection;
  struct Pending;
  template <typename Response>
  struct PendingCall;

  Clients() = default;
  template <typename Response, typename Stub, typename Request, typename Method>
  void Start(Stub& stub, Method method, Time due, const Request& request);
  void Receive();

  std::vector<std::unique_ptr<Connection>> connections_;
  grpc::CompletionQueue queue_;
  mutable Mutex mutex_;
  CondVar changed_;
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> errors_ ABSL_GUARDED_BY(mutex_);
  std::thread receiver_;
};

}  // namespace lean::load

#endif  // LEAN_TESTS_BENCH_LOAD_CLIENTS_H_
