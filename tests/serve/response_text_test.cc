#include "tools/serve/response_text.h"

#include <catch2/catch.hpp>
#include <string>

using wasirun::serve::HttpResponse;
using wasirun::serve::response_head;
using wasirun::serve::ResponseFrame;
using wasirun::serve::what_is_wrong;

namespace {
constexpr ResponseFrame kFrame = {.minor_version = 1, .keeps_alive = true, .is_head = false, .date = "now"};
}

TEST_CASE("A response's head") {
  const HttpResponse response = {.status = 201, .fields = {{"X-A", "1"}}, .body = "four"};
  CHECK(response_head(response, kFrame) == "HTTP/1.1 201 Created\r\nX-A: 1\r\nDate: now\r\nContent-Length: 4\r\n\r\n");
  ResponseFrame last = kFrame;
  last.keeps_alive = false;
  CHECK_THAT(response_head(response, last), Catch::Contains("\r\nConnection: close\r\n"));
  ResponseFrame old = kFrame;
  old.minor_version = 0;
  CHECK_THAT(response_head(response, old), Catch::Contains("\r\nConnection: keep-alive\r\n"));
  CHECK_THAT(response_head({.status = 299, .fields = {}, .body = {}}, kFrame),
             Catch::StartsWith("HTTP/1.1 299 Status\r\n"));
}

TEST_CASE("What a guest says about the connection is left out") {
  const HttpResponse response = {.status = 200,
                                 .fields = {{"Connection", "close"},
                                            {"content-length", "999"},
                                            {"Transfer-Encoding", "chunked"},
                                            {"Keep-Alive", "1"},
                                            {"Date", "then"}},
                                 .body = "x"};
  CHECK(response_head(response, kFrame) == "HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 1\r\n\r\n");
}

TEST_CASE("Responses without a body") {
  ResponseFrame head = kFrame;
  head.is_head = true;
  const HttpResponse with_body = {.status = 200, .fields = {}, .body = "four"};
  CHECK_THAT(response_head(with_body, head), Catch::Contains("Content-Length: 4\r\n"));
  CHECK_FALSE(has_body(with_body, head));
  // A guest that knows that it is asked for the head alone.
  const HttpResponse told = {.status = 200, .fields = {{"Content-Length", "77"}}, .body = ""};
  CHECK_THAT(response_head(told, head), Catch::Contains("Content-Length: 77\r\n"));
  CHECK_THAT(response_head(told, kFrame), Catch::Contains("Content-Length: 0\r\n"));
  for (const std::uint16_t status : {204, 304}) {
    const HttpResponse none = {.status = status, .fields = {}, .body = "never"};
    CHECK_THAT(response_head(none, kFrame), !Catch::Contains("Content-Length"));
    CHECK_FALSE(has_body(none, kFrame));
  }
}

TEST_CASE("Responses that would be read as something else are none") {
  CHECK_FALSE(what_is_wrong({.status = 200, .fields = {{"X-A", "a\tb \xc3\xa4"}}, .body = {}}));
  CHECK(what_is_wrong({.status = 199, .fields = {}, .body = {}}));
  CHECK(what_is_wrong({.status = 600, .fields = {}, .body = {}}));
  for (const char* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa4"}) {
    CHECK(what_is_wrong({.status = 200, .fields = {{name, "1"}}, .body = {}}));
  }
  for (const char* value : {"a\r\nSet-Cookie: b", "a\nb", "\x01"}) {
    CHECK(what_is_wrong({.status = 200, .fields = {{"X-A", value}}, .body = {}}));
  }
}
