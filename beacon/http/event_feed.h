// Events as server-sent events: the topics of other lean clients, and three of our own.
#ifndef LEAN_BEACON_HTTP_EVENT_FEED_H_
#define LEAN_BEACON_HTTP_EVENT_FEED_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "beacon/http/server/http_types.h"
#include "beacon/services/events/event_history.h"

namespace lean::beacon {

// "head,block": names of topics. InvalidArgument: none is given, or one is unknown, which the error names.
absl::StatusOr<EventKinds> ParseTopics(absl::string_view topics);

struct HttpTopic {
  absl::string_view name;
  absl::string_view summary;  // when there is such an event, for docs/reference/http.md
  absl::string_view form;     // its data in JSON, for the same
};

// By EventKind.
absl::Span<const HttpTopic> HttpTopics();

// The events of these kinds, each with its cursor as its id. A reader that is too slow finds the comment
// ": error - dropped N messages" in the place of what it has lost.
class EventFeed final : public HttpStream {
 public:
  // As EventReader. `history` outlives the feed.
  EventFeed(EventHistory& history, EventKinds kinds, const std::optional<EventCursor>& after)
      : history_(history), reader_(history, kinds, after) {}
  ~EventFeed() override;

  std::string Next() override;
  void Watch(std::function<void()> wake) override;

 private:
  void Append(const EventSlice& slice, std::string& text);
  // The JSON of a vote's data. Most votes that follow each other have the same.
  const std::string& DataText(const AttestationData& data);

  EventHistory& history_;
  EventReader reader_;
  std::optional<EventHistory::WatchId> watch_;
  std::optional<AttestationData> last_data_;
  std::string last_text_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_HTTP_EVENT_FEED_H_
