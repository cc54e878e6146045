// Applications of Spin: what components are told, what they may answer, and what their imports do.
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "engine/fixture.h"
#include "serve/wit_fixture.h"

using namespace wasi::test;
using namespace wasirun::serve;

namespace {

constexpr std::string_view kNothing = "(i32.const 0)";

std::string manifest(std::string_view component = "", std::string_view route = "/...", std::string_view top = "") {
  return "spin_version = \"1\"\nname = \"app\"\nversion = \"1\"\ntrigger = { type = \"http\", base = \"/\" }\n" +
         std::string(top) + "[[component]]\nid = \"one\"\nsource = \"one.wat\"\n" + std::string(component) +
         "\n[component.trigger]\nroute = \"" + std::string(route) + "\"\n";
}

// An application of one component.
struct Application : Served {
  Application(std::string_view module, const std::string& toml) : Served(make_spin, "spin.toml") {
    folder().write("one.wat", module);
    folder().write("spin.toml", toml);
  }
  explicit Application(std::string_view module) : Application(module, manifest()) {}
};

// Answers with the status 200 and these lists.
std::string answering(std::string_view headers, std::string_view header_count, std::string_view body,
                      std::string_view body_size, std::string_view imports = "", std::string_view before = "") {
  return wit_module(
      handler("handle-http-request",
              std::string(before) + store_response(64, 200, headers, header_count, body, body_size) + "(i32.const 64)"),
      imports);
}

// The body is what the guest was told: the URI, the headers as an array, ...
std::string echo_headers() {
  return answering("(local.get $headers)", "(local.get $header_count)", kNothing, kNothing);
}

// Reads a result of an import, at 128: its first two words and the text at the pointer @4 or @8 become the body, behind
// a byte for each of tag and error.
std::string calling(std::string_view imports, std::string_view call, std::string_view data = "") {
  return wit_module(
      handler("handle-http-request", std::string(call) + R"(
        (i32.store8 (i32.const 200) (i32.add (i32.const 48) (i32.load8_u (i32.const 128))))
        (if (i32.load8_u (i32.const 128))
          (then
            (i32.store8 (i32.const 201) (i32.add (i32.const 48) (i32.load8_u (i32.const 132))))
            (i32.store (i32.const 300) (i32.load (i32.const 136)))
            (i32.store (i32.const 304) (i32.load (i32.const 140))))
          (else
            (i32.store8 (i32.const 201) (i32.const 45))
            (i32.store (i32.const 300) (i32.load (i32.const 132)))
            (i32.store (i32.const 304) (i32.load (i32.const 136)))))
        (memory.copy (i32.const 202) (i32.load (i32.const 300)) (i32.load (i32.const 304))) )" +
                                         store_response(64, 200, kNothing, kNothing, "(i32.const 200)",
                                                        "(i32.add (i32.const 2) (i32.load (i32.const 304)))") +
                                         "(i32.const 64)") +
          std::string(data),
      imports);
}

HttpRequest with_body(std::string body) { return request("POST", "/", {}, std::move(body)); }

std::string words(std::initializer_list<std::uint32_t> values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

// A response of these parts as a guest has it in memory.
std::string image(std::uint32_t status, std::uint32_t has_headers, std::uint32_t headers, std::uint32_t header_count,
                  std::uint32_t has_body, std::uint32_t body, std::uint32_t body_size) {
  return words({status, has_headers, headers, header_count, has_body, body, body_size});
}

// Answers with what the request's body says that is in memory from 1024 on: any response, right or wrong.
std::string any_response() {
  return wit_module(handler("handle-http-request", R"(
    (memory.copy (i32.const 1024) (local.get $body) (local.get $body_size)) (i32.const 1024))"));
}

}  // namespace

TEST_CASE("A component is told the request, and the server sends its response") {
  Application app(
      answering("(local.get $headers)", "(local.get $header_count)", "(local.get $body)", "(local.get $body_size)"));
  app.must_begin();
  const auto response =
      app.ask(request("POST", "/a%20b?x=1", {{"Host", "example.org:80"}, {"X-Mine", "1"}, {"Content-Length", "4"}},
                      std::string("b\0dy", 4)));
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->body == std::string("b\0dy", 4));
  REQUIRE(find_field(response->fields, "x-mine") != nullptr);
  CHECK(find_field(response->fields, "x-mine")->value == "1");
  CHECK(find_field(response->fields, "x-mine")->name == "x-mine");
  CHECK(find_field(response->fields, "content-length") == nullptr);
  CHECK(find_field(response->fields, "spin-path-info")->value == "/a%20b");
  CHECK(find_field(response->fields, "spin-full-url")->value == "http://example.org:80/a%20b?x=1");
}

TEST_CASE("The URI is the path with its query") {
  Application app(answering(kNothing, kNothing, "(local.get $uri)", "(local.get $uri_size)"));
  app.must_begin();
  CHECK(app.must_get("/x?y=z&%20").body == "/x?y=z&%20");
}

TEST_CASE("Methods are numbers, and others are not for components") {
  Application app(answering(kNothing, kNothing, "(i32.const 128)", "(i32.const 1)", "",
                            "(i32.store8 (i32.const 128) (i32.add (i32.const 48) (local.get $method)))"));
  app.must_begin();
  std::string numbers;
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}) {
    numbers += app.ask(request(method, "/"))->body;
  }
  CHECK(numbers == "0123456");
  const auto refused = app.ask(request("TRACE", "/"));
  REQUIRE(refused);
  CHECK(refused->status == 405);
  CHECK(find_field(refused->fields, "allow")->value == "GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS");
}

TEST_CASE("The server's own headers cannot be sent by clients") {
  Application app(echo_headers(),
                  "spin_version = \"1\"\nname = \"app\"\nversion = \"1\"\n"
                  "trigger = { type = \"http\", base = \"/base\" }\n[[component]]\nid = \"one\"\n"
                  "source = \"one.wat\"\n[component.trigger]\nroute = \"/one/...\"\n");
  app.must_begin();
  const auto response =
      app.ask(request("GET", "/base/one/x?q", {{"Spin-Path-Info", "/forged"}, {"SPIN-BASE-PATH", "/"}}));
  REQUIRE(response);
  const std::array<std::pair<const char*, const char*>, 6> expected = {
      {{"spin-path-info", "/x"},
       {"spin-full-url", "http://localhost/base/one/x?q"},
       {"spin-matched-route", "/base/one/..."},
       {"spin-base-path", "/base"},
       {"spin-raw-component-route", "/one/..."},
       {"spin-component-route", "/one"}}};
  CHECK(response->fields.size() == expected.size());
  for (const auto& [name, value] : expected) {
    INFO(name);
    const HttpField* const field = find_field(response->fields, name);
    REQUIRE(field != nullptr);
    CHECK(field->value == value);
  }
}

TEST_CASE("Paths that no component has are not found, and each route has its own component") {
  Application app(answering(kNothing, kNothing, kNothing, kNothing),
                  manifest("", "/one") +
                      "[[component]]\nid = \"two\"\nsource = \"two.wat\"\n[component.trigger]\n"
                      "route = \"/two/...\"\n");
  app.folder().write("two.wat", wit_module(handler("handle-http-request",
                                                   store_response(64, 201, kNothing, kNothing, kNothing, kNothing) +
                                                       "(i32.const 64)")));
  app.must_begin();
  CHECK(app.must_get("/one").status == 200);
  CHECK(app.must_get("/two").status == 201);
  CHECK(app.must_get("/two/x").status == 201);
  CHECK(app.must_get("/").status == 404);
  CHECK(app.must_get("/one/x").status == 404);
  CHECK(app.must_get("/.well-known/spin/health").status == 200);
  CHECK(app.must_get("/.well-known/spin/health").body == "OK");
}

TEST_CASE("A module without a manifest answers everything") {
  wasirun::serve::GuestSetup setup;
  setup.module = load(setup.engine, answering(kNothing, kNothing, "(local.get $uri)", "(local.get $uri_size)"));
  setup.module_path = "one.wat";
  const auto contract = make_spin(setup);
  REQUIRE(contract);
  const RequestContext context = {.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20),
                                  .memory_limit = 1U << 20,
                                  .response_limit = 100,
                                  .log = {},
                                  .cancelled = {}};
  CHECK((*contract)->answer(request("GET", "/any/path"), context)->body == "/any/path");
  CHECK((*contract)->answer(request("GET", "/"), context)->body == "/");
}

TEST_CASE("Each request has an instance of its own") {
  Application app(wit_module(
      "(global $count (mut i32) (i32.const 0))" +
      handler("handle-http-request",
              "(global.set $count (i32.add (global.get $count) (i32.const 1)))"
              "(i32.store8 (i32.const 128) (i32.add (i32.const 48) (global.get $count)))" +
                  store_response(64, 200, kNothing, kNothing, "(i32.const 128)", "(i32.const 1)") + "(i32.const 64)")));
  app.must_begin();
  CHECK(app.must_get("/").body == "1");
  CHECK(app.must_get("/").body == "1");
}

TEST_CASE("_initialize is called first, and _start never") {
  Application app(wit_module(
      "(global $ready (mut i32) (i32.const 0))"
      "(func (export \"_initialize\") (global.set $ready (i32.const 1)))"
      "(func (export \"_start\") unreachable)" +
      handler("handle-http-request",
              "(i32.store8 (i32.const 128) (i32.add (i32.const 48) (global.get $ready)))" +
                  store_response(64, 200, kNothing, kNothing, "(i32.const 128)", "(i32.const 1)") + "(i32.const 64)")));
  app.must_begin();
  CHECK(app.must_get("/").body == "1");
}

TEST_CASE("A response without headers or body is one") {
  Application app(any_response());
  app.must_begin();
  const auto response = app.ask(with_body(image(204, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0xFFFFFFFF)));
  REQUIRE(response);
  CHECK(response->status == 204);
  CHECK(response->fields.empty());
  CHECK(response->body.empty());
}

TEST_CASE("What is no response is refused, and what is wrong is said") {
  Application app(any_response());
  app.must_begin();
  app.limits.response_limit = 1000;
  struct Case {
    std::string image;
    const char* message;
  };
  const Case cases[] = {
      {image(0, 0, 0, 0, 0, 0, 0), "0 is no status of a response, which are 200 to 599"},
      {image(199, 0, 0, 0, 0, 0, 0), "199 is no status"},
      {image(600, 0, 0, 0, 0, 0, 0), "600 is no status"},
      {image(200, 2, 0, 0, 0, 0, 0), "the headers: 2 is no tag of an option"},
      {image(200, 0, 0, 0, 255, 0, 0), "the body: 255 is no tag of an option"},
      {image(200, 0, 0, 0, 1, 0xFFFFFFF0, 1), "the body lies outside of the memory: 1 bytes at 0xfffffff0"},
      {image(200, 0, 0, 0, 1, 8, 0xFFFFFFFF), "the body lies outside of the memory: 4294967295 bytes at 0x8"},
      {image(200, 0, 0, 0, 1, 0xFFFFFFFF, 0xFFFFFFFF), "the body lies outside of the memory"},
      {image(200, 0, 0, 0, 1, 131072, 1), "the body lies outside of the memory: 1 bytes at 0x20000"},
      {image(200, 0, 0, 0, 1, 0, 1001), "the body is too large: there may be 1000 bytes"},
      {image(200, 1, 0xFFFFFFF0, 2, 0, 0, 0), "the headers lies outside of the memory: 32 bytes at 0xfffffff0"},
      {image(200, 1, 0, 0x10000001, 0, 0, 0), "the headers lies outside of the memory: 4294967312 bytes at 0x0"},
      {image(200, 1, 0, 0xFFFFFFFF, 0, 0, 0), "the headers lies outside of the memory"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({0xFFFFFFFF, 2, 0, 0}),
       "name 0 of the headers lies outside of the memory"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({1024, 0, 131071, 2}),
       "value 0 of the headers lies outside of the memory"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({1068, 1, 0, 0}) + "\xFF", "name 0 of the headers is not UTF-8"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({1068, 1, 1069, 2}) + "a\xC0\x80",
       "value 0 of the headers is not UTF-8"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({0, 0, 0, 0}), "\"\" is no name of a header"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({1068, 3, 0, 0}) + "a b", "\"a b\" is no name of a header"},
      {image(200, 1, 1052, 1, 0, 0, 0) + words({1068, 1, 1069, 4}) + "ab\r\nc",
       "the header a has a value with control characters: \"b\\r\\nc\""},
  };
  for (const Case& each : cases) {
    INFO(each.message);
    const Failure failure = app.must_fail(with_body(each.image));
    CHECK(failure.status == 500);
    CHECK(failure.kind == FailureKind::answer);
    CHECK_THAT(failure.message, Catch::StartsWith("the guest's answer is no response: "));
    CHECK_THAT(failure.message, Catch::Contains(each.message));
  }
}

TEST_CASE("Lists that name the same bytes again and again are not taken out of the guest") {
  // A pair of 60 KiB, written as often as memory holds pairs: some 4 GiB.
  Application app(wit_module(handler(
      "handle-http-request",
      "(local $i i32) (memory.fill (i32.const 0) (i32.const 97) (i32.const 61440)) (drop (memory.grow (i32.const 20)))"
      "(loop $more (i32.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 4))) (i32.const 0))"
      "  (i32.store (i32.add (i32.const 65540) (i32.shl (local.get $i) (i32.const 4))) (i32.const 61440))"
      "  (i32.store (i32.add (i32.const 65544) (i32.shl (local.get $i) (i32.const 4))) (i32.const 0))"
      "  (i32.store (i32.add (i32.const 65548) (i32.shl (local.get $i) (i32.const 4))) (i32.const 61440))"
      "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
      "  (br_if $more (i32.lt_u (local.get $i) (i32.const 65536))))" +
          store_response(61500, 200, "(i32.const 65536)", "(i32.const 65536)", kNothing, kNothing) +
          "(i32.const 61500)")));
  app.must_begin();
  CHECK_THAT(app.must_fail(request("GET", "/")).message,
             Catch::Contains("of the headers is too large: there may be 1048576 bytes"));
}

TEST_CASE("A response that begins at the end of memory is none") {
  for (const char* address : {"(i32.const -1)", "(i32.const 131071)", "(i32.const 131052)", "(i32.const -20)"}) {
    INFO(address);
    Application app(wit_module(handler("handle-http-request", address)));
    app.must_begin();
    CHECK_THAT(app.must_fail(request("GET", "/")).message, Catch::Contains("the guest's answer is no response"));
  }
}

TEST_CASE("Guests that trap, exit, loop or allocate what is not there") {
  const auto failure_of_module = [](const std::string& module) {
    Application app(module);
    app.must_begin();
    app.time = std::chrono::milliseconds(300);
    return app.must_fail(request("POST", "/", {}, "body"));
  };
  const Failure trap = failure_of_module(wit_module(handler("handle-http-request", "unreachable")));
  CHECK(trap.status == 500);
  CHECK(trap.kind == FailureKind::trap);
  CHECK_THAT(trap.message, Catch::Contains("unreachable"));

  const Failure loop = failure_of_module(wit_module(handler("handle-http-request", "(loop $l (br $l)) unreachable")));
  CHECK(loop.status == 504);
  CHECK(loop.kind == FailureKind::deadline);

  const Failure slow = failure_of_module(R"((module (memory (export "memory") 1)
    (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) unreachable) )" +
                                         handler("handle-http-request", "(i32.const 0)") + ")");
  CHECK(slow.status == 504);

  for (const char* address : {"(i32.const -1)", "(i32.const 65535)", "(i32.const -2147483648)"}) {
    const Failure outside = failure_of_module(
        R"((module (memory (export "memory") 1)
      (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32) )" +
        std::string(address) + ")" + handler("handle-http-request", "(i32.const 0)") + ")");
    CHECK(outside.status == 500);
    CHECK_THAT(outside.message, Catch::Contains("what canonical_abi_realloc gave lies outside of the memory"));
  }

  const Failure ended =
      failure_of_module(wit_module(handler("handle-http-request", "(call $exit (i32.const 3)) unreachable"),
                                   "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"));
  CHECK(ended.status == 500);
}

TEST_CASE("A component that needs more memory than there may be is not run") {
  Application app(
      "(module (memory (export \"memory\") 1000)"
      "(func (export \"canonical_abi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)" +
      handler("handle-http-request", "unreachable") + ")");
  app.must_begin();
  const Failure failure = app.must_fail(request("GET", "/"));
  CHECK(failure.status == 503);
  CHECK(failure.kind == FailureKind::resources);
}

TEST_CASE("Requests that are not text are not for components") {
  Application app(echo_headers());
  app.must_begin();
  const auto response = app.ask(request("GET", "/", {{"X", "\xFF"}}));
  REQUIRE(response);
  CHECK(response->status == 400);
}

TEST_CASE("Modules that are no components are refused before anything is served") {
  const auto error = [](const std::string& module) {
    Application app(module);
    return app.error();
  };
  CHECK_THAT(error("(module)"), Catch::Contains("component one: ") && Catch::Contains("one.wat: ") &&
                                    Catch::Contains("it exports no function \"handle-http-request\""));
  CHECK_THAT(error("(module (func (export \"handle-http-request\")))"),
             Catch::Contains("its export \"handle-http-request\" is a function () -> ()"));
  CHECK_THAT(error("(module (func (export \"_start\")))"), Catch::Contains("executor = { type = \"wagi\" }"));
  CHECK_THAT(error(wit_module(handler("handle-http-request", "unreachable"), "(import \"env\" \"f\" (func))")),
             Catch::Contains("it imports \"env\" \"f\", which components of Spin are not given"));
  CHECK_THAT(error(wit_module(handler("handle-http-request", "unreachable"), "(import \"key-value\" \"x\" (func))")),
             Catch::Contains("it imports \"key-value\" \"x\""));
  CHECK_THAT(error("(module " + handler("handle-http-request", "unreachable") + ")"),
             Catch::Contains("it exports no memory \"memory\" with 32-bit addresses"));
  CHECK_THAT(error("(module (memory (export \"memory\") i64 1) " + handler("handle-http-request", "unreachable") + ")"),
             Catch::Contains("it exports no memory \"memory\" with 32-bit addresses"));
  CHECK_THAT(error("(module (memory (export \"memory\") 1) " + handler("handle-http-request", "unreachable") + ")"),
             Catch::Contains("it exports no function \"canonical_abi_realloc\""));
  CHECK_THAT(error(wit_module(handler("handle-http-request", "unreachable"),
                              "(import \"wasi\" \"thread-spawn\" (func (param i32) (result i32)))")),
             Catch::Contains("it imports \"wasi\" \"thread-spawn\""));
  CHECK_THAT(error("(module"), Catch::Contains("one.wat: "));
  Application missing("", manifest("files = [{ source = \"none\", destination = \"/\" }]"));
  missing.folder().write("one.wat", echo_headers());
  CHECK_THAT(missing.error(), Catch::Contains("none: a directory is expected"));
}

TEST_CASE("A manifest that cannot be read is told") {
  Application app(echo_headers());
  std::filesystem::remove(app.folder() / "spin.toml");
  CHECK_THAT(app.error(), Catch::Contains("spin.toml: No such file or directory"));
  app.folder().make_directory("spin.toml");
  CHECK_THAT(app.error(), Catch::Contains("spin.toml: is no file"));
  std::filesystem::remove(app.folder() / "spin.toml");
  REQUIRE(mkfifo((app.folder() / "spin.toml").c_str(), 0600) == 0);
  CHECK_THAT(app.error(), Catch::Contains("spin.toml: is no file"));
  std::filesystem::remove(app.folder() / "spin.toml");
  app.folder().write("spin.toml", std::string((1U << 20) + 1, '\n'));
  CHECK_THAT(app.error(), Catch::Contains("spin.toml: has more than 1048576 bytes"));
}

TEST_CASE("What Spin has and this server has not traps when it is called") {
  Application app(
      wit_module(handler("handle-http-request", "(if (local.get $body_size) (then (call $publish)))" +
                                                    store_response(64, 200, kNothing, kNothing, kNothing, kNothing) +
                                                    "(i32.const 64)"),
                 "(import \"outbound-redis\" \"publish\" (func $publish))"));
  app.must_begin();
  CHECK(app.must_get("/").status == 200);
  CHECK_THAT(app.must_fail(with_body("x")).message,
             Catch::Contains("\"outbound-redis publish\" of Spin was called, which this server does not have"));
}

TEST_CASE("What a component prints goes to the log") {
  Application app(wit_module(
      handler("handle-http-request",
              "(i32.store (i32.const 600) (i32.const 608)) (i32.store (i32.const 604) (i32.const 6))"
              "(drop (call $write (i32.const 1) (i32.const 600) (i32.const 1) (i32.const 640)))"
              "(drop (call $write (i32.const 2) (i32.const 600) (i32.const 1) (i32.const 640)))" +
                  store_response(64, 200, kNothing, kNothing, kNothing, kNothing) + "(i32.const 64)") +
          "(data (i32.const 608) \"line.\\n\")",
      "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))"));
  app.must_begin();
  CHECK(app.must_get("/").status == 200);
  CHECK(app.log == "line.\nline.\n");
}

TEST_CASE("Requests at the same time have logs and responses of their own") {
  // Prints its body, and answers with it.
  Application app(
      answering(kNothing, kNothing, "(local.get $body)", "(local.get $body_size)",
                "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) "
                "(result i32)))",
                "(i32.store (i32.const 600) (local.get $body)) (i32.store (i32.const 604) (local.get $body_size))"
                "(drop (call $write (i32.const 1) (i32.const 600) (i32.const 1) (i32.const 640)))"));
  app.must_begin();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const std::string text = std::to_string(thread) + " " + std::to_string(i);
        std::string log;
        const RequestContext context = {.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60),
                                        .memory_limit = 16U << 20,
                                        .response_limit = 1000,
                                        .log = [&](std::string_view printed) { log += printed; },
                                        .cancelled = {}};
        const auto response = app.contract().answer(request("POST", "/", {}, text), context);
        if (!response || response->body != text || log != text) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("spin-config has what the manifest and the environment say") {
  setenv("SPIN_VARIABLE_FROM_ENV", "outside", 1);
  Application app(calling("(import \"spin-config\" \"get-config\" (func $get (param i32 i32 i32)))",
                          "(call $get (local.get $body) (local.get $body_size) (i32.const 128))"),
                  manifest("config = { a = \"[{{ with_default }}]\", b = \"{{ from_env }}\", c = \"{{ missing }}\", "
                           "d = \"{{ given }}\" }",
                           "/...",
                           "[variables]\nwith_default = { default = \"d\" }\nfrom_env = { required = true }\n"
                           "missing = { required = true }\ngiven = { required = true }\n"));
  app.setup.wasi.env("SPIN_VARIABLE_GIVEN", "by the server");
  app.must_begin();
  const auto config = [&](const char* key) { return app.ask(with_body(key))->body; };
  CHECK(config("a") == "0-[d]");
  CHECK(config("b") == "0-outside");
  CHECK(config("d") == "0-by the server");
  CHECK(config("c") == "10the variable missing is required and has no value: SPIN_VARIABLE_MISSING is not set");
  CHECK(config("A B") == "11\"A B\" is no key: it has to begin with a lower-case letter");
  CHECK(config("none") == "13the component one has no config \"none\"");
  CHECK_THAT(app.must_fail(with_body("\xFF")).message, Catch::Contains("the key is not UTF-8"));
  unsetenv("SPIN_VARIABLE_FROM_ENV");
}

TEST_CASE("Arguments and results of imports are checked") {
  const auto failure = [](std::string_view arguments) {
    Application app(wit_module(handler("handle-http-request", "(call $get " + std::string(arguments) + ") unreachable"),
                               "(import \"spin-config\" \"get-config\" (func $get (param i32 i32 i32)))"));
    app.must_begin();
    return app.must_fail(request("GET", "/")).message;
  };
  CHECK_THAT(failure("(i32.const -1) (i32.const 5) (i32.const 128)"),
             Catch::Contains("the key lies outside of the memory"));
  CHECK_THAT(failure("(i32.const 0) (i32.const -1) (i32.const 128)"),
             Catch::Contains("the key lies outside of the memory"));
  CHECK_THAT(failure("(i32.const 0) (i32.const 0) (i32.const -2)"),
             Catch::Contains("the place for a result lies outside of the memory"));
}

TEST_CASE("key-value keeps what components of the application set") {
  // The first byte of the body says what is done, the second is the key, the others the value.
  constexpr std::string_view kImports = R"(
    (import "key-value" "open" (func $open (param i32 i32 i32)))
    (import "key-value" "get" (func $get (param i32 i32 i32 i32)))
    (import "key-value" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
    (import "key-value" "delete" (func $delete (param i32 i32 i32 i32)))
    (import "key-value" "exists" (func $exists (param i32 i32 i32 i32)))
    (import "key-value" "get-keys" (func $keys (param i32 i32)))
    (import "key-value" "close" (func $close (param i32))))";
  constexpr std::string_view kCall = R"(
    (local $key i32) (local $size i32) (local $store i32)
    (local.set $key (i32.add (local.get $body) (i32.const 1)))
    (local.set $size (i32.sub (local.get $body_size) (i32.const 2)))
    (block $done
      (call $open (i32.const 400) (select (i32.const 7) (i32.const 5)
        (i32.ne (i32.load8_u (local.get $body)) (i32.const 111))) (i32.const 128))
      (br_if $done (i32.load8_u (i32.const 128)))
      (local.set $store (i32.load (i32.const 132)))
      (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 103)) ;; g
        (then (call $get (local.get $store) (local.get $key) (i32.const 1) (i32.const 128)) (br $done)))
      (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 115)) ;; s
        (then (call $set (local.get $store) (local.get $key) (i32.const 1)
          (i32.add (local.get $body) (i32.const 2)) (local.get $size) (i32.const 128))
          (i32.store (i32.const 136) (i32.const 0)) (br $done)))
      (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 100)) ;; d
        (then (call $delete (local.get $store) (local.get $key) (i32.const 1) (i32.const 128))
          (i32.store (i32.const 136) (i32.const 0)) (br $done)))
      (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 101)) ;; e: the answer as a digit
        (then (call $exists (local.get $store) (local.get $key) (i32.const 1) (i32.const 128))
          (i32.store8 (i32.const 500) (i32.add (i32.const 48) (i32.load8_u (i32.const 132))))
          (i32.store (i32.const 132) (i32.const 500)) (i32.store (i32.const 136) (i32.const 1)) (br $done)))
      (if (i32.eq (i32.load8_u (local.get $body)) (i32.const 107)) ;; k: the first key
        (then (call $keys (local.get $store) (i32.const 128))
          (i64.store (i32.const 132) (i64.load (i32.load (i32.const 132)))) (br $done)))
      (call $close (local.get $store)) ;; c
      (call $get (local.get $store) (local.get $key) (i32.const 1) (i32.const 128))))";
  Application app(calling(kImports, kCall, "(data (i32.const 400) \"default\")"),
                  manifest("key_value_stores = [\"default\"]"));
  app.must_begin();
  const auto does = [&](const char* text) { return app.ask(with_body(text))->body.substr(0, 8); };
  CHECK(does("gx") == "14");
  CHECK(does("sxvalue") == "0-");
  CHECK(does("gx") == "0-value");
  CHECK(does("ex") == "0-1");
  CHECK(does("ey") == "0-0");
  CHECK(does("kx") == "0-x");
  CHECK(does("dx") == "0-");
  CHECK(does("gx") == "14");
  CHECK(does("cx") == "13");
  CHECK(does("ox") == "12");

  Application refused(calling(kImports, kCall, "(data (i32.const 400) \"default\")"));
  refused.must_begin();
  CHECK(refused.ask(with_body("gx"))->body.substr(0, 2) == "12");
}

TEST_CASE("Requests to hosts that are not allowed are not sent") {
  const std::string module = calling(
      "(import \"wasi-outbound-http\" \"request\" (func $request (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))",
      "(call $request (i32.const 0) (local.get $body) (local.get $body_size) (i32.const 0) (i32.const 0) (i32.const 0) "
      "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 128)) (i32.store (i32.const 140) (i32.const "
      "0))");
  Application app(module, manifest("allowed_http_hosts = [\"allowed.invalid\"]"));
  app.must_begin();
  const auto send = [&](const char* uri) { return app.ask(with_body(uri))->body.substr(0, 2); };
  CHECK(send("http://127.0.0.1:1/") == "11");
  CHECK(send("http://allowed.invalid:81/") == "11");
  CHECK(send("http://allowed.invalid@127.0.0.1/") == "11");
  CHECK(send("http://127.0.0.1#@allowed.invalid/") == "11");
  CHECK(send("http://allowed.invalid.example/") == "11");
  CHECK(send("/path") == "11");
  CHECK(send("file:///etc/passwd") == "11");
  CHECK(send("gopher://allowed.invalid/") == "11");
  CHECK(send("no url") == "12");
  CHECK(send("") == "12");
  CHECK_THAT(app.log, Catch::Contains("allowed_http_hosts does not have the host of http://127.0.0.1:1/"));

  Application without(module);
  without.must_begin();
  CHECK(without.ask(with_body("http://allowed.invalid/"))->body.substr(0, 2) == "11");

  const std::string wrong = wit_module(
      handler("handle-http-request",
              "(call $request (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) "
              "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 128)) unreachable"),
      "(import \"wasi-outbound-http\" \"request\" (func $request (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 "
      "i32)))");
  Application bad(wrong);
  bad.must_begin();
  CHECK_THAT(bad.must_fail(request("GET", "/")).message, Catch::Contains("there is no method 7"));
}
