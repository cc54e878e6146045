#include "tools/shim/options.h"

#include <catch2/catch.hpp>
#include <random>

#include "task.pb.h"

namespace wasirun::shim {
namespace {

wasi::Result<Options> read(std::string_view toml) { return parse_options(toml, "shim.toml", Options{}); }

std::string message_of(std::string_view toml) {
  const auto options = read(toml);
  return options ? "accepted" : options.error().message;
}

TEST_CASE("options are read") {
  const auto options = read(R"(
    cache_directory = "/srv/cache"
    cache_limit = 1_000_000
    tier = "interp"
    log_level = "warning"
    runc = "/opt/runc"
    SystemdCgroup = true
    TypeUrl = "runtimeoptions.v1.Options"
  )");
  REQUIRE(options);
  CHECK(options->code.cache_directory == "/srv/cache");
  CHECK(options->code.cache_limit == 1'000'000);
  CHECK(options->code.tier == wasi::TierSelection::interpreter);
  CHECK(options->log_level == Log::Level::warning);
  CHECK(options->runc == "/opt/runc");
  CHECK(options->systemd_cgroup == true);
}

TEST_CASE("what options do not say stays as it was") {
  Options before;
  before.code.cache_directory = "/before";
  before.runc = "mine";
  const auto options = parse_options("tier = \"baseline\"", "x", before);
  REQUIRE(options);
  CHECK(options->code.cache_directory == "/before");
  CHECK(options->runc == "mine");
  CHECK_FALSE(options->systemd_cgroup);
  CHECK(read("cache_directory = \"\"")->code.cache_directory.empty());
}

TEST_CASE("mistakes in options say where and what was expected") {
  using Catch::Matchers::Contains;
  CHECK_THAT(message_of("tier = \"llvm\""), Contains("shim.toml:1") && Contains("expected one of baseline, interp"));
  CHECK_THAT(message_of("\ncache = \"/x\""),
             Contains("shim.toml:2") && Contains("no option \"cache\": expected cache_"));
  CHECK_THAT(message_of("cache_directory = \"x\""), Contains("no absolute path"));
  CHECK_THAT(message_of("cache_limit = 0"), Contains("expected a number of bytes"));
  CHECK_THAT(message_of("cache_limit = \"1g\""), Contains("expected an integer"));
  CHECK_THAT(message_of("runc = \"\""), Contains("the name or the path of a program"));
  CHECK_THAT(message_of("log_level = 1"), Contains("expected a string"));
  CHECK_THAT(message_of("tier ="), Contains("shim.toml:1"));
}

TEST_CASE("containerd's messages carry options, by themselves or in a file") {
  rpc::Any message;
  const auto with = [&](std::string_view type, const google::protobuf::MessageLite& body) {
    message.set_type_url(std::string(type));
    message.set_value(body.SerializeAsString());
    return parse_options(message, Options{});
  };
  task::RuntimeOptions generic;
  generic.set_config_body("log_level = \"debug\"");
  CHECK(with("runtimeoptions.v1.Options", generic)->log_level == Log::Level::debug);
  CHECK(with("type.googleapis.com/runtimeoptions.v1.Options", generic)->log_level == Log::Level::debug);
  generic.set_config_path("/nowhere/shim.toml");
  const auto missing = with("runtimeoptions.v1.Options", generic);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message, Catch::Matchers::Contains("/nowhere/shim.toml: No such file"));

  task::RuncOptions of_runc;
  of_runc.set_binary_name("/usr/bin/crun");
  of_runc.set_systemd_cgroup(true);
  const auto given = with("containerd.runc.v1.Options", of_runc);
  REQUIRE(given);
  CHECK(given->runc == "/usr/bin/crun");
  CHECK(given->systemd_cgroup == true);
  // Of another runtime, or none at all.
  CHECK(with("windows.Options", generic)->runc == "runc");
  CHECK(parse_options(rpc::Any(), Options{})->runc == "runc");
  message.set_type_url("runtimeoptions.v1.Options");
  message.set_value("\xff");
  CHECK_FALSE(parse_options(message, Options{}));
}

TEST_CASE("options at random are read or refused with a reason") {
  const std::string good = "cache_directory = \"/a\"\ncache_limit = 5\ntier = \"interp\"\n[x]\ny = [1, {z = 2}]\n";
  std::mt19937 random(20261130);
  for (int round = 0; round < 5000; ++round) {
    std::string text = good.substr(0, 1 + random() % good.size());
    for (std::size_t changes = random() % 4; changes > 0; --changes) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    const auto options = parse_options(text, "x", Options{});
    if (!options) CHECK_FALSE(options.error().message.empty());
  }
}

}  // namespace
}  // namespace wasirun::shim
