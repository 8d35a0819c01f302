#include "common/process/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/log/log_text.h"
#include "common/process/descriptors.h"

namespace lean {
namespace {

uint64_t LinesIn(absl::string_view text) { return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')); }

// As many complete lines as a pipe accepts without waiting, or the beginning of a longer line.
absl::string_view NextPiece(absl::string_view text) {
  if (text.size() <= PIPE_BUF) return text;
  const size_t end = text.substr(0, PIPE_BUF).rfind('\n');
  return text.substr(0, end == absl::string_view::npos ? PIPE_BUF : end + 1);
}

// Writes all of `text`, however long that takes. Returns what the descriptor refused because it is closed or its disk
// is full. The descriptor stays in blocking mode, because other processes share its flags; poll tells when a write does
// not wait.
absl::string_view WriteAll(const Descriptor& descriptor, absl::string_view text) {
  if (!descriptor.valid()) return text;
  while (!text.empty()) {
    pollfd ready{.fd = descriptor.get(), .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, -1) < 0 && errno != EINTR) return text;
    const absl::string_view piece = NextPiece(text);
    const ssize_t count = write(descriptor.get(), piece.data(), piece.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return text;
    }
  }
  return text;
}

constexpr size_t kMaxWaiting = 4096;

// libgrpc opens an eventfd when it is loaded, before main.
[[gnu::section(".preinit_array"), gnu::used]] void (*const open_first)() = [] { OpenStandardDescriptors(); };

}  // namespace

class LineWriter::Queue {
 public:
  Queue(int descriptor, size_t max_bytes, Note note)
      : descriptor_(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)), max_bytes_(max_bytes), note_(std::move(note)) {}

  // True: this is the first line, and the caller must start the thread that runs Drain.
  bool Push(absl::string_view lines) {
    bool first = false;
    {
      MutexLock lock(mutex_);
      const size_t used = waiting_.size() + writing_bytes_;
      if (untold_ > 0 && used <= max_bytes_ / 2) Tell();
      if (untold_ > 0 || used + lines.size() > max_bytes_) {
        dropped_ += LinesIn(lines);
        untold_ += LinesIn(lines);
        return false;
      }
      waiting_.append(lines.data(), lines.size());
      first = !std::exchange(started_, true);
    }
    changed_.NotifyAll();
    return first;
  }

  // Runs on the thread that writes.
  void Drain() {
    std::string writing;
    MutexLock lock(mutex_);
    while (true) {
      if (waiting_.empty() && untold_ > 0) Tell();
      changed_.Wait(mutex_, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::swap(writing, waiting_);
      writing_bytes_ = writing.size();
      lock.Unlock();
      const uint64_t refused = LinesIn(WriteAll(descriptor_, writing));
      writing.clear();
      lock.Lock();
      writing_bytes_ = 0;
      dropped_ += refused;
      changed_.NotifyAll();
    }
  }

  bool Flush(std::chrono::milliseconds limit) {
    MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, limit, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return waiting_.empty() && writing_bytes_ == 0;
    });
  }

  void End() {
    {
      MutexLock lock(mutex_);
      ended_ = true;
    }
    changed_.NotifyAll();
  }

  uint64_t dropped() const {
    MutexLock lock(mutex_);
    return dropped_;
  }

 private:
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { waiting_ += note_(std::exchange(untold_, 0)); }

  const Descriptor descriptor_;
  const size_t max_bytes_;
  const Note note_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::string waiting_ ABSL_GUARDED_BY(mutex_);
  size_t writing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes that the thread has taken
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t untold_ ABSL_GUARDED_BY(mutex_) = 0;  // those that no note has reported yet
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

LineWriter::LineWriter(int descriptor, size_t max_bytes, Note note)
    : queue_(std::make_shared<Queue>(descriptor, max_bytes, std::move(note))) {}

LineWriter::~LineWriter() {
  Flush(kEndPatience);
  queue_->End();
}

void LineWriter::Write(absl::string_view lines) {
  // The thread starts with the first line, because a short command may write none.
  if (queue_->Push(lines)) std::thread([queue = queue_] { queue->Drain(); }).detach();
}

bool LineWriter::Flush(std::chrono::milliseconds limit) { return queue_->Flush(limit); }

uint64_t LineWriter::dropped() const { return queue_->dropped(); }

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
  // Up to a newline, so that no character is split.
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

bool OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The system opens the lowest free descriptor. Uses plain system calls, because no library is initialised yet.
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0 && syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

}  // namespace lean
