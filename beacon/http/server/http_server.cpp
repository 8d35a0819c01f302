#include "beacon/http/server/http_server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <deque>
#include <limits>
#include <optional>
#include <sstream>
#include <thread>
#include <type_traits>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "beacon/http/server/connection_book.h"
#include "beacon/http/server/renewed_tls.h"
#include "common/concurrency/mutex.h"
#include "common/process/descriptors.h"
#include "common/rpc/connections/connection_gate.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Stage = HttpConnection::Stage;

constexpr uint32_t kHeaderBytes = 8 * 1024;
// Of a stream in the kernel, so that a slow reader is noticed.
constexpr int kStreamBufferBytes = 128 * 1024;
constexpr size_t kMostArriving = 4096;      // accepted by the gate, and not seen by the server's thread yet
constexpr std::chrono::seconds kLinger{2};  // for the client to read the last response and to close first
constexpr int kNice = 5;
constexpr char kKeepAlive[] = ":\n\n";

std::string Text(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

class HttpServer::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(const HttpLimits& limits, HttpHandler handler) : limits_(limits), handler_(std::move(handler)), book_(limits) {}

  absl::Status UseTls(std::shared_ptr<rpc::TlsFiles> files);
  absl::Status Listen(const rpc::Address& address);
  const rpc::Address& address() const { return gate_->address(); }
  void Start();
  void Stop();
  HttpCounts counts() const { return book_.counts(); }

 private:
  template <typename Stream>
  class Session;

  // Takes over the next connection that the gate has accepted. One at a time: what the ones before have sent is read
  // in between, so that a burst of connections does not displace one whose request is already there.
  void Arrive();
  void Begin(int fd);

  const HttpLimits limits_;
  const HttpHandler handler_;
  std::unique_ptr<RenewedTls> tls_;  // of the thread; null: connections are not encrypted
  asio::io_context io_{1};
  std::unique_ptr<rpc::ConnectionGate> gate_;
  Mutex arrivals_mutex_;
  std::deque<Descriptor> arrivals_ ABSL_GUARDED_BY(arrivals_mutex_);
  ConnectionBook book_;  // of the thread
  std::thread thread_;
};

// A connection with or without TLS. Each step that waits keeps it alive.
template <typename Stream>
class HttpServer::Core::Session final : public HttpConnection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <typename... Tls>
  Session(Core& core, std::string host, uint16_t port, tcp::socket socket, Tls&... tls)
      : HttpConnection(std::move(host), port), core_(core), stream_(std::move(socket), tls...), timer_(core.io_) {}

  void Begin() {
    if constexpr (kTls) {
      Bottom().expires_after(core_.limits_.request_time);
      stream_.async_handshake(asio::ssl::stream_base::server, [this, self = Self()](beast::error_code error) {
        if (error) return Close();
        Read();
      });
    } else {
      Read();
    }
  }

  // Gives the answer to the request that was read last.
  void Answer(HttpResponse response) {
    if (closed_) return;
    if (response.stream != nullptr && !core_.book_.AdmitStream(host())) {
      response = PlainHttpError(503, "too many event streams are open; try again later");
    } else if (response.stream != nullptr) {
      streams_ = true;
    }
    core_.book_.CountAnswer(response.route, response.status);
    http::response<http::empty_body> head(static_cast<http::status>(response.status), 11);
    head.set(http::field::content_type, response.content_type);
    if (!response.content_policy.empty()) head.set("Content-Security-Policy", response.content_policy);
    if (response.status == static_cast<unsigned>(http::status::method_not_allowed)) {
      head.set(http::field::allow, "GET, HEAD");
    }
    if (streams_) {
      head.set(http::field::cache_control, "no-cache");
      keep_alive_ = false;
      source_ = std::move(response.stream);
    } else {
      head.content_length(response.body->size());
      body_ = std::move(response.body);
      core_.book_.HoldBody(body_);
    }
    if (!keep_alive_) head.set(http::field::connection, "close");
    std::ostringstream text;
    text << head.base();
    text_ = text.str();
    const bool with_body = body_ != nullptr && !is_head_;
    Enter(Stage::kWriting);
    Send(with_body ? asio::buffer(*body_) : asio::const_buffer());
  }

  void Close() override {
    if (std::exchange(closed_, true)) return;
    Release();
    source_ = nullptr;
    if (streams_) core_.book_.EndStream(host());
    timer_.cancel();
    Bottom().close();
    core_.book_.Remove(Self());
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

  std::shared_ptr<Session> Self() { return this->shared_from_this(); }
  beast::tcp_stream& Bottom() { return beast::get_lowest_layer(stream_); }

  void Read() {
    Enter(Stage::kReading);
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(0);
    Bottom().expires_after(core_.limits_.request_time);
    http::async_read(stream_, buffer_, *parser_,
                     [this, self = Self()](beast::error_code error, size_t) { OnRead(error); });
  }

  void OnRead(beast::error_code error) {
    static const auto& kMalformed = http::make_error_code(http::error::bad_method).category();
    keep_alive_ = false;
    is_head_ = false;
    if (closed_ || error == http::error::end_of_stream || (error && error.category() != kMalformed)) return Close();
    if (error == http::error::body_limit || error == http::error::unexpected_body) {
      return Answer(PlainHttpError(413, "a request has no body"));
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Answer(PlainHttpError(431, "the header is larger than 8 KiB"));
    }
    if (error) return Answer(PlainHttpError(400, "the bytes are not an HTTP request"));
    const auto& request = parser_->get();
    keep_alive_ = request.keep_alive();
    is_head_ = request.method() == http::verb::head;
    if (!is_head_ && request.method() != http::verb::get) {
      return Answer(PlainHttpError(405, "this server is read-only: use GET or HEAD"));
    }
    Enter(Stage::kWorking);
    const HttpRequest asked{.target = Text(request.target()),
                            .last_event_id = Text(request["Last-Event-ID"]),
                            .host = host(),
                            .connection = name()};
    core_.handler_(asked, [core = core_.weak_from_this(), session = this->weak_from_this()](HttpResponse response) {
      const auto alive = core.lock();
      if (alive == nullptr) return;
      auto answer = std::make_shared<HttpResponse>(std::move(response));
      asio::post(alive->io_, [session, answer] {
        if (const auto self = session.lock()) self->Answer(std::move(*answer));
      });
    });
  }

  // Sends text_ and then `body`, which stay until they are sent.
  void Send(asio::const_buffer body) {
    unsent_.emplace(std::array<asio::const_buffer, 2>{asio::buffer(text_), body});
    writing_ = true;
    SendRest();
  }
  void SendRest() {
    Bottom().expires_after(stage() == Stage::kStreaming ? core_.limits_.stream_pause : core_.limits_.write_pause);
    stream_.async_write_some(*unsent_, [this, self = Self()](beast::error_code error, size_t bytes) {
      if (error || closed_) return Close();
      unsent_->consume(bytes);
      if (beast::buffer_bytes(*unsent_) > 0) return SendRest();
      writing_ = false;
      OnSent();
    });
  }

  void OnSent() {
    if (stage() == Stage::kStreaming) {
      KeepAlive();
      return Pump();
    }
    if (streams_ && !is_head_) return BeginStream();
    Release();
    if (keep_alive_) return Read();
    Linger();
  }

  // Lets the client read what was sent: bytes that it sends to a closed socket would make it lose them.
  void Linger() {
    Enter(Stage::kReading);  // may be displaced
    Bottom().expires_after(kLinger);
    const auto end = [this, self = Self()](beast::error_code, size_t = 0) { Close(); };
    if constexpr (kTls) {
      stream_.async_shutdown(end);
    } else {
      beast::error_code ignored;
      Bottom().socket().shutdown(tcp::socket::shutdown_send, ignored);
      buffer_.clear();
      asio::async_read(stream_, buffer_, end);
    }
  }

  void BeginStream() {
    Enter(Stage::kStreaming);
    beast::error_code ignored;
    Bottom().socket().set_option(asio::socket_base::send_buffer_size(kStreamBufferBytes), ignored);
    Bottom().expires_never();
    buffer_.clear();
    asio::async_read(stream_, buffer_, [this, self = Self()](beast::error_code, size_t) { Close(); });
    source_->Watch([&io = core_.io_, weak = std::weak_ptr<Session>(Self())] {
      asio::post(io, [weak] {
        if (const auto self = weak.lock()) self->Pump();
      });
    });
    KeepAlive();
    Pump();
  }

  void Pump() {
    if (closed_ || writing_) return;
    text_ = source_->Next();
    if (!text_.empty()) Send({});
  }

  // Sends a comment when nothing else was sent for a while.
  void KeepAlive() {
    timer_.expires_after(core_.limits_.keep_alive);
    timer_.async_wait([this, self = Self()](beast::error_code error) {
      if (error || closed_ || writing_) return;
      text_ = kKeepAlive;
      Send({});
    });
  }

  void Release() {
    if (body_ != nullptr) core_.book_.ReleaseBody(body_);
    body_ = nullptr;
  }

  Core& core_;
  Stream stream_;
  beast::flat_buffer buffer_{2 * size_t{kHeaderBytes}};
  std::optional<http::request_parser<http::empty_body>> parser_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  std::string text_;
  std::shared_ptr<const std::string> body_;
  std::optional<beast::buffers_suffix<std::array<asio::const_buffer, 2>>> unsent_;
  std::unique_ptr<HttpStream> source_;
  bool streams_ = false;  // counts as a stream
  asio::steady_timer timer_;
  bool writing_ = false;
  bool closed_ = false;
};

absl::Status HttpServer::Core::UseTls(std::shared_ptr<rpc::TlsFiles> files) {
  ASSIGN_OR_RETURN(tls_, RenewedTls::Make(std::move(files)));
  return absl::OkStatus();
}

absl::Status HttpServer::Core::Listen(const rpc::Address& address) {
  // The connections are bounded here, where it is known which of them have a request.
  constexpr size_t kUnbounded = std::numeric_limits<size_t>::max();
  ASSIGN_OR_RETURN(gate_,
                   rpc::ConnectionGate::Open(address, {.limits = {.total = kUnbounded, .per_host = kUnbounded}}));
  return absl::OkStatus();
}

void HttpServer::Core::Start() {
  thread_ = std::thread([this] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    const auto work = asio::make_work_guard(io_);
    io_.run();
  });
  gate_->Start([this](Descriptor connection, int) {
    MutexLock lock(arrivals_mutex_);
    if (arrivals_.size() >= kMostArriving) return;
    arrivals_.push_back(std::move(connection));
    if (arrivals_.size() == 1) asio::post(io_, [this] { Arrive(); });
  });
}

void HttpServer::Core::Stop() {
  gate_->Stop();
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    book_.CloseAll();
    io_.stop();
  });
  thread_.join();
}

void HttpServer::Core::Arrive() {
  int fd = -1;
  {
    MutexLock lock(arrivals_mutex_);
    fd = arrivals_.front().Release();
  }
  Begin(fd);
  MutexLock lock(arrivals_mutex_);
  arrivals_.pop_front();
  if (!arrivals_.empty()) asio::post(io_, [this] { Arrive(); });
}

void HttpServer::Core::Begin(int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  tcp::socket socket(io_);
  beast::error_code error;
  socket.assign(own.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), fd, error);
  if (error) {
    close(fd);
    return;
  }
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // it has left
  std::string host(absl::StripPrefix(peer.address().to_string(), "::ffff:"));
  if (!book_.MakeRoom(host)) return book_.CountRefused();
  const auto begin = [this](const auto& session) {
    book_.Add(session);
    session->Begin();
  };
  if (tls_ != nullptr) {
    begin(std::make_shared<Session<beast::ssl_stream<beast::tcp_stream>>>(*this, std::move(host), peer.port(),
                                                                          std::move(socket), tls_->Newest()));
  } else {
    begin(std::make_shared<Session<beast::tcp_stream>>(*this, std::move(host), peer.port(), std::move(socket)));
  }
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, HttpHandler handler) {
  if (options.address.IsUnix()) {
    return absl::InvalidArgumentError("HTTP is not served on unix sockets; expected HOST:PORT");
  }
  const auto core = std::make_shared<Core>(options.limits, std::move(handler));
  if (options.tls != nullptr) RETURN_IF_ERROR(core->UseTls(options.tls));
  RETURN_IF_ERROR(core->Listen(options.address));
  core->Start();
  return std::unique_ptr<HttpServer>(new HttpServer(core->address(), core));
}

HttpServer::HttpServer(rpc::Address address, std::shared_ptr<Core> core)
    : address_(std::move(address)), core_(std::move(core)) {}

HttpServer::~HttpServer() { Stop(); }

void HttpServer::Stop() { core_->Stop(); }

HttpCounts HttpServer::counts() const { return core_->counts(); }

}  // namespace lean::beacon
