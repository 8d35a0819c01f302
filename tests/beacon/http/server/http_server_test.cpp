#include "beacon/http/server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/concurrency/mutex.h"
#include "tests/beacon/http/server/raw_client.h"

namespace lean::beacon {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kGet[] = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

// Texts that a test gives, one at a time.
class GivenTexts {
 public:
  void Give(std::string text) {
    std::function<void()> wake;
    {
      MutexLock lock(mutex_);
      texts_.push_back(std::move(text));
      wake = wake_;
    }
    if (wake) wake();
  }
  std::string Take() {
    MutexLock lock(mutex_);
    if (texts_.empty()) return "";
    std::string text = std::move(texts_.front());
    texts_.erase(texts_.begin());
    return text;
  }
  void Watch(std::function<void()> wake) {
    MutexLock lock(mutex_);
    wake_ = std::move(wake);
  }
  bool watched() const {
    MutexLock lock(mutex_);
    return wake_ != nullptr;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

class TestStream final : public HttpStream {
 public:
  explicit TestStream(GivenTexts& texts) : texts_(texts) {}
  ~TestStream() override { texts_.Watch(nullptr); }
  std::string Next() override { return texts_.Take(); }
  void Watch(std::function<void()> wake) override { texts_.Watch(std::move(wake)); }

 private:
  GivenTexts& texts_;
};

class HttpServerTest : public testing::Test {
 protected:
  void Start(const HttpLimits& limits = {}) {
    auto server = HttpServer::Start({.address = {.host = "127.0.0.1", .port = 0}, .limits = limits},
                                    [this](const HttpRequest& request, HttpReply reply) { Handle(request, reply); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void Handle(const HttpRequest& request, const HttpReply& reply) {
    {
      MutexLock lock(mutex_);
      last_ = request;
    }
    HttpResponse response;
    response.content_type = "text/plain";
    response.route = request.target;
    if (request.target == "/stream") {
      response.stream = std::make_unique<TestStream>(texts_);
    } else if (request.target == "/large") {
      response.body = std::make_shared<const std::string>(size_t{8} << 20, 'x');
    } else if (request.target == "/never") {
      MutexLock lock(mutex_);
      held_.push_back(reply);
      return;
    } else {
      response.body = std::make_shared<const std::string>("hello");
    }
    reply(std::move(response));
  }
  HttpRequest last() const {
    MutexLock lock(mutex_);
    return last_;
  }
  size_t held() const {
    MutexLock lock(mutex_);
    return held_.size();
  }
  uint16_t port() const { return server_->address().port; }
  std::string Ask(absl::string_view request) { return RawClient(port()).Ask(request); }
  // Waits until the counts meet the condition.
  template <typename Condition>
  bool Await(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!condition(server_->counts())) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  GivenTexts texts_;
  mutable Mutex mutex_;
  HttpRequest last_ ABSL_GUARDED_BY(mutex_);
  std::vector<HttpReply> held_ ABSL_GUARDED_BY(mutex_);  // replies to /never
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnAnswerToTheByte) {
  Start();
  EXPECT_EQ(Ask(kGet),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  EXPECT_EQ(last().target, "/hello");
  EXPECT_EQ(last().host, "127.0.0.1");
  EXPECT_EQ(Ask("HEAD /hello HTTP/1.1\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(server_->counts().answers.at({"/hello", 200}), 2U);
}

TEST_F(HttpServerTest, AConnectionServesSeveralRequestsAlsoAtOnce) {
  Start();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  client.Send(absl::StrCat("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", kGet));
  const std::string text = client.ReadAll();
  EXPECT_THAT(text, EndsWith("close\r\n\r\nhello"));
  EXPECT_EQ(server_->counts().accepted, 1U);
  EXPECT_EQ(server_->counts().answers.at({"/b", 200}), 1U);
}

TEST_F(HttpServerTest, OtherMethodsAndBodiesAndGarbageAreRefused) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"}) {
    const std::string text = Ask(absl::StrCat(method, " /hello HTTP/1.1\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(text, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    EXPECT_THAT(text, EndsWith("{\"error\":\"this server is read-only: use GET or HEAD\"}"));
  }
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask(absl::StrCat("GET / HTTP/1.1\r\nA: ", std::string(9000, 'x'))), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Ask(absl::StrCat("GET /", std::string(20'000, 'x'))), StartsWith("HTTP/1.1 431 "));
  for (const char* garbage : {"\r\n\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
                              "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
                              "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "lean listener probe\r\n\r\n"}) {
    EXPECT_THAT(Ask(garbage), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << garbage;
  }
}

TEST_F(HttpServerTest, RandomBytesDoNoHarm) {
  Start();
  uint32_t seed = 1;
  const auto next = [&seed] { return seed = seed * 1'664'525 + 1'013'904'223; };
  for (int i = 0; i < 300; ++i) {
    std::string bytes = kGet;
    for (uint32_t changes = next() % 8; changes > 0; --changes) {
      bytes[next() % bytes.size()] = static_cast<char>(next() >> 24);
    }
    bytes.resize(next() % (bytes.size() + 1));
    RawClient(port()).Send(bytes);
  }
  EXPECT_THAT(Ask(kGet), EndsWith("hello"));
}

TEST_F(HttpServerTest, AnUnfinishedRequestIsClosedInTime) {
  Start({.request_time = std::chrono::milliseconds(100)});
  RawClient silent(port());
  RawClient slow(port());
  slow.Send("GET /hello HTTP/1.1\r\n");
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(slow.ReadAll(), "");
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.connections == 0; }));
}

TEST_F(HttpServerTest, ThoseWithoutARequestGiveWay) {
  Start({.connections = 16, .connections_of_host = 8});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<RawClient>(port()));
    slow.back()->Send("GET /hello HTT");
    if (i % 10 == 0) {
      EXPECT_THAT(Ask(kGet), EndsWith("hello"));
    }
  }
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.accepted == 55; }));
  EXPECT_LE(server_->counts().connections, 8U);
  EXPECT_GT(server_->counts().displaced, 40U);
  EXPECT_EQ(server_->counts().refused, 0U);
  slow.back()->Send("P/1.1\r\nConnection: close\r\n\r\n");  // the newest is still there
  EXPECT_THAT(slow.back()->ReadAll(), EndsWith("hello"));
}

TEST_F(HttpServerTest, ARequestThatIsBeingAnsweredDoesNotGiveWay) {
  Start({.connections_of_host = 2});
  RawClient first(port());
  RawClient second(port());
  for (RawClient* client : {&first, &second}) client->Send("GET /never HTTP/1.1\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(Await([this](const HttpCounts&) { return held() == 2; }));
  EXPECT_EQ(Ask(kGet), "");
  EXPECT_EQ(server_->counts().refused, 1U);
  server_->Stop();  // the replies come too late
  MutexLock lock(mutex_);
  for (const HttpReply& reply : held_) reply(HttpResponse());
}

TEST_F(HttpServerTest, AnswersThatNobodyReadsGiveWay) {
  Start({.unread_bytes = size_t{20} << 20});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(port(), /*receive_buffer=*/4096));
    clients.back()->Send("GET /large HTTP/1.1\r\nConnection: close\r\n\r\n");
    ASSERT_TRUE(Await([i](const HttpCounts& counts) {
      const auto large = counts.answers.find({"/large", 200});
      return large != counts.answers.end() && large->second == static_cast<uint64_t>(i) + 1;
    }));
  }
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.displaced == 2; }));
  EXPECT_EQ(server_->counts().unread_bodies, 2u);
  EXPECT_GT(server_->counts().unread_bytes, size_t{8} << 20);
  EXPECT_GT(clients.back()->ReadAll().size(), size_t{8} << 20);
  EXPECT_LT(clients.front()->ReadAll().size(), size_t{8} << 20);
}

TEST_F(HttpServerTest, AnswersThatAreReadSlowlyGiveWay) {
  const auto hold_all = [this](std::chrono::milliseconds write_time) {
    Start({.connections_of_host = 2, .write_time = write_time});
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 2; ++i) {
      slow.push_back(std::make_unique<RawClient>(port(), /*receive_buffer=*/4096));
      slow.back()->Send("GET /large HTTP/1.1\r\n\r\n");
    }
    EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.unread_bodies == 2; }));
    return slow;
  };
  {
    const auto slow = hold_all(std::chrono::hours(1));
    EXPECT_EQ(Ask(kGet), "") << "they have just begun";
    EXPECT_EQ(server_->counts().displaced, 0u);
  }
  const auto slow = hold_all(std::chrono::milliseconds(0));
  EXPECT_THAT(Ask(kGet), EndsWith("hello"));
  EXPECT_EQ(server_->counts().displaced, 1u);
}

TEST_F(HttpServerTest, AnAnswerWithoutProgressIsClosed) {
  Start({.write_pause = std::chrono::milliseconds(100)});
  RawClient client(port(), /*receive_buffer=*/4096);
  client.Send("GET /large HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.accepted == 1 && counts.connections == 0; }));
}

TEST_F(HttpServerTest, AStreamSendsWhatComesAndKeepsTheConnectionAlive) {
  Start({.keep_alive = std::chrono::milliseconds(50)});
  RawClient client(port());
  client.Send("GET /stream HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadUntil(":\n\n"), ":\n\n");
  texts_.Give("one");
  EXPECT_THAT(client.ReadUntil("one"), EndsWith("one"));
  texts_.Give("two");
  EXPECT_THAT(client.ReadUntil("two"), EndsWith("two"));
  // Also if it is woken by what it does not send.
  std::jthread waker([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      texts_.Give("");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_EQ(client.ReadUntil(":\n\n"), ":\n\n");
  waker = {};
  EXPECT_EQ(server_->counts().streams, 1U);
}

TEST_F(HttpServerTest, AStreamEndsWhenItsReaderLeaves) {
  Start();
  {
    RawClient client(port());
    client.Send("GET /stream HTTP/1.1\r\n\r\n");
    client.ReadUntil("\r\n\r\n");
  }
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.streams == 0 && counts.connections == 0; }));
  EXPECT_FALSE(texts_.watched());
}

TEST_F(HttpServerTest, AStreamThatIsNotReadIsClosed) {
  Start({.stream_pause = std::chrono::milliseconds(100)});
  RawClient client(port(), /*receive_buffer=*/4096);
  client.Send("GET /stream HTTP/1.1\r\n\r\n");
  client.ReadUntil("\r\n\r\n");
  for (int i = 0; i < 16; ++i) texts_.Give(std::string(1 << 20, 'x'));
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.connections == 0; }));
}

TEST_F(HttpServerTest, StreamsAreBounded) {
  Start({.streams_of_host = 2});
  std::vector<std::unique_ptr<RawClient>> streams;
  for (int i = 0; i < 2; ++i) {
    streams.push_back(std::make_unique<RawClient>(port()));
    streams.back()->Send("GET /stream HTTP/1.1\r\n\r\n");
    EXPECT_THAT(streams.back()->ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_THAT(Ask("GET /stream HTTP/1.1\r\nConnection: close\r\n\r\n"),
              EndsWith("{\"error\":\"too many event streams are open; try again later\"}"));
  EXPECT_THAT(Ask("HEAD /stream HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  streams.pop_back();
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.streams == 1; }));
  EXPECT_THAT(Ask("HEAD /stream HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(Await([](const HttpCounts& counts) { return counts.streams == 1; }));
}

TEST_F(HttpServerTest, ManyClientsAtOnceAndAStopInTheMiddle) {
  Start();
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([this, &answered] {
      for (int round = 0; round < 50; ++round) answered += Ask(kGet).ends_with("hello") ? 1 : 0;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 200);
  RawClient open(port());
  open.Send("GET /stream HTTP/1.1\r\n\r\n");
  open.ReadUntil("\r\n\r\n");
  server_->Stop();
  EXPECT_EQ(open.ReadAll(), "");
}

TEST_F(HttpServerTest, AnAddressInUseIsAnError) {
  Start();
  const auto second = HttpServer::Start({.address = server_->address()}, [](const HttpRequest&, const HttpReply&) {});
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server_->address().ToString()));
}

}  // namespace
}  // namespace lean::beacon
