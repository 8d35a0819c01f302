// A logger whose lines a test can read.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LOG_CAPTURE_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LOG_CAPTURE_H_

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "common/log/logger.h"
#include "spdlog/sinks/base_sink.h"

namespace lean::validator {

// Thread-safe.
class LogCapture {
 public:
  LogCapture() : sink_(std::make_shared<Sink>()), logger_(std::make_shared<spdlog::logger>("test", sink_)) {
    logger_->set_level(spdlog::level::debug);
    logger_->set_pattern("%l %v", spdlog::pattern_time_type::utc);
  }

  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }
  // "level text", one a line.
  std::vector<std::string> lines() const { return sink_->lines(); }
  std::string text() const { return absl::StrJoin(lines(), "\n"); }
  size_t Count(absl::string_view part) const {
    const std::vector<std::string> all = lines();
    return std::count_if(all.begin(), all.end(),
                         [part](const std::string& line) { return absl::StrContains(line, part); });
  }
  void Clear() { sink_->Clear(); }

 private:
  class Sink : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> lines() {
      std::lock_guard<std::mutex> lock(mutex_);
      return lines_;
    }
    void Clear() {
      std::lock_guard<std::mutex> lock(mutex_);
      lines_.clear();
    }

   protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t formatted;
      formatter_->format(message, formatted);
      std::string line(formatted.data(), formatted.size());
      while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
      lines_.push_back(line);
    }
    void flush_() override {}

   private:
    std::vector<std::string> lines_;
  };

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_LOG_CAPTURE_H_
