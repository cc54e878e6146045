// Requests that guests send, to a server on loopback: what is sent, what comes back, and what is not followed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/serve/curl_library.h"
#include "tools/serve/outbound_http.h"

using namespace wasirun::serve;

namespace {

// A server of HTTP for one connection after the other, each for one request.
class LoopbackServer {
 public:
  // `answer` makes all bytes of a response from the head of a request, whose body comes behind it.
  explicit LoopbackServer(std::function<std::string(const std::string& request)> answer)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      FAIL("no server on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() {
    ends_ = true;
    thread_.join();
    close(listener_);
  }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string origin() const { return "http://" + host(); }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  // False: nothing came for a while, and the test ends.
  [[nodiscard]] bool wait(int fd) const {
    while (!ends_) {
      pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, 20) > 0) return true;
    }
    return false;
  }
  void run() {
    while (wait(listener_)) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      serve(connection);
      close(connection);
    }
  }
  void serve(int connection) {
    std::string request;
    std::size_t complete = std::string::npos;
    while (request.size() < complete && wait(connection)) {
      char bytes[4096];
      const ssize_t count = read(connection, bytes, sizeof(bytes));
      if (count <= 0) return;
      request.append(bytes, static_cast<std::size_t>(count));
      const std::size_t head = request.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      complete = head + 4;
      if (const std::size_t length = request.find("Content-Length: "); length < head) {
        complete += std::stoul(request.substr(length + 16));
      }
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string response = answer_(request);
    for (std::size_t sent = 0; sent < response.size();) {
      const ssize_t count = send(connection, response.data() + sent, response.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string response(std::string_view status, std::string_view fields, std::string_view body = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nConnection: close\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

OutboundLimits limits(std::chrono::milliseconds time = std::chrono::seconds(20), std::uint64_t body = 1000) {
  return {.deadline = std::chrono::steady_clock::now() + time, .body_limit = body, .cancelled = {}};
}

AllowedHosts allowed(std::initializer_list<std::string> entries) {
  AllowedHosts hosts;
  for (const std::string& entry : entries) REQUIRE(hosts.add(entry));
  return hosts;
}

WitRequest get(std::string uri) {
  WitRequest request;
  request.uri = std::move(uri);
  return request;
}

std::expected<HttpResponse, OutboundFailure> send(const WitRequest& request, const AllowedHosts& hosts,
                                                  const std::string& own_origin = "") {
  OutboundClient client;
  return client.send(request, hosts, own_origin, limits());
}

bool has_line(const std::string& request, const std::string& line) { return request.contains("\r\n" + line + "\r\n"); }

}  // namespace

TEST_CASE("A request is sent as the guest made it, and the answer comes back") {
  const LoopbackServer server([](const std::string&) {
    return response("201 Created", "X-One: 1\r\nX-Two:  two words \r\nSet-Cookie: a=b\r\n", "answer");
  });
  WitRequest request = get(server.origin() + "/path?query=%20");
  request.method = *wit_method("PUT");
  request.headers = {
      {"x-mine", "value"}, {"x-empty", ""}, {"content-length", "123456"}, {"transfer-encoding", "chunked"}};
  request.body = std::string("b\0dy", 4);
  const auto answer = send(request, allowed({server.host()}));
  REQUIRE(answer);
  CHECK(answer->status == 201);
  CHECK(answer->body == "answer");
  CHECK(find_field(answer->fields, "x-one")->value == "1");
  CHECK(find_field(answer->fields, "x-two")->value == "two words");
  CHECK(find_field(answer->fields, "x-two")->name == "x-two");
  REQUIRE(server.requests().size() == 1);
  const std::string sent = server.requests()[0];
  CHECK(sent.starts_with("PUT /path?query=%20 HTTP/1.1\r\n"));
  CHECK(sent.ends_with(std::string("\r\n\r\nb\0dy", 8)));
  CHECK(has_line(sent, "Host: " + server.host()));
  CHECK(has_line(sent, "x-mine: value"));
  CHECK(has_line(sent, "x-empty:"));
  CHECK(has_line(sent, "Content-Length: 4"));
  CHECK_FALSE(sent.contains("chunked"));
  CHECK_FALSE(sent.contains("123456"));
  CHECK_FALSE(sent.contains("Content-Type"));
}

TEST_CASE("All methods of the interface can be sent") {
  const LoopbackServer server([](const std::string& request) {
    return request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"
                                       : response("200 OK", "", "hello");
  });
  for (std::uint32_t method = 0; method < 7; ++method) {
    WitRequest request = get(server.origin());
    request.method = method;
    const auto answer = send(request, allowed({server.host()}));
    REQUIRE(answer);
    CHECK(answer->body == (method_of(method) == "HEAD" ? "" : "hello"));
    CHECK(server.requests().back().starts_with(std::string(*method_of(method)) + " / HTTP/1.1\r\n"));
  }
}

TEST_CASE("Neither proxies nor anything else of the environment is used") {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("all_proxy", "http://127.0.0.1:1", 1);
  const LoopbackServer server([](const std::string&) { return response("200 OK", ""); });
  CHECK(send(get(server.origin()), allowed({server.host()})));
  unsetenv("http_proxy");
  unsetenv("all_proxy");
}

TEST_CASE("Redirects are followed to hosts that are allowed, and to no other") {
  const LoopbackServer other([](const std::string&) { return response("200 OK", "", "secret"); });
  const LoopbackServer server([&](const std::string& request) {
    if (request.starts_with("GET /away ")) return response("302 Found", "Location: " + other.origin() + "/x\r\n");
    if (request.starts_with("GET /file ")) return response("302 Found", "Location: file:///etc/passwd\r\n");
    if (request.starts_with("GET /loop ")) return response("302 Found", "Location: /loop\r\n");
    if (request.starts_with("GET /bad ")) return response("302 Found", "Location: http://a b/\r\n");
    if (request.starts_with("POST /see ")) return response("303 See Other", "Location: there\r\n");
    if (request.starts_with("POST /keep ")) return response("307 Temporary Redirect", "Location: /there\r\n");
    return response("200 OK", "", "here");
  });
  const auto refused = send(get(server.origin() + "/away"), allowed({server.host()}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error == OutboundError::destination_not_allowed);
  CHECK(other.requests().empty());

  WitRequest with_secrets = get(server.origin() + "/away");
  with_secrets.headers = {{"Authorization", "Basic abc"}, {"cookie", "a=b"}, {"x-kept", "1"}};
  const auto followed = send(with_secrets, allowed({server.host(), other.host()}));
  REQUIRE(followed);
  CHECK(followed->body == "secret");
  REQUIRE(other.requests().size() == 1);
  CHECK_FALSE(other.requests()[0].contains("Basic abc"));
  CHECK_FALSE(other.requests()[0].contains("a=b"));
  CHECK(has_line(other.requests()[0], "x-kept: 1"));
  CHECK(has_line(other.requests()[0], "Host: " + other.host()));

  for (const auto& [path, error] :
       {std::pair("/file", OutboundError::destination_not_allowed), std::pair("/loop", OutboundError::runtime_error),
        std::pair("/bad", OutboundError::runtime_error)}) {
    INFO(path);
    const auto failed = send(get(server.origin() + path), allowed({"insecure:allow-all"}));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().error == error);
  }

  for (const bool keeps : {false, true}) {
    WitRequest post = get(server.origin() + (keeps ? "/keep" : "/see"));
    post.method = *wit_method("POST");
    post.headers = {{"content-type", "text/x"}};
    post.body = "body";
    const auto answer = send(post, allowed({server.host()}));
    REQUIRE(answer);
    CHECK(answer->body == "here");
    const std::string sent = server.requests().back();
    CHECK(sent.starts_with(keeps ? "POST /there " : "GET /there "));
    CHECK(sent.contains("text/x") == keeps);
    CHECK(sent.ends_with(keeps ? "\r\n\r\nbody" : "\r\n\r\n"));
  }
}

TEST_CASE("A path is asked of the server itself, where that is allowed") {
  const LoopbackServer server([](const std::string&) { return response("200 OK", "", "self"); });
  const auto answer = send(get("/own?x"), allowed({"self"}), server.origin());
  REQUIRE(answer);
  CHECK(answer->body == "self");
  CHECK(server.requests()[0].starts_with("GET /own?x "));
  CHECK(send(get("/own"), allowed({server.host()}), server.origin()).error().error ==
        OutboundError::destination_not_allowed);
  CHECK(send(get(server.origin()), allowed({"self"}), server.origin()).error().error ==
        OutboundError::destination_not_allowed);
  CHECK(send(get("/own"), allowed({"self"})).error().error == OutboundError::runtime_error);
  // What looks like a path may be more.
  CHECK_FALSE(send(get("//example.invalid/"), allowed({"self"}), "http://127.0.0.1:1"));
  CHECK_FALSE(send(get("/@example.invalid/"), allowed({"self"}), "http://127.0.0.1:1"));
}

TEST_CASE("Headers that would be more than one are not sent") {
  const LoopbackServer server([](const std::string&) { return response("200 OK", ""); });
  for (const HttpField& field : {HttpField{"x", "a\r\ny: b"}, HttpField{"x\r\ny", "a"}, HttpField{"x y", "a"},
                                 HttpField{"", "a"}, HttpField{"x", std::string("a\0b", 3)}}) {
    WitRequest request = get(server.origin());
    request.headers = {field};
    const auto failed = send(request, allowed({server.host()}));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().error == OutboundError::runtime_error);
  }
  CHECK(server.requests().empty());
}

TEST_CASE("Answers that are too large, too late, or none") {
  const LoopbackServer large([](const std::string&) { return response("200 OK", "", std::string(1001, 'x')); });
  const auto too_large = send(get(large.origin()), allowed({large.host()}));
  REQUIRE_FALSE(too_large);
  CHECK_THAT(too_large.error().message, Catch::EndsWith("the answer has more than 1000 bytes"));

  const LoopbackServer nonsense([](const std::string&) { return std::string("nonsense\r\n\r\n"); });
  CHECK(send(get(nonsense.origin()), allowed({nonsense.host()})).error().error == OutboundError::runtime_error);

  const LoopbackServer latin([](const std::string&) { return response("200 OK", "X: \xFF\r\n"); });
  CHECK_THAT(send(get(latin.origin()), allowed({latin.host()})).error().message, Catch::Contains("is not UTF-8"));

  // Connections are taken, and nobody answers: the server waits for the rest of a request.
  const LoopbackServer silent([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return std::string();
  });
  OutboundClient client;
  const auto late =
      client.send(get(silent.origin()), allowed({silent.host()}), "", limits(std::chrono::milliseconds(100)));
  REQUIRE_FALSE(late);
  CHECK(late.error().error == OutboundError::runtime_error);
  CHECK_FALSE(client.send(get(silent.origin()), allowed({silent.host()}), "", limits(std::chrono::milliseconds(-1))));

  std::stop_source stop;
  stop.request_stop();
  OutboundLimits cancelled = limits();
  cancelled.cancelled = stop.get_token();
  CHECK_FALSE(client.send(get(silent.origin()), allowed({silent.host()}), "", cancelled));

  CHECK_FALSE(send(get("http://127.0.0.1:1/"), allowed({"127.0.0.1:1"})));
  CHECK_FALSE(send(get("http://does-not-exist.invalid/"), allowed({"does-not-exist.invalid"})));
}
