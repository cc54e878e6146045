// Damaged requests, whole and in pieces: however the bytes come, they mean the same, and nothing breaks.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tools/serve/cgi.h"
#include "tools/serve/request_parser.h"

using wasirun::serve::RequestParser;
using Progress = RequestParser::Progress;

namespace {

constexpr std::uint32_t kRounds = 20'000;

const std::vector<std::string> kSeeds = {
    "GET /a?b=c HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    "PUT http://h:1/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
};

std::string mutate(std::string text, std::mt19937& random) {
  static constexpr std::string_view kBytes{"\r\n\0 \t:;,/\xff 019aZ", sizeof("\r\n\0 \t:;,/\xff 019aZ") - 1};
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (std::size_t i = 1 + below(4); i != 0 && !text.empty(); --i) {
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = kBytes[below(kBytes.size())];
        break;
      case 1:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
        break;
      case 2:
        text.erase(at, 1 + below(3));
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(20)));
        break;
    }
  }
  return text;
}

// The requests that the bytes are: how many, and the parts of the last one. That what follows is none may be noticed
// earlier or later.
using Meaning = std::tuple<int, std::string, std::string, std::size_t>;
struct Outcome {
  Meaning meaning;
  bool is_refused = false;
};
Outcome read(const std::string& text, std::mt19937* pieces) {
  RequestParser parser({.header_bytes = 4096, .body_bytes = 1000});
  std::string pending;
  int complete = 0;
  std::string target;
  std::string body;
  std::size_t fields = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = pieces == nullptr ? text.size() : 1 + (*pieces)() % 9;
    pending += text.substr(at, size);
    at += size;
    for (;;) {
      const auto [progress, consumed] = parser.put(pending);
      REQUIRE(consumed <= pending.size());
      pending.erase(0, consumed);
      if (progress == Progress::refused) {
        CHECK(parser.refusal().status >= 400);
        return {{complete, target, body, fields}, true};
      }
      if (progress == Progress::need_more) break;
      ++complete;
      target = parser.request().target;
      body = parser.request().body;
      fields = parser.request().fields.size();
      // Whatever it is, it can be asked for its parts.
      static_cast<void>(wasirun::serve::cgi_variables(parser.request(), "/a"));
      static_cast<void>(wasirun::serve::cgi_arguments(parser.request()));
      parser.reset();
    }
  }
  return {{complete, target, body, fields}, false};
}

}  // namespace

TEST_CASE("Damaged requests mean the same however they come") {
  std::mt19937 random(1);
  int understood = 0;
  int refused = 0;
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    const std::string text = mutate(kSeeds[random() % kSeeds.size()], random);
    const Outcome whole = read(text, nullptr);
    const Outcome pieces = read(text, &random);
    CAPTURE(text);
    REQUIRE((whole.meaning == pieces.meaning));
    understood += std::get<int>(whole.meaning) != 0 ? 1 : 0;
    refused += whole.is_refused ? 1 : 0;
  }
  CHECK(understood > static_cast<int>(kRounds / 10));
  CHECK(refused > static_cast<int>(kRounds / 10));
}

TEST_CASE("What programs print is a response or a reason, whatever it is") {
  std::mt19937 random(2);
  const std::string seed = "Status: 200 OK\r\nContent-Type: text/plain\nX: y\n\nbody\n";
  int responses = 0;
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    const auto response = wasirun::serve::parse_cgi_response(mutate(seed, random));
    if (response) {
      ++responses;
    } else {
      CHECK_FALSE(response.error().empty());
    }
  }
  CHECK(responses > 0);
  CHECK(responses < static_cast<int>(kRounds));
}
