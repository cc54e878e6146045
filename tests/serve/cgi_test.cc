#include "tools/serve/cgi.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

using wasirun::serve::cgi_arguments;
using wasirun::serve::cgi_variables;
using wasirun::serve::HttpRequest;
using wasirun::serve::parse_cgi_response;

namespace {

std::map<std::string, std::string> variables(const HttpRequest& request, std::string_view route = "/") {
  std::map<std::string, std::string> all;
  for (auto& [name, value] : cgi_variables(request, route)) {
    INFO(name);
    CHECK(all.emplace(name, value).second);  // each once
  }
  return all;
}

std::string refusal(std::string output) {
  const auto response = parse_cgi_response(std::move(output));
  return response ? "" : response.error();
}

}  // namespace

TEST_CASE("A request as variables") {
  const HttpRequest request = {.method = "POST",
                               .target = "/app/x%2Fy?a=1&b",
                               .authority = "example.org:81",
                               .fields = {{"Host", "example.org:81"},
                                          {"Content-Type", "text/x"},
                                          {"Accept", "a/b"},
                                          {"accept", "c/d"},
                                          {"Cookie", "a=1"},
                                          {"Cookie", "b=2"},
                                          {"Authorization", "secret"},
                                          {"Proxy", "http://evil"},
                                          {"X_Under", "1"}},
                               .body = "12345",
                               .remote_address = "10.0.0.1",
                               .remote_port = 4000,
                               .local_address = "10.0.0.2",
                               .local_port = 81};
  auto all = variables(request, "/app");
  CHECK(all["REQUEST_METHOD"] == "POST");
  CHECK(all["SCRIPT_NAME"] == "/app");
  CHECK(all["PATH_INFO"] == "/x/y");
  CHECK(all["PATH_TRANSLATED"] == "/x/y");
  CHECK(all["X_RAW_PATH_INFO"] == "/x%2Fy");
  CHECK(all["X_MATCHED_ROUTE"] == "/app/...");
  CHECK(all["X_FULL_URL"] == "http://example.org:81/app/x%2Fy?a=1&b");
  CHECK(all["QUERY_STRING"] == "a=1&b");
  CHECK(all["CONTENT_LENGTH"] == "5");
  CHECK(all["CONTENT_TYPE"] == "text/x");
  CHECK(all["SERVER_NAME"] == "example.org");
  CHECK(all["SERVER_PORT"] == "81");
  CHECK(all["SERVER_PROTOCOL"] == "HTTP/1.1");
  CHECK(all["SERVER_SOFTWARE"] == "WAGI/1");
  CHECK(all["GATEWAY_INTERFACE"] == "CGI/1.1");
  CHECK(all["REMOTE_ADDR"] == "10.0.0.1");
  CHECK(all["REMOTE_HOST"] == "10.0.0.1");
  CHECK(all["REMOTE_USER"].empty());
  CHECK(all["AUTH_TYPE"].empty());
  CHECK(all["HTTP_HOST"] == "example.org:81");
  CHECK(all["HTTP_ACCEPT"] == "a/b, c/d");
  CHECK(all["HTTP_COOKIE"] == "a=1; b=2");
  // Credentials, what programs take for a proxy of theirs, and a name that could be another's.
  CHECK_FALSE(all.contains("HTTP_AUTHORIZATION"));
  CHECK_FALSE(all.contains("HTTP_PROXY"));
  CHECK_FALSE(all.contains("HTTP_X_UNDER"));
  CHECK(cgi_arguments(request) == std::vector<std::string>{"a=1", "b"});
}

TEST_CASE("A request of nothing but a path") {
  const HttpRequest request = {.method = "GET", .target = "/", .authority = "[::1]:80", .fields = {}, .body = {}};
  auto all = variables(request);
  CHECK(all["SCRIPT_NAME"].empty());
  CHECK(all["PATH_INFO"] == "/");
  CHECK(all["SERVER_NAME"] == "[::1]");
  CHECK(all["CONTENT_LENGTH"] == "0");
  CHECK(all["X_MATCHED_ROUTE"] == "/...");
  CHECK(cgi_arguments(request).empty());
}

TEST_CASE("Escapes in paths") {
  using wasirun::serve::percent_decoded;
  CHECK(percent_decoded("/%41%2f%7E") == "/A/~");
  CHECK(percent_decoded("%") == "%");
  CHECK(percent_decoded("%4") == "%4");
  CHECK(percent_decoded("%4g%zz+") == "%4g%zz+");
}

TEST_CASE("What a program prints") {
  const auto plain = parse_cgi_response("Content-Type: text/plain\n\nhello\n\nrest");
  REQUIRE(plain);
  CHECK(plain->status == 200);
  REQUIRE(plain->fields.size() == 1);
  CHECK(plain->fields[0].name == "Content-Type");
  CHECK(plain->fields[0].value == "text/plain");
  CHECK(plain->body == "hello\n\nrest");

  const auto more = parse_cgi_response("status: 404 Not Found\r\nX-A:1\r\ncontent-type:\ta/b \r\n\r\n");
  REQUIRE(more);
  CHECK(more->status == 404);
  CHECK(more->fields.size() == 2);
  CHECK(more->fields[1].value == "a/b");
  CHECK(more->body.empty());

  const auto elsewhere = parse_cgi_response("Location: /there\n\n");
  REQUIRE(elsewhere);
  CHECK(elsewhere->status == 302);
  const auto made = parse_cgi_response("Location: /there\nStatus: 201\n\n");
  REQUIRE(made);
  CHECK(made->status == 201);
}

TEST_CASE("What is no response says why") {
  CHECK_THAT(refusal(""), Catch::Contains("printed nothing"));
  CHECK_THAT(refusal("hello"), Catch::Contains("no empty line"));
  CHECK_THAT(refusal("hello\n\n"), Catch::Contains("line 1") && Catch::Contains("\"hello\""));
  CHECK_THAT(refusal("Content-Type: a\n: b\n\n"), Catch::Contains("line 2"));
  CHECK_THAT(refusal("X-A: 1\n\nbody"), Catch::Contains("Content-Type, Location and Status"));
  CHECK_THAT(refusal("\nbody"), Catch::Contains("Content-Type, Location and Status"));
  for (const char* status : {"", "x", "99", "100", "600", "200x", "70000"}) {
    CHECK_THAT(refusal(std::string("Status: ") + status + "\n\n"), Catch::Contains("is no status"));
  }
  CHECK_THAT(refusal("X: " + std::string(100'000, 'x') + "\n\n"), Catch::Contains("no empty line"));
}
