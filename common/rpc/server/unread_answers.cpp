#include "common/rpc/server/unread_answers.h"

#include <utility>
#include <vector>

namespace lean::rpc {

std::optional<UnreadAnswers::Id> UnreadAnswers::Add(const std::string& connection, size_t bytes,
                                                    std::function<void()> end) {
  const size_t weight = bytes + kCallBytes;
  std::vector<Answer> ended;
  Id id = 0;
  {
    MutexLock lock(mutex_);
    const auto own = by_connection_.find(connection);
    if (own != by_connection_.end() && own->second + weight > limits_.connection_bytes) return std::nullopt;
    id = next_++;
    answers_.emplace(id, Answer{connection, weight, std::move(end)});
    by_connection_[connection] += weight;
    bytes_ += weight;
    while (bytes_ > limits_.bytes && answers_.size() > 1) ended.push_back(Take(answers_.begin()));
  }
  for (const Answer& answer : ended) answer.end();
  return id;
}

void UnreadAnswers::Remove(Id id) {
  MutexLock lock(mutex_);
  const auto answer = answers_.find(id);
  if (answer != answers_.end()) Take(answer);
}

metrics::Footprint UnreadAnswers::footprint() const {
  MutexLock lock(mutex_);
  return {.name = "unread_answers", .items = answers_.size(), .bytes = bytes_};
}

UnreadAnswers::Answer UnreadAnswers::Take(Answers::iterator answer) {
  Answer taken = std::move(answer->second);
  answers_.erase(answer);
  bytes_ -= taken.bytes;
  const auto own = by_connection_.find(taken.connection);
  own->second -= taken.bytes;
  if (own->second == 0) by_connection_.erase(own);
  return taken;
}

}  // namespace lean::rpc
