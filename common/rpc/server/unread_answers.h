// Answers that were given and not read yet.
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
#include "common/metrics/footprint.h"
#include "common/rpc/wire/message_limits.h"

namespace lean::rpc {

struct UnreadLimits {
  size_t connection_bytes = size_t{2} * kMaxMessageBytes;  // of one connection
  size_t bytes = size_t{256} << 20;                        // of all together
};

// Limits the memory that a server needs for callers that do not read their answers, which gRPC does not limit. A
// connection gets no more answers while it has too many unread bytes. If all connections together have too many, the
// calls with the oldest answers are ended, because nobody reads these. Thread-safe.
class UnreadAnswers {
 public:
  using Id = uint64_t;

  // Weight of a call in addition to its answer, in bytes.
  static constexpr size_t kCallBytes = 16 << 10;

  explicit UnreadAnswers(const UnreadLimits& limits) : limits_(limits) {}

  // Counts an answer until it is removed or displaced. If it is displaced, the thread that adds another answer calls
  // `end`, once. nullopt: the connection has too many unread bytes. The only answer of a connection is always counted.
  std::optional<Id> Add(const std::string& connection, size_t bytes, std::function<void()> end);
  // The answer was read, or its call has ended. May also be called for a displaced answer.
  void Remove(Id id);

  // Of the answers that count at the moment.
  metrics::Footprint footprint() const;

 private:
  struct Answer {
    std::string connection;
    size_t bytes = 0;
    std::function<void()> end;
  };
  using Answers = std::map<Id, Answer>;

  Answer Take(Answers::iterator answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const UnreadLimits limits_;
  mutable Mutex mutex_;
  Answers answers_ ABSL_GUARDED_BY(mutex_);                                         // in order of age
  absl::flat_hash_map<std::string, size_t> by_connection_ ABSL_GUARDED_BY(mutex_);  // bytes; none is 0
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Id next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_UNREAD_ANSWERS_H_
