// A logger whose lines a test can read.
#ifndef LEAN_TESTS_BEACON_SERVICES_CAPTURED_LOG_H_
#define LEAN_TESTS_BEACON_SERVICES_CAPTURED_LOG_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/log/logger.h"
#include "spdlog/sinks/base_sink.h"

namespace lean::beacon {

class CapturedLog {
 public:
  CapturedLog() : sink_(std::make_shared<Sink>()), logger_(std::make_shared<spdlog::logger>("test", sink_)) {
    logger_->set_level(spdlog::level::trace);
  }

  std::shared_ptr<spdlog::logger> logger() const { return logger_; }
  // "level message" of each line so far.
  std::vector<std::string> lines() const { return sink_->lines(); }
  // Those that contain `text`.
  std::vector<std::string> Matching(const std::string& text) const {
    std::vector<std::string> matching;
    for (const std::string& line : lines()) {
      if (line.find(text) != std::string::npos) matching.push_back(line);
    }
    return matching;
  }

 private:
  class Sink : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> lines() {
      std::lock_guard lock(mutex_);
      return lines_;
    }

   protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
      const auto level = spdlog::level::to_string_view(message.level);
      lines_.push_back(std::string(level.data(), level.size()) + " " +
                       std::string(message.payload.data(), message.payload.size()));
    }
    void flush_() override {}

   private:
    std::vector<std::string> lines_;
  };

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_SERVICES_CAPTURED_LOG_H_
