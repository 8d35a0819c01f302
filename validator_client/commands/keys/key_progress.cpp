#include "validator_client/commands/keys/key_progress.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"

namespace lean::validator {
namespace {

constexpr int kPlainStepPercent = 10;

double SecondsBetween(KeyProgress::Time begin, KeyProgress::Time end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

void KeyProgress::Update(double fraction, Time now) {
  const double done =
      (static_cast<double>(keys_done_) + std::clamp(fraction, 0.0, 1.0)) / static_cast<double>(key_count_);
  // All of it is shown only once the last key is saved.
  const int most = keys_done_ == key_count_ ? 100 : 99;
  const int percent = std::min(static_cast<int>(done * 100), most);
  const int shown = terminal_ ? percent : percent / kPlainStepPercent * kPlainStepPercent;
  if (shown <= shown_percent_) return;
  shown_percent_ = shown;
  std::string line = absl::StrFormat("keys: %d of %d done, %3d %%", keys_done_, key_count_, shown);
  if (done > 0) line += absl::StrFormat(", %.0f s left", SecondsBetween(begin_, now) * (1 - done) / done);
  if (!terminal_) {
    out_ << line << '\n' << std::flush;
    return;
  }
  const size_t width = line.size();
  if (width < line_width_) line.append(line_width_ - width, ' ');
  line_width_ = width;
  out_ << '\r' << line << std::flush;
}

void KeyProgress::EndKey(Time now) {
  ++keys_done_;
  Update(0, now);
  if (keys_done_ < key_count_) return;
  Abandon();
  out_ << absl::StrFormat("keys: %d of %d done in %.1f s\n", keys_done_, key_count_, SecondsBetween(begin_, now))
       << std::flush;
}

void KeyProgress::Abandon() {
  if (terminal_ && line_width_ > 0) out_ << '\r' << std::string(line_width_, ' ') << '\r' << std::flush;
  line_width_ = 0;
}

}  // namespace lean::validator
