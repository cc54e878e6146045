#include "tools/serve/route.h"

#include <catch2/catch.hpp>

TEST_CASE("Paths below a route") {
  using wasirun::serve::is_below;
  CHECK(is_below("/", "/"));
  CHECK(is_below("/", "/a/b"));
  CHECK(is_below("/a", "/a"));
  CHECK(is_below("/a", "/a/"));
  CHECK(is_below("/a/", "/a/b"));
  CHECK_FALSE(is_below("/a", "/ab"));
  CHECK_FALSE(is_below("/a", "/"));
}

TEST_CASE("What is left of a path behind its route") {
  using wasirun::serve::path_below;
  CHECK(path_below("/", "/a/b") == "/a/b");
  CHECK(path_below("/a", "/a/b") == "/b");
  CHECK(path_below("/a/", "/a/b") == "/b");
  CHECK(path_below("/a", "/a").empty());
}
