#include "common/process/log.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/line_limit.h"
#include "common/log/log_line.h"
#include "common/log/log_text.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/base_sink.h"

namespace lean {
namespace {

constexpr char kTimeForm[] = "%Y-%m-%dT%H:%M:%S.%eZ";

std::string TextOf(const spdlog::memory_buf_t& buffer) { return {buffer.data(), buffer.size()}; }

// Shorter than a minute, because some lines are written by a LineLimit of their own, once a minute: they are not left
// out when they are written a moment sooner than a minute after the last one.
constexpr std::chrono::seconds kRepeatPeriod = LineLimit::kPeriod - std::chrono::seconds(1);
constexpr std::chrono::seconds kTellPeriod{1};

constexpr char kReset[] = "\033[m";

const char* ColourOf(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::info:
      return "\033[32m";  // green
    case spdlog::level::warn:
      return "\033[33m\033[1m";  // bold yellow
    case spdlog::level::err:
      return "\033[31m\033[1m";  // bold red
    default:
      return "\033[36m";  // cyan
  }
}

// The lines of a log in one form. Not thread-safe.
class LineMaker {
 public:
  explicit LineMaker(LogForm form) : form_(form), time_(kTimeForm, spdlog::pattern_time_type::utc, "") {}

  // With the newline.
  std::string Line(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t buffer;
    time_.format(message, buffer);
    const std::string time = TextOf(buffer);
    const auto level_name = spdlog::level::to_string_view(message.level);
    const absl::string_view level(level_name.data(), level_name.size());
    const std::string text = WithoutControls({message.payload.data(), message.payload.size()});
    if (form_ == LogForm::kJson) {
      return absl::StrCat(JsonLine(time, level, {message.logger_name.data(), message.logger_name.size()}, text), "\n");
    }
    const std::string column = absl::StrFormat("%-7s", level);
    if (form_ == LogForm::kText) return absl::StrCat(time, " ", column, " ", text, "\n");
    return absl::StrCat(time, " ", ColourOf(message.level), column, kReset, " ", Aligned(text), "\n");
  }

 private:
  const LogForm form_;
  spdlog::pattern_formatter time_;
};

class Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  Sink(LogForm form, std::shared_ptr<LineWriter> writer, std::shared_ptr<const Clock> clock)
      : writer_(std::move(writer)), clock_(std::move(clock)), lines_(form) {}

  uint64_t dropped() const { return writer_->dropped(); }

  // The levels of `log` and of the logs that were made of it follow SetLevels from now on.
  void Follow(const std::shared_ptr<spdlog::logger>& log) {
    MutexLock lock(levels_mutex_);
    std::erase_if(logs_, [](const std::weak_ptr<spdlog::logger>& known) { return known.expired(); });
    logs_.push_back(log);
    log->set_level(LevelOf(log->name()));
  }

  void SetLevels(const LogLevels& levels) {
    MutexLock lock(levels_mutex_);
    levels_ = levels;
    for (const std::weak_ptr<spdlog::logger>& known : logs_) {
      if (const auto log = known.lock(); log != nullptr) log->set_level(LevelOf(log->name()));
    }
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const SteadyTime now = clock_->Steady();
    WriteLeftOut(now);
    if (message.level >= spdlog::level::warn && !repeats_.Admit(CauseOf(message), now)) return;
    writer_->Write(lines_.Line(message));
  }
  void flush_() override {}

 private:
  spdlog::level::level_enum LevelOf(const std::string& part) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(levels_mutex_) {
    const auto own = levels_.parts.find(part);
    return own == levels_.parts.end() ? levels_.all : own->second;
  }

  static std::string CauseOf(const spdlog::details::log_msg& message) {
    const absl::string_view text = absl::string_view(message.payload.data(), message.payload.size());
    const absl::string_view compared = text.substr(0, kComparedBytes);
    return message.level == spdlog::level::warn ? WithoutNumbers(compared) : std::string(compared);
  }

  void WriteLeftOut(SteadyTime now) {
    if (now - told_left_out_ < kTellPeriod) return;
    told_left_out_ = now;
    for (const LineLimit::LeftOut& left_out : repeats_.TakeLeftOut(now)) {
      const std::string text = absl::StrCat("lines_left_out lines=", left_out.lines, " seconds=", kRepeatPeriod.count(),
                                            " like=\"", Printable(left_out.cause), "\"");
      writer_->Write(lines_.Line(spdlog::details::log_msg("", spdlog::level::warn, text)));
    }
  }

  Mutex levels_mutex_;
  LogLevels levels_ ABSL_GUARDED_BY(levels_mutex_);
  std::vector<std::weak_ptr<spdlog::logger>> logs_ ABSL_GUARDED_BY(levels_mutex_);

  // The following are guarded by the lock of base_sink.
  const std::shared_ptr<LineWriter> writer_;
  const std::shared_ptr<const Clock> clock_;
  LineMaker lines_;
  LineLimit repeats_{{.period = kRepeatPeriod, .most_causes = kMostRepeated, .share_other = false}};
  SteadyTime told_left_out_;
};

Sink* SinkOf(const spdlog::logger& log) {
  for (const spdlog::sink_ptr& sink : log.sinks()) {
    if (auto* ours = dynamic_cast<Sink*>(sink.get()); ours != nullptr) return ours;
  }
  return nullptr;
}

bool IsLevel(absl::string_view text) { return text == "debug" || text == "info" || text == "warn" || text == "error"; }

}  // namespace

absl::StatusOr<LogLevels> ParseLogLevels(absl::string_view text, const std::vector<std::string>& parts) {
  LogLevels levels;
  bool first = true;
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> named = absl::StrSplit(item, absl::MaxSplits('=', 1));
    const absl::string_view level = absl::StripAsciiWhitespace(first ? item : named.second);
    if (!IsLevel(level)) {
      return absl::InvalidArgumentError(absl::StrCat("\"", item, "\" is not ", first ? "a level" : "PART=LEVEL",
                                                     "; levels are debug, info, warn and error"));
    }
    const auto value = spdlog::level::from_str(std::string(level));
    const std::string part(absl::StripAsciiWhitespace(named.first));
    if (first) {
      levels.all = value;
    } else if (std::find(parts.begin(), parts.end(), part) == parts.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", part, "\" is no part; parts are ", absl::StrJoin(parts, ", ")));
    } else {
      levels.parts[part] = value;
    }
    first = false;
  }
  return levels;
}

std::string LogLine(LogForm form, spdlog::level::level_enum level, absl::string_view text) {
  return LineMaker(form).Line(spdlog::details::log_msg("", level, {text.data(), text.size()}));
}

std::shared_ptr<LineWriter> MakeErrorWriter(std::shared_ptr<const std::atomic<LogForm>> form) {
  return std::make_shared<LineWriter>(STDERR_FILENO, kMaxLogBytes, [form = std::move(form)](uint64_t dropped) {
    return LogLine(*form, spdlog::level::warn,
                   absl::StrCat("log_dropped lines=", dropped, " message=\"the log had no reader for a while\""));
  });
}

std::shared_ptr<spdlog::logger> MakeLog(const LogLevels& levels, LogForm form, std::shared_ptr<LineWriter> writer,
                                        std::shared_ptr<const Clock> clock) {
  const auto sink = std::make_shared<Sink>(form, std::move(writer), std::move(clock));
  auto log = std::make_shared<spdlog::logger>("", sink);
  sink->SetLevels(levels);
  sink->Follow(log);
  // spdlog's default handler writes to standard error and may block there.
  log->set_error_handler([](const std::string&) {});
  return log;
}

std::shared_ptr<spdlog::logger> PartLog(const std::shared_ptr<spdlog::logger>& log, const std::string& part) {
  Sink* const sink = SinkOf(*log);
  if (sink == nullptr) return log;
  std::shared_ptr<spdlog::logger> of_part = log->clone(part);
  sink->Follow(of_part);
  return of_part;
}

void SetLogLevels(spdlog::logger& log, const LogLevels& levels) {
  if (Sink* const sink = SinkOf(log); sink != nullptr) sink->SetLevels(levels);
}

uint64_t DroppedLogLines(const spdlog::logger& log) {
  const Sink* const sink = SinkOf(log);
  return sink == nullptr ? 0 : sink->dropped();
}

}  // namespace lean
