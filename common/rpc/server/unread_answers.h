// Answers that were given and that their callers have not read yet.
#ifndef LEAN_COMMON_RPC_SERVER_UNREAD_ANSWERS_H_
#define LEAN_COMMON_RPC_SERVER_UNREAD_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/wire/message_limits.h"

namespace lean::rpc {

struct UnreadLimits {
  size_t connection_bytes = size_t{2} * kMaxMessageBytes;  // of one connection
  size_t bytes = size_t{256} << 20;                        // of all together
};

// Bounds what a server holds for callers who ask and do not read; gRPC does not. A connection gets no further answer
// while too much of it is unread. When all connections together have too much, the oldest answers are ended: those are
// the ones that nobody reads. Thread-safe.
class UnreadAnswers {
 public:
  using Id = uint64_t;

  // What a call weighs beside its answer.
  static constexpr size_t kCallBytes = 16 << 10;

  explicit UnreadAnswers(const UnreadLimits& limits) : limits_(limits) {}

  // Counts an answer until it is removed, or gives way: then `end` is called, once, by the thread that adds another
  // one. nullopt: the connection has too much unread. An answer that is alone on its connection is always counted.
  std::optional<Id> Add(const std::string& connection, size_t bytes, std::function<void()> end);
  // It was read, or its call has ended. What gave way may be removed, too.
  void Remove(Id id);

 private:
  struct Answer {
    std::string connection;
    size_t bytes = 0;
    std::function<void()> end;
  };
  using Answers = std::map<Id, Answer>;

  Answer Take(Answers::iterator answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const UnreadLimits limits_;
  Mutex mutex_;
  Answers answers_ ABSL_GUARDED_BY(mutex_);                                         // in order of age
  absl::flat_hash_map<std::string, size_t> by_connection_ ABSL_GUARDED_BY(mutex_);  // bytes; none is 0
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Id next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_UNREAD_ANSWERS_H_
