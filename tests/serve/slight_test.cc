// Applications of slight: routes that they say at their start, what handlers are told and return, and what is imported.
#include <filesystem>

#include "serve/wit_fixture.h"
#include "tools/serve/slight_manifest.h"
#include "tools/serve/slight_routes.h"

using namespace wasi::test;
using namespace wasirun::serve;

namespace {

constexpr std::string_view kNothing = "(i32.const 0)";
constexpr std::string_view kSlightfile = "specversion = \"0.1\"\n[[capability]]\nname = \"http\"\n";
constexpr std::string_view kHttp = R"(
  (import "http" "router::new" (func $new (param i32)))
  (import "http" "router::new-with-base" (func $new_with_base (param i32 i32 i32)))
  (import "http" "router::get" (func $get (param i32 i32 i32 i32 i32 i32)))
  (import "http" "router::put" (func $put (param i32 i32 i32 i32 i32 i32)))
  (import "http" "router::post" (func $post (param i32 i32 i32 i32 i32 i32)))
  (import "http" "router::delete" (func $delete (param i32 i32 i32 i32 i32 i32)))
  (import "http" "server::serve" (func $serve (param i32 i32 i32 i32)))
  (import "http" "server::stop" (func $stop (param i32 i32)))
  (import "canonical_abi" "resource_drop_router" (func $drop_router (param i32)))
  (import "canonical_abi" "resource_clone_router" (func $clone_router (param i32) (result i32)))
  (import "canonical_abi" "resource_drop_server" (func $drop_server (param i32))))";

// The same since 0.3.
std::string late_http() {
  std::string imports(kHttp);
  for (std::size_t at = imports.find("\"http\""); at != std::string::npos; at = imports.find("\"http\"", at)) {
    imports.replace(at, 6, "\"http-server\"");
  }
  return imports;
}

// Texts of a start function, with where they lie.
class Texts {
 public:
  // The two arguments of a call that pass a text.
  std::string pass(std::string_view text) {
    const std::size_t at = kFirst + all_.size();
    all_ += text;
    return "(i32.const " + std::to_string(at) + ") (i32.const " + std::to_string(text.size()) + ") ";
  }
  [[nodiscard]] std::string data() const {
    return "(data (i32.const " + std::to_string(kFirst) + ") \"" + all_ + "\")";
  }

 private:
  static constexpr std::size_t kFirst = 2048;
  std::string all_;
};

struct Route {
  std::string_view method;  // of the import: "get"
  std::string_view path;
  std::string_view handler;
};

// A start function that serves these routes.
std::string start(std::initializer_list<Route> routes, std::string_view signature = "(func (export \"_start\")",
                  std::string_view end = ")") {
  Texts texts;
  std::string body = "(call $new (i32.const 16))";
  for (const Route& route : routes) {
    body += "(call $" + std::string(route.method) + " (i32.load (i32.const 20)) " + texts.pass(route.path) +
            texts.pass(route.handler) + "(i32.const 16)) (if (i32.load8_u (i32.const 16)) (then unreachable))";
  }
  body += "(call $serve " + texts.pass("0.0.0.0:80") + "(i32.load (i32.const 20)) (i32.const 16))";
  return std::string(signature) + body + std::string(end) + texts.data();
}

// A handler that returns ok: 200 and these lists.
std::string ok(std::string_view name, std::string_view headers, std::string_view header_count, std::string_view body,
               std::string_view body_size, std::string_view before = "") {
  return handler(name, std::string(before) + "(i32.store8 (i32.const 64) (i32.const 0))" +
                           store_response(68, 200, headers, header_count, body, body_size) + "(i32.const 64)");
}
std::string ok(std::string_view name, std::string_view body, std::string_view body_size) {
  return ok(name, kNothing, kNothing, body, body_size);
}

struct Application : Served {
  explicit Application(const std::string& module, std::string_view slightfile = kSlightfile)
      : Served(make_slight, "slightfile.toml") {
    folder().write("app.wasm", module);
    folder().write("slightfile.toml", slightfile);
  }
};

std::optional<std::vector<HttpField>> match(std::string_view route, std::string_view path) {
  const auto pattern = SlightPattern::parse(route);
  if (!pattern) FAIL(pattern.error());
  return pattern->match(path);
}

std::string params(std::string_view route, std::string_view path) {
  const auto found = match(route, path);
  if (!found) return "no match";
  std::string text;
  for (const HttpField& param : *found) text += param.name + "=" + param.value + ";";
  return text;
}

}  // namespace

TEST_CASE("Routes have names for parts of a path") {
  CHECK(params("/hello", "/hello").empty());
  CHECK(params("/hello", "/hello/").empty());
  CHECK(params("/hello/", "/hello").empty());
  CHECK(params("/", "/").empty());
  CHECK(params("/hello", "/hello/x") == "no match");
  CHECK(params("/hello", "/hell") == "no match");
  CHECK(params("/person/:name", "/person/ann") == "name=ann;");
  CHECK(params("/person/:name", "/person/ann/") == "name=ann;");
  CHECK(params("/person/:name", "/person/") == "no match");
  CHECK(params("/person/:name", "/person/a/b") == "no match");
  CHECK(params("/:a/x/:b", "/1/x/2") == "a=1;b=2;");
  CHECK(params("/:a.:b", "/1.2.3") == "a=1.2;b=3;");
  CHECK(params("/:file.txt", "/a.b.txt") == "file=a.b;");
  CHECK(params("/x/*", "/x/y/z") == "*=y/z;");
  CHECK(params("/x/*", "/x//") == "*=;");
  CHECK(params("/x/*", "/x/") == "no match");
  CHECK(params("/*/end", "/a/b/end") == "*=a/b;");
  CHECK(params("/*/:last", "/a/b/c") == "*=a/b;last=c;");
  CHECK(params("/:/x", "/:/x").empty());
  CHECK_FALSE(SlightPattern::parse("hello"));
  CHECK_FALSE(SlightPattern::parse(""));
  std::string many;
  for (std::size_t i = 0; i <= SlightPattern::kMostNames; ++i) many += "/*";
  CHECK_FALSE(SlightPattern::parse(many));
}

TEST_CASE("A route with many stars takes no time to speak of") {
  std::string route;
  for (std::size_t i = 0; i < SlightPattern::kMostNames; ++i) route += "/*a";
  CHECK_FALSE(match(route + "/b", "/" + std::string(8000, 'a')));
}

TEST_CASE("Percents of a path are decoded") {
  CHECK(decode_path("/a%20b%2Fc") == "/a b/c");
  CHECK(decode_path("/%zz%4") == "/%zz%4");
  CHECK(decode_path("/%41") == "/A");
  CHECK_FALSE(decode_path("/%ff"));
}

TEST_CASE("slightfile.toml of both versions, and wrong ones") {
  const auto first = parse_slightfile(
      "specversion = \"0.1\"\nsecret_store = \"configs.envvars\"\n[[capability]]\n"
      "name = \"http\"\n[[capability]]\nname = \"kv.filesystem\"\n",
      "slightfile.toml");
  REQUIRE(first);
  REQUIRE(first->find("kv") != nullptr);
  CHECK(first->find("kv")->resource == "kv.filesystem");
  CHECK(first->find("sql") == nullptr);
  const auto second = parse_slightfile(
      "specversion = \"0.2\"\n[[capability]]\nresource = \"http\"\nname = \"rest\"\n"
      "[[capability]]\nresource = \"keyvalue.redis\"\nname = \"a\"\n"
      "[[capability]]\nresource = \"keyvalue.filesystem\"\nname = \"b\"\n",
      "slightfile.toml");
  REQUIRE(second);
  CHECK(second->find("keyvalue", "b")->resource == "keyvalue.filesystem");
  const auto error = [](std::string_view text) {
    const auto parsed = parse_slightfile(text, "slightfile.toml");
    return parsed ? "" : parsed.error().to_string();
  };
  CHECK_THAT(error(""), Catch::Contains("specversion is missing"));
  CHECK_THAT(error("specversion = \"0.3\""),
             Catch::Contains("slightfile.toml:1:15: specversion is \"0.3\", expected \"0.1\" or \"0.2\""));
  CHECK_THAT(error("specversion = 1"), Catch::Contains("specversion is an integer, expected a string"));
  CHECK_THAT(error("specversion = \"0.1\""), Catch::Contains("there is no [[capability]] \"http\""));
  CHECK_THAT(error("specversion = \"0.2\"\n[[capability]]\nname = \"http\"\n"),
             Catch::Contains("resource of capability 1"));
  CHECK_THAT(error("specversion = \"0.1"), Catch::Contains("slightfile.toml:1:"));
}

TEST_CASE("Handlers are exports, which answer the routes that the start registered") {
  Application app(wit_module(
      start({{"get", "/hello", "handle_hello"},
             {"get", "/person/:name", "handle_person"},
             {"put", "/hello", "handle_put"},
             {"delete", "/gone", "raw_name"}}) +
          ok("handle-hello", "(local.get $headers)", "(local.get $header_count)", "(local.get $uri)",
             "(local.get $uri_size)") +
          ok("handle-person", "(i32.load offset=8 (local.get $params))", "(i32.load offset=12 (local.get $params))") +
          ok("handle-put", "(local.get $body)", "(local.get $body_size)") + ok("raw_name", kNothing, kNothing),
      kHttp));
  app.must_begin();
  auto hello = app.ask(request("GET", "/hello?q", {{"X-Mine", "1"}, {"Content-Length", "0"}}));
  REQUIRE(hello);
  CHECK(hello->status == 200);
  CHECK(hello->body == "/hello?q");
  CHECK(find_field(hello->fields, "x-mine")->value == "1");
  CHECK(find_field(hello->fields, "content-length") == nullptr);
  CHECK(find_field(hello->fields, "access-control-allow-origin")->value == "*");
  CHECK(app.must_get("/person/J%C3%B6rg").body == "Jörg");
  CHECK(app.ask(request("PUT", "/hello", {}, "put"))->body == "put");
  CHECK(app.ask(request("DELETE", "/gone"))->status == 200);
  CHECK(app.must_get("/none").status == 404);
  CHECK(app.must_get("/%ff").status == 400);
  CHECK(app.ask(request("OPTIONS", "/hello"))->status == 204);
  const auto wrong_method = app.ask(request("POST", "/hello"));
  CHECK(wrong_method->status == 405);
  CHECK(find_field(wrong_method->fields, "allow")->value == "GET, PUT");
}

TEST_CASE("The interface of 0.4: another module, on-server-init instead of _start") {
  const std::string imports = late_http();
  Application app(wit_module(start({{"get", "/", "it"}}, "(func (export \"on-server-init\") (result i32)",
                                   "(i32.store8 (i32.const 600) (i32.const 0)) (i32.const 600))") +
                                 ok("it", "(local.get $uri)", "(local.get $uri_size)"),
                             imports),
                  "specversion = \"0.2\"\n[[capability]]\nresource = \"http\"\nname = \"rest\"\n");
  app.must_begin();
  CHECK(app.must_get("/").body == "/");

  Application fails(wit_module(R"((func (export "on-server-init") (result i32)
      (i32.store8 (i32.const 600) (i32.const 1)) (i32.store (i32.const 604) (i32.const 700))
      (i32.store (i32.const 608) (i32.const 5)) (i32.const 600)) (data (i32.const 700) "no way"))",
                               imports));
  CHECK_THAT(fails.error(), Catch::EndsWith("at its start: no wa"));
}

TEST_CASE("Errors of handlers go to the log") {
  const auto failure = [](std::string_view before, const std::string& imports = late_http()) {
    Application app(wit_module(start({{"get", "/", "it"}}) + handler("it", std::string(before) + "(i32.const 64)") +
                                   "(data (i32.const 700) \"what went wrong\")",
                               imports));
    app.must_begin();
    return app.must_fail(request("GET", "/"));
  };
  const Failure error = failure(
      "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 4))"
      "(i32.store (i32.const 72) (i32.const 700)) (i32.store (i32.const 76) (i32.const 15))");
  CHECK(error.status == 500);
  CHECK(error.message == "the handler returned an error (unexpected): what went wrong");
  CHECK(failure("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 3))"
                "(i32.store16 (i32.const 72) (i32.const 418))")
            .message == "the handler returned an error (status): 418");
  CHECK_THAT(failure("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 5))").message,
             Catch::Contains("there is no error 5"));
  CHECK_THAT(failure("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 72) (i32.const -1))"
                     "(i32.store (i32.const 76) (i32.const 1))")
                 .message,
             Catch::Contains("the error lies outside of the memory"));
  CHECK_THAT(failure("(i32.store8 (i32.const 64) (i32.const 2))").message, Catch::Contains("2 is no tag of a result"));
  CHECK(failure("unreachable").kind == FailureKind::trap);

  // Before 0.3 there was one kind.
  const std::string first(kHttp);
  CHECK(failure("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 0))"
                "(i32.store (i32.const 72) (i32.const 700)) (i32.store (i32.const 76) (i32.const 15))",
                first)
            .message == "the handler returned an error: what went wrong");
  CHECK_THAT(
      failure("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 1))", first).message,
      Catch::Contains("there is no error 1"));
}

TEST_CASE("Starts that serve nothing, or wrongly, are told") {
  const auto error = [](const std::string& functions, std::string_view imports = kHttp,
                        std::string_view slightfile = kSlightfile) {
    Application app(wit_module(functions, imports), slightfile);
    return app.error();
  };
  CHECK_THAT(error("(func (export \"_start\"))"), Catch::Contains("it began no server"));
  CHECK_THAT(error("(func (export \"_start\") unreachable)"), Catch::Contains("at its start: trap: unreachable"));
  CHECK_THAT(error(""), Catch::Contains("_start"));
  CHECK_THAT(error(start({{"get", "/", "none"}})),
             Catch::Contains("the handler \"none\" of a route: it exports no function \"none\""));
  CHECK_THAT(error(start({{"get", "/", "it"}}) + "(func (export \"it\"))"), Catch::Contains("is a function () -> ()"));
  CHECK_THAT(error(start({{"get", "relative", "it"}})), Catch::Contains("unreachable"));
  CHECK_THAT(error("(func (export \"_start\") (call $get (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 0) "
                   "(i32.const 0) (i32.const 16)))"),
             Catch::Contains("there is no router 5"));
  CHECK_THAT(error("(func (export \"_start\") (call $new (i32.const 16)) (call $drop_router (i32.load (i32.const 20)))"
                   "(drop (call $clone_router (i32.load (i32.const 20)))))"),
             Catch::Contains("there is no router 0"));
  CHECK_THAT(error("(func (export \"_start\") (call $stop (i32.const 0) (i32.const 16)))"),
             Catch::Contains("there is no server 0"));
  CHECK_THAT(error("(func (export \"_start\") (loop $l (call $new (i32.const 16)) (br $l)))"),
             Catch::Contains("more than 16384 handles of one kind"));
  CHECK_THAT(error("(func (export \"_start\") (call $new (i32.const -1)))"),
             Catch::Contains("the place for a result lies outside of the memory"));
  CHECK_THAT(error("", "(import \"env\" \"f\" (func))"),
             Catch::Contains("it imports \"env\" \"f\", which applications of slight are not given"));
  CHECK_THAT(error("", "(import \"kv\" \"kv::open\" (func (param i32 i32 i32)))"),
             Catch::Contains("it imports \"kv\", and slightfile.toml has no [[capability]] of the kind \"kv\""));
  Application none("");
  std::filesystem::remove(none.folder() / "app.wasm");
  CHECK_THAT(none.error(), Catch::Contains("app.wasm: "));
}

TEST_CASE("A clone of a router outlives it") {
  Application app(wit_module(R"((func (export "_start") (local $copy i32)
      (call $new_with_base (i32.const 700) (i32.const 1) (i32.const 16))
      (local.set $copy (call $clone_router (i32.load (i32.const 20))))
      (call $drop_router (i32.load (i32.const 20)))
      (call $get (local.get $copy) (i32.const 700) (i32.const 1) (i32.const 701) (i32.const 2) (i32.const 16))
      (call $serve (i32.const 700) (i32.const 0) (i32.load (i32.const 20)) (i32.const 16))
      (call $drop_server (i32.load (i32.const 20))))
      (data (i32.const 700) "/it"))" +
                                 ok("it", "(local.get $uri)", "(local.get $uri_size)"),
                             kHttp));
  app.must_begin();
  CHECK(app.must_get("/").body == "/");
}

TEST_CASE("kv keeps what handlers set, and configs has what guests are given") {
  const std::string imports = std::string(kHttp) + R"(
    (import "kv" "kv::open" (func $open (param i32 i32 i32)))
    (import "kv" "kv::get" (func $kv_get (param i32 i32 i32 i32)))
    (import "kv" "kv::set" (func $kv_set (param i32 i32 i32 i32 i32 i32)))
    (import "kv" "kv::delete" (func $kv_delete (param i32 i32 i32 i32)))
    (import "configs" "configs::open" (func $open_configs (param i32)))
    (import "configs" "configs::get" (func $config (param i32 i32 i32 i32)))
    (import "mq" "mq::open" (func $open_queue (param i32 i32 i32))))";
  constexpr std::string_view kText = R"(
    (i32.store (i32.const 700) (i32.load (select (i32.const 136) (i32.const 132) (i32.load8_u (i32.const 128)))))
    (i32.store (i32.const 704) (i32.load (select (i32.const 140) (i32.const 136) (i32.load8_u (i32.const 128))))))";
  const auto answer = [&](std::string_view name, std::string_view calls) {
    return ok(name, kNothing, kNothing, "(i32.load (i32.const 700))", "(i32.load (i32.const 704))",
              std::string(calls) + std::string(kText));
  };
  const std::string open = "(call $open (i32.const 800) (i32.const 1) (i32.const 128))";
  const std::string key = "(i32.load (i32.const 132)) (i32.const 800) (i32.const 1) ";
  Application app(
      wit_module(
          start({{"get", "/get", "get"},
                 {"post", "/set", "set"},
                 {"get", "/config", "config"},
                 {"get", "/mq", "mq"},
                 {"delete", "/delete", "del"}}) +
              answer("get", open + "(call $kv_get " + key + "(i32.const 128))") +
              ok("set", kNothing, kNothing, kNothing, kNothing,
                 open + "(call $kv_set " + key + "(local.get $body) (local.get $body_size) (i32.const 128))") +
              ok("del", kNothing, kNothing, kNothing, kNothing, open + "(call $kv_delete " + key + "(i32.const 128))") +
              answer("config",
                     "(call $open_configs (i32.const 128))"
                     "(call $config (i32.load (i32.const 132)) (i32.const 801) (i32.const 4) (i32.const 128))") +
              handler("mq", "(call $open_queue (i32.const 0) (i32.const 0) (i32.const 128)) unreachable") +
              "(data (i32.const 800) \"kNAME\")",
          imports),
      "specversion = \"0.1\"\n[[capability]]\nname = \"http\"\n[[capability]]\nname = \"kv.filesystem\"\n"
      "[[capability]]\nname = \"configs.envvars\"\n[[capability]]\nname = \"mq.filesystem\"\n");
  app.setup.wasi.env("NAME", "given");
  app.must_begin();
  CHECK(app.must_get("/get").body == "there is no key k");
  CHECK(app.ask(request("POST", "/set", {}, "value"))->status == 200);
  CHECK(app.must_get("/get").body == "value");
  CHECK(app.ask(request("DELETE", "/delete"))->status == 200);
  CHECK(app.must_get("/get").body == "there is no key k");
  CHECK(app.must_get("/config").body == "given");
  CHECK_THAT(app.must_fail(request("GET", "/mq")).message,
             Catch::Contains("\"mq\" \"mq::open\" of slight was called, which this server does not have"));
}
