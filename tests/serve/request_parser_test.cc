#include "tools/serve/request_parser.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using wasirun::serve::HttpRequest;
using wasirun::serve::ParseLimits;
using wasirun::serve::RequestParser;
using Progress = RequestParser::Progress;

namespace {

// As a connection does it: what was not consumed is put again with what comes next.
struct Fed {
  Progress progress = Progress::need_more;
  std::string rest;  // behind the request
};
Fed feed(RequestParser& parser, const std::vector<std::string>& pieces) {
  Fed fed;
  for (const std::string& piece : pieces) {
    fed.rest += piece;
    if (fed.progress != Progress::need_more) continue;
    const auto [progress, consumed] = parser.put(fed.rest);
    REQUIRE(consumed <= fed.rest.size());
    fed.progress = progress;
    fed.rest.erase(0, consumed);
  }
  return fed;
}

std::vector<std::string> bytes_of(const std::string& text) {
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  return bytes;
}

// The status that a request is refused with; 0 where it is complete, 1 where there is to come more.
int refused(const std::string& text, const ParseLimits& limits = {}) {
  RequestParser parser(limits);
  const Fed fed = feed(parser, {text});
  if (fed.progress == Progress::complete) return 0;
  if (fed.progress == Progress::need_more) return 1;
  CHECK_FALSE(parser.refusal().message.empty());
  return parser.refusal().status;
}

}  // namespace

TEST_CASE("A request's parts") {
  const std::string text =
      "POST /a%20b?x=1&y HTTP/1.1\r\nHost: example.org:80\r\nX-Two:  spaces \r\nContent-Length: 5\r\n\r\nhello";
  for (const auto& pieces : {std::vector{text}, bytes_of(text)}) {
    RequestParser parser({});
    const Fed fed = feed(parser, pieces);
    REQUIRE(fed.progress == Progress::complete);
    CHECK(fed.rest.empty());
    const HttpRequest& request = parser.request();
    CHECK(request.method == "POST");
    CHECK(request.target == "/a%20b?x=1&y");
    CHECK(request.path() == "/a%20b");
    CHECK(request.query() == "x=1&y");
    CHECK(request.authority == "example.org:80");
    CHECK(request.body == "hello");
    CHECK(request.minor_version == 1);
    REQUIRE(request.fields.size() == 3);
    CHECK(request.fields[1].name == "X-Two");
    CHECK(request.fields[1].value == "spaces");
    CHECK(wasirun::serve::find_field(request.fields, "x-two") == &request.fields[1]);
    CHECK(wasirun::serve::find_field(request.fields, "x-three") == nullptr);
    CHECK(parser.keeps_alive());
  }
}

TEST_CASE("Requests that come together are told apart") {
  const std::string two = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestParser parser({});
  const Fed first = feed(parser, {two});
  REQUIRE(first.progress == Progress::complete);
  CHECK(parser.request().target == "/1");
  parser.reset();
  CHECK_FALSE(parser.has_begun());
  // Empty lines in front belong to nobody.
  const Fed second = feed(parser, {"\r\n\r", "\n" + first.rest});
  REQUIRE(second.progress == Progress::complete);
  CHECK(parser.request().target == "/2");
}

TEST_CASE("Chunked bodies are put together, without what surrounds them") {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\nrest";
  for (const auto& pieces : {std::vector{text}, bytes_of(text)}) {
    RequestParser parser({});
    const Fed fed = feed(parser, pieces);
    REQUIRE(fed.progress == Progress::complete);
    CHECK(parser.request().body == "abc0123456789");
    CHECK(fed.rest == "rest");
    CHECK(wasirun::serve::find_field(parser.request().fields, "X-Trailer") == nullptr);
  }
}

TEST_CASE("Whether a connection goes on") {
  const auto keeps_alive = [](const std::string& text) {
    RequestParser parser({});
    REQUIRE(feed(parser, {text}).progress == Progress::complete);
    return parser.keeps_alive();
  };
  CHECK(keeps_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK_FALSE(keeps_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  CHECK_FALSE(keeps_alive("GET / HTTP/1.0\r\n\r\n"));
  CHECK(keeps_alive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("A sender that waits for leave to send its body") {
  RequestParser parser({});
  const std::string header = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  REQUIRE(feed(parser, {header}).progress == Progress::need_more);
  CHECK(parser.awaits_continue());
  REQUIRE(feed(parser, {"a"}).progress == Progress::need_more);
  CHECK_FALSE(parser.awaits_continue());
  REQUIRE(feed(parser, {"b"}).progress == Progress::complete);
  CHECK_FALSE(parser.awaits_continue());
  CHECK(parser.request().body == "ab");
}

TEST_CASE("Targets in absolute form") {
  RequestParser parser({});
  REQUIRE(feed(parser, {"GET http://there:81?q=1 HTTP/1.1\r\nHost: here\r\n\r\n"}).progress == Progress::complete);
  CHECK(parser.request().target == "/?q=1");
  CHECK(parser.request().authority == "there:81");
}

TEST_CASE("What is too large is refused, however it comes") {
  const ParseLimits limits = {.header_bytes = 1000, .body_bytes = 100};
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  CHECK(refused("GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 414);
  CHECK(refused(start + "X: " + std::string(2000, 'x') + "\r\n\r\n", limits) == 431);
  std::string many = start;
  for (int i = 0; i < 200; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  CHECK(refused(many + "\r\n", limits) == 431);
  CHECK(refused(start + "Content-Length: 101\r\n\r\n", limits) == 413);
  CHECK(refused(start + "Content-Length: 100\r\n\r\n" + std::string(100, 'b'), limits) == 0);
  CHECK(refused(start + "Transfer-Encoding: chunked\r\n\r\n65\r\n", limits) == 413);
  // Chunks that are each within it, a line that never ends, and a trailer of any length.
  std::string chunks = start + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) chunks += "a\r\n0123456789\r\n";
  CHECK(refused(chunks, limits) == 413);
  CHECK(refused(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20000, 'e'), limits) == 400);
  CHECK(refused(start + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(20000, 'e'), limits) == 400);

  // The same a field at a time.
  RequestParser parser(limits);
  std::vector<std::string> pieces = {start};
  for (int i = 0; i < 200; ++i) pieces.push_back("X-" + std::to_string(i) + ": 1\r\n");
  REQUIRE(feed(parser, pieces).progress == Progress::refused);
  CHECK(parser.refusal().status == 431);
}

TEST_CASE("What two readers could understand differently is refused") {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  CHECK(refused(start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab") == 400);
  CHECK(refused(start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refused(start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n") == 501);
  CHECK(refused(start + "Transfer-Encoding: identity\r\n\r\n") == 501);
  CHECK(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refused(start + "Content-Length: +1\r\n\r\na") == 400);
  CHECK(refused(start + "Content-Length: -1\r\n\r\na") == 400);
  CHECK(refused(start + "X : 1\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\nHost: a\n\n") == 505);  // what follows the version is none
  CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE("A body of no chunk but the last, byte by byte") {
  RequestParser parser({});
  const auto fed = feed(parser, bytes_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  CHECK((fed.progress == Progress::complete));
  CHECK(fed.rest.empty());
  CHECK(parser.request().body.empty());
}

TEST_CASE("What is no request is refused") {
  CHECK(refused("hello\r\n\r\n") == 400);
  CHECK(refused(std::string("GET / HTTP/1.1\r\nHost: a\r\nX: ") + '\0' + "\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(refused("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n") == 501);
  CHECK(refused("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nExpect: money\r\n\r\n") == 417);
  CHECK(refused("\x16\x03\x01\x02") != 0);  // the beginning of TLS
}
