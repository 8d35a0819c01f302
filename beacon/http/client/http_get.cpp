#include "beacon/http/client/http_get.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "absl/strings/str_cat.h"
#include "common/log/log_text.h"

namespace lean::beacon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Clock = asio::steady_timer::clock_type;  // of the deadlines

constexpr uint32_t kAnswerHeaderBytes = 16 * 1024;
constexpr size_t kReadBytes = 256 * 1024;
constexpr size_t kShownBytes = 200;  // of the body of an error
constexpr unsigned kVersion = 11;

// Used by the thread that calls Run, but for Cancel.
class Fetch {
 public:
  Fetch(const rpc::Address& address, const std::string& path, const HttpGetLimits& limits)
      : address_(address), limits_(limits), begun_(Clock::now()) {
    request_ = {http::verb::get, path, kVersion};
    request_.set(http::field::host, address.ToString());
    request_.set(http::field::accept, "application/octet-stream");
    request_.set(http::field::connection, "close");
    parser_.header_limit(kAnswerHeaderBytes);
    parser_.body_limit(limits.bytes);
  }

  absl::StatusOr<std::string> Run() {
    // A deadline of the name's resolution, which the stream's does not cover.
    timer_.expires_after(limits_.pause);
    timer_.async_wait([this](beast::error_code error) {
      if (!error) resolver_.cancel();
    });
    resolver_.async_resolve(address_.host, absl::StrCat(address_.port),
                            [this](beast::error_code error, const tcp::resolver::results_type& found) {
                              const bool timed_out = timer_.cancel() == 0;
                              if (error) return End(timed_out ? beast::error::timeout : error);
                              stream_.expires_after(limits_.pause);
                              stream_.async_connect(found, [this](beast::error_code failed, const tcp::endpoint&) {
                                if (failed) return End(failed);
                                Send();
                              });
                            });
    io_.run();
    return Result();
  }

  // From any thread: Run returns soon.
  void Cancel() {
    asio::post(io_, [this] {
      resolver_.cancel();
      stream_.close();
    });
  }

 private:
  void Send() {
    stream_.expires_after(limits_.pause);
    http::async_write(stream_, request_, [this](beast::error_code error, size_t) {
      if (error) return End(error);
      Read();
    });
  }

  // Reads until the answer is complete. After the free time the average must be at least the least speed.
  void Read() {
    const auto earned = std::chrono::milliseconds(parser_.get().body().size() * 1000 / limits_.bytes_per_second);
    stream_.expires_at(std::min(Clock::now() + limits_.pause, begun_ + limits_.free_time + earned));
    http::async_read_some(stream_, buffer_, parser_, [this](beast::error_code error, size_t) {
      if (error || parser_.is_done()) return End(error);
      Read();
    });
  }

  void End(beast::error_code error) {
    error_ = error;
    stream_.close();
  }

  absl::Status Failed(absl::StatusCode code, absl::string_view why) const {
    return {code, absl::StrCat("http://", address_.ToString(), request_.target().to_string(), ": ", why)};
  }

  absl::StatusOr<std::string> Result() {
    const auto& answer = parser_.get();
    if (error_ == http::error::body_limit) {
      return Failed(absl::StatusCode::kInvalidArgument, absl::StrCat("more than ", limits_.bytes, " bytes"));
    }
    if (error_ == beast::error::timeout) {
      return Failed(absl::StatusCode::kDeadlineExceeded, "it is silent or too slow");
    }
    if (error_ == http::error::end_of_stream || error_ == http::error::partial_message) {
      return Failed(absl::StatusCode::kUnavailable, "it closed the connection before the answer was complete");
    }
    if (error_ && error_.category() == http::make_error_code(http::error::bad_version).category()) {
      return Failed(absl::StatusCode::kInvalidArgument, absl::StrCat("its answer is not HTTP: ", error_.message()));
    }
    if (error_) return Failed(absl::StatusCode::kUnavailable, error_.message());
    if (answer.result() != http::status::ok) {
      return Failed(absl::StatusCode::kInvalidArgument,
                    absl::StrCat("status ", answer.result_int(), " ", Printable(answer.body(), kShownBytes)));
    }
    return std::move(parser_.get().body());
  }

  const rpc::Address& address_;
  const HttpGetLimits& limits_;
  const Clock::time_point begun_;
  asio::io_context io_{1};
  tcp::resolver resolver_{io_};
  asio::steady_timer timer_{io_};
  beast::tcp_stream stream_{io_};
  http::request<http::empty_body> request_;
  beast::flat_buffer buffer_{kReadBytes};
  http::response_parser<http::string_body> parser_;
  beast::error_code error_ = http::error::end_of_stream;  // until it has ended otherwise
};

}  // namespace

absl::StatusOr<std::string> HttpGet(const rpc::Address& address, const std::string& path, const HttpGetLimits& limits,
                                    const std::stop_token& stop) {
  Fetch fetch(address, path, limits);
  const std::stop_callback cancel(stop, [&fetch] { fetch.Cancel(); });
  if (stop.stop_requested()) return absl::CancelledError("the request was cancelled");
  absl::StatusOr<std::string> body = fetch.Run();
  if (!body.ok() && stop.stop_requested()) return absl::CancelledError("the request was cancelled");
  return body;
}

}  // namespace lean::beacon
