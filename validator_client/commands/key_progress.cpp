#include "validator_client/commands/key_progress.h"

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

void KeyProgress::Begin(uint64_t index, Time now) {
  ++key_number_;
  index_ = index;
  begin_ = now;
  shown_percent_ = -1;
}

void KeyProgress::Update(double fraction, Time now) {
  const int percent = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * 100);
  const int shown = terminal_ ? percent : percent / kPlainStepPercent * kPlainStepPercent;
  if (shown <= shown_percent_) return;
  shown_percent_ = shown;
  std::string line = absl::StrFormat("key %d of %d (validator %d): %3d %%", key_number_, key_count_, index_, shown);
  if (fraction > 0) {
    const double left = SecondsBetween(begin_, now) * (1 - fraction) / fraction;
    line += absl::StrFormat(", %.0f s left for this key", left);
  }
  if (!terminal_) {
    out_ << line << '\n' << std::flush;
    return;
  }
  const size_t width = line.size();
  if (width < line_width_) line.append(line_width_ - width, ' ');
  line_width_ = width;
  out_ << '\r' << line << std::flush;
}

void KeyProgress::End(Time now) {
  Abandon();
  out_ << absl::StrFormat("key %d of %d (validator %d): done in %.1f s\n", key_number_, key_count_, index_,
                          SecondsBetween(begin_, now))
       << std::flush;
}

void KeyProgress::Abandon() {
  if (terminal_ && line_width_ > 0) out_ << '\r' << std::string(line_width_, ' ') << '\r' << std::flush;
  line_width_ = 0;
}

}  // namespace lean::validator
