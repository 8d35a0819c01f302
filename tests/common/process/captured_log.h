// A logger whose lines a test can read.
#ifndef LEAN_TESTS_COMMON_PROCESS_CAPTURED_LOG_H_
#define LEAN_TESTS_COMMON_PROCESS_CAPTURED_LOG_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/log/logger.h"
#include "spdlog/sinks/base_sink.h"

namespace lean {

// Thread-safe.
class CapturedLog {
 public:
  CapturedLog() : sink_(std::make_shared<Sink>()), logger_(std::make_shared<spdlog::logger>("test", sink_)) {
    logger_->set_level(spdlog::level::trace);
  }

  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }

  // "level message" of each line so far.
  std::vector<std::string> lines() const { return sink_->lines(); }
  std::string text() const { return absl::StrJoin(lines(), "\n"); }
  // Those that contain `part`.
  std::vector<std::string> Matching(absl::string_view part) const {
    std::vector<std::string> matching;
    for (const std::string& line : lines()) {
      if (absl::StrContains(line, part)) matching.push_back(line);
    }
    return matching;
  }
  size_t Count(absl::string_view part) const { return Matching(part).size(); }
  void Clear() { sink_->Clear(); }

 private:
  class Sink : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> lines() {
      std::lock_guard lock(mutex_);
      return lines_;
    }
    void Clear() {
      std::lock_guard lock(mutex_);
      lines_.clear();
    }

   protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
      const auto level = spdlog::level::to_string_view(message.level);
      lines_.push_back(absl::StrCat(absl::string_view(level.data(), level.size()), " ",
                                    absl::string_view(message.payload.data(), message.payload.size())));
    }
    void flush_() override {}

   private:
    std::vector<std::string> lines_;
  };

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace lean

#endif  // LEAN_TESTS_COMMON_PROCESS_CAPTURED_LOG_H_
