// spin.toml: what is read from it, and where it is wrong.
#include <catch2/catch.hpp>

#include "tools/serve/spin_manifest.h"

using namespace wasirun::serve;

namespace {

// A manifest that is right, with more at its end.
std::string manifest(std::string_view more = "") {
  return R"(spin_version = "1"
name = "app"
version = "1.0.0"
trigger = { type = "http", base = "/" }
[[component]]
id = "hello"
source = "hello.wasm"
[component.trigger]
route = "/hello"
)" + std::string(more);
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_spin_manifest(text, "spin.toml");
  return parsed ? "" : parsed.error().to_string();
}

}  // namespace

TEST_CASE("The manifest of the node pool preview's image") {
  const auto parsed = parse_spin_manifest(R"(spin_version = "1"
authors = ["Somebody"]
description = "A simple spin hello world"
name = "spin-hello"
trigger = { type = "http", base = "/" }
version = "1.0.0"

[[component]]
id = "hello"
source = "spin_rust_hello.wasm"
[component.trigger]
route = "/hello"
)",
                                          "spin.toml");
  REQUIRE(parsed);
  CHECK(parsed->name == "spin-hello");
  CHECK(parsed->base == "/");
  REQUIRE(parsed->components.size() == 1);
  const SpinComponent& component = parsed->components[0];
  CHECK(component.id == "hello");
  CHECK(component.source == "spin_rust_hello.wasm");
  CHECK(component.route == "/hello");
  CHECK(component.executor == SpinExecutor::spin);
  CHECK(component.allowed_hosts.empty());
}

TEST_CASE("Everything that a manifest may say") {
  const auto parsed = parse_spin_manifest(R"(spin_manifest_version = "1"
name = "all"
version = "0.1.0"
trigger = { type = "http", base = "/base/" }
[variables]
host = { default = "localhost" }
password = { required = true, secret = true }
[[component]]
id = "first"
source = "a.wasm"
files = ["static/*.txt", { source = "public", destination = "/www" }]
exclude_files = ["static/secret.txt"]
allowed_http_hosts = ["example.com", "https://other.org:8443", "self"]
environment = { NAME = "value", EMPTY = "" }
key_value_stores = ["default"]
config = { url = "http://{{ host }}/x", plain = "text" }
[component.trigger]
route = "/first/..."
executor = { type = "spin" }
[component.build]
command = "make"
[[component]]
id = "second"
source = "b.wasm"
[component.trigger]
route = "/second"
executor = { type = "wagi", argv = "${SCRIPT_NAME} ${ARGS}", entrypoint = "_start" }
)",
                                          "spin.toml");
  REQUIRE(parsed);
  CHECK(parsed->base == "/base/");
  CHECK(parsed->variables.at("host").value == "localhost");
  CHECK_FALSE(parsed->variables.at("password").value);
  CHECK(parsed->variables.at("password").is_secret);
  REQUIRE(parsed->components.size() == 2);
  const SpinComponent& first = parsed->components[0];
  CHECK(first.files.patterns == std::vector<std::string>{"static/*.txt"});
  REQUIRE(first.files.placements.size() == 1);
  CHECK(first.files.placements[0].source == "public");
  CHECK(first.files.placements[0].destination == "/www");
  CHECK(first.files.excluded == std::vector<std::string>{"static/secret.txt"});
  CHECK(first.allowed_hosts.allows("http", "example.com", 80));
  CHECK(first.allowed_hosts.allows("https", "other.org", 8443));
  CHECK(first.allowed_hosts.allows_self());
  CHECK(first.environment.size() == 2);
  CHECK(first.key_value_stores == std::vector<std::string>{"default"});
  CHECK(first.config.size() == 2);
  CHECK(parsed->components[1].executor == SpinExecutor::wagi);
}

TEST_CASE("A wrong manifest is refused with the place and what was expected") {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"name = ", "spin.toml:1:8: "},
      {"name = \"a\"\n[[component]\n", "spin.toml:2:"},
      {manifest("x = [1,\n"), "spin.toml:10:"},
      {"name = \"a\"", "spin_manifest_version (or, as it was called once, spin_version) is missing"},
      {"spin_manifest_version = 2\n", "spin.toml:1:25: spin_manifest_version is to be \"1\""},
      {"spin_version = \"2\"\n", "spin.toml:1:16: spin_version is to be \"1\""},
      {"spin_version = \"1\"\nname = 7\n", "spin.toml:2:8: name is an integer, expected a string"},
      {"spin_version = \"1\"\nname = \"a\"\n", "trigger is missing"},
      {"spin_version = \"1\"\nname = \"a\"\ntrigger = { type = \"redis\" }\n",
       "spin.toml:3:20: triggers of the type \"redis\" are not served"},
      {"spin_version = \"1\"\nname = \"a\"\ntrigger = { type = \"http\", base = \"x\" }\n",
       "spin.toml:3:35: base is to begin with a slash"},
      {"spin_version = \"1\"\nname = \"a\"\ntrigger = { type = \"http\" }\n", "there is no [[component]]"},
      {"spin_version = \"1\"\nname = \"a\"\ntrigger = { type = \"http\" }\ncomponent = 3\n",
       "spin.toml:4:13: component is an integer, expected an array of tables: [[component]]"},
      {manifest("executor = { type = \"other\" }"), "spin.toml:10:21: there is no executor \"other\""},
      {manifest("executor = { type = \"wagi\", argv = \"x\" }"), "spin.toml:10:36: programs are given"},
      {manifest("executor = { type = \"wagi\", entrypoint = \"x\" }"), "programs are begun at \"_start\" alone"},
      {manifest("[[component]]\nid = \"hello\"\nsource = \"x\"\n[component.trigger]\nroute = \"/\"\n"),
       "spin.toml:11:6: there are two components \"hello\""},
      {manifest("[[component]]\nsource = \"x\"\n"), "id of component 2 is missing"},
      {manifest("[[component]]\nid = \"b\"\n"), "source of component 2 is missing"},
      {manifest("[[component]]\nid = \"b\"\nsource = { url = \"x\", digest = \"y\" }\n"),
       "spin.toml:12:10: modules are not fetched"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\n"), "[component.trigger] of b is missing"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\n[component.trigger]\nroute = \"x\"\n"),
       "spin.toml:14:9: route is to begin with a slash"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nfiles = [\"../x\"]\n[component.trigger]\nroute = \"/\"\n"),
       "spin.toml:13:10: \"../x\" is to be a path from the manifest's folder, and in it"},
      {manifest(
           "[[component]]\nid = \"b\"\nsource = \"x\"\nfiles = [\"/etc/*\"]\n[component.trigger]\nroute = \"/\"\n"),
       "\"/etc/*\" is to be a path from the manifest's folder"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nfiles = [{ source = \"a/../..\", destination = \"/\" }]\n"
                "[component.trigger]\nroute = \"/\"\n"),
       "\"a/../..\" is to be a path from the manifest's folder"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nfiles = [{ source = \"a\", destination = \"b\" }]\n"
                "[component.trigger]\nroute = \"/\"\n"),
       "\"b\" is to be an absolute path"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nfiles = [3]\n[component.trigger]\nroute = \"/\"\n"),
       "an element of files is an integer, expected a pattern or { source, destination }"},
      {manifest(
           "[[component]]\nid = \"b\"\nsource = \"x\"\nenvironment = { A = 1 }\n[component.trigger]\nroute = \"/\"\n"),
       "A of environment of component 2 is an integer, expected a string"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nallowed_http_hosts = [\"http://a/b\"]\n"
                "[component.trigger]\nroute = \"/\"\n"),
       "spin.toml:13:22: allowed_http_hosts: \"http://a/b\": it has a path"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nconfig = { k = \"{{ nothing }}\" }\n[component.trigger]\n"
                "route = \"/\"\n"),
       "config of b: k: there is no variable \"nothing\" in [variables]"},
      {manifest("[[component]]\nid = \"b\"\nsource = \"x\"\nconfig = { k = \"{{ x\" }\n[component.trigger]\nroute = "
                "\"/\"\n"),
       "config of b: k: \"{{\" without \"}}\""},
      {manifest(
           "[[component]]\nid = \"b\"\nsource = \"x\"\nconfig = { K = \"\" }\n[component.trigger]\nroute = \"/\"\n"),
       "config of b: K: it has to begin with a lower-case letter"},
      {manifest("[variables]\na = { }\n"), "the variable a is to have either a default, or required = true"},
      {manifest("[variables]\na = { required = true, default = \"x\" }\n"),
       "the variable a is to have either a default, or required = true"},
      {manifest("[variables]\na = \"x\"\n"), "spin.toml:11:5: a of variables is a string, expected a table"},
      {manifest("[variables]\na__b = { default = \"x\" }\n"), "it must not have two underscores in a row"},
  };
  for (const Case& each : cases) {
    INFO(each.text);
    CHECK_THAT(error_of(each.text), Catch::Contains(each.message));
  }
  // What no key begins with, also in builds with assertions.
  using namespace std::string_literals;
  for (const std::string& text : {"[!]"s, "[["s + '\0', "a.! = 1"s, "x = { ! = 1 }"s}) {
    CHECK_THAT(error_of(text), Catch::Contains("spin.toml:1:"));
  }
  CHECK(error_of(manifest()).empty());
}

TEST_CASE("Keys that nobody knows are left alone") {
  CHECK(error_of(manifest("new = 1\n[component.tool]\nx = [1, 2]\n[other]\n")).empty());
}

TEST_CASE("Hosts are allowed by name and port") {
  struct Case {
    std::string_view entry;
    std::string_view scheme;
    std::string_view host;
    std::uint16_t port;
    bool allowed;
  };
  const Case cases[] = {
      {"example.com", "http", "example.com", 80, true},
      {"example.com", "https", "example.com", 443, true},
      {"example.com", "http", "EXAMPLE.com", 80, true},
      {"Example.com", "http", "example.com", 80, true},
      {"example.com", "http", "example.com", 8080, false},
      {"example.com", "http", "sub.example.com", 80, false},
      {"example.com", "http", "example.com.evil.org", 80, false},
      {"example.com", "ftp", "example.com", 80, false},
      {"example.com", "file", "", 0, false},
      {"example.com:8080", "http", "example.com", 8080, true},
      {"example.com:8080", "http", "example.com", 80, false},
      {"https://example.com:8443", "https", "example.com", 8443, true},
      {"http://example.com/", "http", "example.com", 80, true},
      {"[::1]:3000", "http", "[::1]", 3000, true},
      {"[::1]:3000", "http", "[::2]", 3000, false},
      {"self", "http", "self", 80, false},
      {"insecure:allow-all", "https", "anything.at.all", 1, true},
      {"insecure:allow-all", "file", "etc", 80, false},
  };
  for (const Case& each : cases) {
    INFO(each.entry << " for " << each.scheme << "://" << each.host << ":" << each.port);
    AllowedHosts hosts;
    REQUIRE(hosts.add(each.entry));
    CHECK(hosts.allows(each.scheme, each.host, each.port) == each.allowed);
  }
  for (const std::string_view wrong : {"", "http://", "ftp://a", "a b", "a/b", "a:b", "a:70000", "user@host",
                                       "http://a?b", "[::1", "[zz]", "*.example.com"}) {
    INFO(wrong);
    CHECK_FALSE(AllowedHosts().add(wrong));
  }
  CHECK_FALSE(AllowedHosts().allows("http", "localhost", 80));
}
