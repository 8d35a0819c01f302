#include "common/process/standard_output.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/log/log_text.h"

namespace lean {
namespace {

constexpr size_t kMaxWaiting = 4096;

}  // namespace

RedirectedStream::RedirectedStream(std::ostream& stream, Write write)
    : stream_(stream), write_(std::move(write)), before_(stream.rdbuf(this)) {}

RedirectedStream::~RedirectedStream() {
  stream_.flush();
  stream_.rdbuf(before_);
}

RedirectedStream::int_type RedirectedStream::overflow(int_type character) {
  if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
  const char byte = traits_type::to_char_type(character);
  return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
}

std::streamsize RedirectedStream::xsputn(const char* text, std::streamsize size) {
  text_.append(text, static_cast<size_t>(size));
  // Up to a line's end, so that no character is cut in two.
  if (text_.size() > kMaxWaiting && text_.back() == '\n' && sync() != 0) return 0;
  return size;
}

int RedirectedStream::sync() {
  const std::string text = std::exchange(text_, "");
  return text.empty() || write_(text) ? 0 : -1;
}

bool WriteChecked(int descriptor, absl::string_view text) {
  std::string checked;
  while (!text.empty()) {
    const size_t end = text.find_first_of("\n\t");
    checked += WithoutControls(text.substr(0, end));
    if (end == absl::string_view::npos) break;
    checked += text[end];
    text.remove_prefix(end + 1);
  }
  absl::string_view rest = checked;
  while (!rest.empty()) {
    const ssize_t count = write(descriptor, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace lean
