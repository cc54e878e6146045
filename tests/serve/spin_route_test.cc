// Which component answers, and what variables and patterns of files mean.
#include <catch2/catch.hpp>

#include "support/temp_dir.h"
#include "tools/serve/spin_files.h"
#include "tools/serve/spin_routes.h"
#include "tools/serve/spin_variables.h"

using namespace wasirun::serve;

namespace {

std::vector<SpinRoute> routes(std::string_view base, std::initializer_list<std::string_view> texts) {
  std::vector<SpinRoute> routes;
  for (const std::string_view text : texts) routes.emplace_back(base, text);
  return routes;
}

}  // namespace

TEST_CASE("Exact routes go first, then the longest prefix") {
  const auto all = routes("/", {"/...", "/a", "/a/...", "/a/b/...", "/a/b/c"});
  const auto found = [&](std::string_view path) { return find_route(all, path); };
  CHECK(found("/") == 0U);
  CHECK(found("/x/y") == 0U);
  CHECK(found("/a") == 1U);
  CHECK(found("/a/") == 1U);
  CHECK(found("/ab") == 0U);
  CHECK(found("/a/x") == 2U);
  CHECK(found("/a/b") == 3U);
  CHECK(found("/a/b/x/y") == 3U);
  CHECK(found("/a/b/c") == 4U);
  CHECK(found("/a/b/c/d") == 3U);
}

TEST_CASE("A path that no route has goes nowhere") {
  const auto all = routes("/", {"/hello", "/deep/..."});
  CHECK_FALSE(find_route(all, "/"));
  CHECK_FALSE(find_route(all, "/hello/x"));
  CHECK_FALSE(find_route(all, "/hellox"));
  CHECK_FALSE(find_route(all, "/deeper"));
  CHECK(find_route(all, "/deep") == 1U);
  CHECK_FALSE(find_route({}, "/"));
}

TEST_CASE("The base stands in front of every route") {
  const auto all = routes("/app/", {"/", "/x/..."});
  CHECK(find_route(all, "/app") == 0U);
  CHECK(find_route(all, "/app/") == 0U);
  CHECK(find_route(all, "/app/x/y") == 1U);
  CHECK_FALSE(find_route(all, "/x/y"));
  CHECK(all[1].rest("/app/x/y/z") == "/y/z");
  CHECK(all[1].rest("/app/x") == "");
  CHECK(all[1].pattern() == "/app/x/...");
  CHECK(all[0].pattern() == "/app");
}

TEST_CASE("Of two routes that are the same the later one counts") {
  CHECK(find_route(routes("/", {"/x", "/x"}), "/x") == 1U);
  CHECK(find_route(routes("/", {"/x/...", "/x/..."}), "/x/y") == 1U);
}

TEST_CASE("Variables have a value of the environment, or their default") {
  SpinVariables variables;
  variables["host"] = {.value = "localhost"};
  variables["password"] = {.value = std::nullopt, .is_secret = true};
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SPIN_VARIABLE_HOST") return "new.example";
    if (name == "SPIN_APP_HOST") return "old.example";
    return std::nullopt;
  };
  const auto nothing = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  const auto value = SpinTemplate::parse("http://{{ host }}/{{host}}/x");
  REQUIRE(value);
  CHECK(resolve(*value, variables, nothing) == "http://localhost/localhost/x");
  CHECK(resolve(*value, variables, environment) == "http://new.example/new.example/x");
  const auto secret = SpinTemplate::parse("{{password}}");
  REQUIRE(secret);
  const auto missing = resolve(*secret, variables, nothing);
  REQUIRE_FALSE(missing);
  CHECK(missing.error() == "the variable password is required and has no value: SPIN_VARIABLE_PASSWORD is not set");
  CHECK(resolve(*SpinTemplate::parse(""), variables, nothing) == "");
  CHECK(resolve(*SpinTemplate::parse("}} {"), variables, nothing) == "}} {");
  CHECK_FALSE(SpinTemplate::parse("a {{ b"));
}

TEST_CASE("Patterns of files") {
  CHECK(matches_pattern("a.txt", "*.txt"));
  CHECK_FALSE(matches_pattern("d/a.txt", "*.txt"));
  CHECK(matches_pattern("d/a.txt", "d/*"));
  CHECK(matches_pattern("d/a.txt", "**/*.txt"));
  CHECK(matches_pattern("a.txt", "**/*.txt"));
  CHECK(matches_pattern("x/y/z/a.txt", "x/**/a.txt"));
  CHECK(matches_pattern("x/a.txt", "x/**/a.txt"));
  CHECK_FALSE(matches_pattern("y/a.txt", "x/**/a.txt"));
  CHECK(matches_pattern("x/y/z", "x/**"));
  CHECK(matches_pattern("a1", "a[0-9]"));
  CHECK_FALSE(matches_pattern("ab", "a[0-9]"));
  CHECK(matches_pattern("ab", "a?"));
}

TEST_CASE("Files that are not there are told before anything is served") {
  const wasi::test::TempDir folder;
  folder.make_directory("static");
  folder.write("file", "");
  const auto error = [&](SpinFiles files) {
    wasi::WasiConfig config;
    const auto mounted = mount_files(files, folder.path(), config);
    return mounted ? "" : mounted.error().to_string();
  };
  CHECK(error({.placements = {{"static", "/"}}, .patterns = {}, .excluded = {}}).empty());
  CHECK(error({.placements = {}, .patterns = {"**/*", "none/*"}, .excluded = {}}).empty());
  CHECK_THAT(error({.placements = {{"none", "/"}}, .patterns = {}, .excluded = {}}),
             Catch::EndsWith("none: a directory is expected"));
  CHECK_THAT(error({.placements = {{"file", "/"}}, .patterns = {"static/*"}, .excluded = {}}),
             Catch::EndsWith("file: a directory is expected"));
}
