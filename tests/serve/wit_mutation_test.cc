// Responses of guests, mutated at random: whatever they are, each is either one that may be sent, or refused.
#include <cstring>
#include <random>

#include "serve/wit_fixture.h"
#include "tools/serve/wit_http.h"

using namespace wasi::test;
using namespace wasirun::serve;

namespace {

constexpr int kRuns = 10'000;
constexpr std::uint32_t kBase = 1024;  // where the guest puts what it is sent
constexpr std::uint64_t kBodyLimit = 50'000;

void put(std::string& bytes, std::size_t at, std::uint32_t word) {
  std::memcpy(bytes.data() + at, &word, sizeof(word));
}

// A response at `at` of an image, with two headers and a body.
std::string right_image(std::uint32_t at) {
  std::string bytes(256, ' ');
  const std::uint32_t words[] = {200, 1, kBase + 100, 2, 1, kBase + 200, 20};
  for (std::size_t i = 0; i < std::size(words); ++i) put(bytes, at + 4 * i, words[i]);
  const std::uint32_t pairs[] = {kBase + 140, 4, kBase + 144, 5, kBase + 150, 3, kBase + 160, 0};
  for (std::size_t i = 0; i < std::size(pairs); ++i) put(bytes, 100 + 4 * i, pairs[i]);
  bytes.replace(140, 13, "namevalue-abc");
  return bytes;
}

void mutate(std::string& bytes, std::mt19937_64& random) {
  constexpr std::uint32_t kWords[] = {0,      1,      2,      0xFF,  0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0,
                                      131072, 131071, 131056, kBase, 65536,      0x10000000, 0x0FFFFFFF, kBase + 100};
  for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
    if (random() % 2 == 0) {
      put(bytes, random() % (bytes.size() / 4) * 4, kWords[random() % std::size(kWords)]);
    } else {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
  }
}

// Puts the body at kBase, and returns that.
std::string guest(std::string_view name) {
  return wit_module(
      handler(name, "(memory.copy (i32.const 1024) (local.get $body) (local.get $body_size)) (i32.const 1024)"));
}

// How many of the mutants of an image were sent.
int send_mutants(Served& served, const std::string& image, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  int sent = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::string bytes = image;
    mutate(bytes, random);
    const auto response = served.ask(request("POST", "/", {}, bytes));
    if (!response) {
      if (response.error().kind != FailureKind::answer) FAIL("run " << run << ": " << response.error().message);
      continue;
    }
    if (!to_sendable(*response) || response->body.size() > kBodyLimit) FAIL("run " << run << " was sent");
    ++sent;
  }
  return sent;
}

}  // namespace

TEST_CASE("Mutated responses of a component of Spin") {
  Served served(make_spin, "spin.toml");
  served.folder().write("guest.wat", guest("handle-http-request"));
  served.folder().write(
      "spin.toml",
      "spin_version = \"1\"\nname = \"app\"\ntrigger = { type = \"http\" }\n[[component]]\nid = \"a\"\n"
      "source = \"guest.wat\"\n[component.trigger]\nroute = \"/\"\n");
  served.must_begin();
  served.limits.response_limit = kBodyLimit;
  const int sent = send_mutants(served, right_image(0), 1);
  // Some of each, or the mutations test nothing.
  CHECK(sent > kRuns / 20);
  CHECK(sent < kRuns - kRuns / 20);
}

TEST_CASE("Mutated results of a handler of slight") {
  Served served(make_slight, "slightfile.toml");
  served.folder().write(
      "app.wasm",
      wit_module(handler("handle-it",
                         "(memory.copy (i32.const 1024) (local.get $body) (local.get $body_size)) (i32.const 1024)") +
                     R"((func (export "_start")
            (call $new (i32.const 16))
            (call $post (i32.load (i32.const 20)) (i32.const 32) (i32.const 1) (i32.const 33) (i32.const 9) (i32.const 16))
            (call $serve (i32.const 32) (i32.const 0) (i32.load (i32.const 20)) (i32.const 16)))
          (data (i32.const 32) "/handle_it"))",
                 R"((import "http" "router::new" (func $new (param i32)))
         (import "http" "router::post" (func $post (param i32 i32 i32 i32 i32 i32)))
         (import "http" "server::serve" (func $serve (param i32 i32 i32 i32))))"));
  served.folder().write("slightfile.toml", "specversion = \"0.1\"\n[[capability]]\nname = \"http\"\n");
  served.must_begin();
  served.limits.response_limit = kBodyLimit;
  std::string image = right_image(4);
  put(image, 0, 0);
  const int sent = send_mutants(served, image, 2);
  CHECK(sent > kRuns / 20);
  CHECK(sent < kRuns - kRuns / 20);
}
