#include "tools/shim/bundle.h"

#include <sched.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <random>

namespace wasirun::shim {
namespace {

constexpr const char* kConfig = R"({
  "ociVersion": "1.0.2",
  "process": {
    "args": ["/app.wasm", "-x"], "env": ["A=1"], "cwd": "/work", "noNewPrivileges": true, "oomScoreAdj": -7,
    "user": {"uid": 10, "gid": 20, "additionalGids": [30, 40], "umask": 18},
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}]
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "pod",
  "mounts": [{"destination": "/data", "type": "bind", "source": "/host", "options": ["rbind", "ro"]}],
  "annotations": {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "s1"},
  "linux": {
    "cgroupsPath": "/kubepods/x",
    "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"},
    "namespaces": [{"type": "network", "path": "/var/run/netns/x"}, {"type": "pid"}],
    "resources": {
      "memory": {"limit": 1048576, "swap": 2097152, "reservation": 4096},
      "cpu": {"shares": 102, "quota": 50000, "period": 100000, "cpus": "0-1", "mems": "0"},
      "pids": {"limit": 100},
      "unified": {"memory.high": "500000"}
    }
  }
})";

std::string message_of(std::string_view config) {
  const auto bundle = parse_bundle(config, "/b");
  return bundle ? "accepted" : bundle.error().message;
}

TEST_CASE("a configuration is read") {
  const auto bundle = parse_bundle(kConfig, "/bundles/b");
  REQUIRE(bundle);
  CHECK(bundle->process.args == std::vector<std::string>{"/app.wasm", "-x"});
  CHECK(bundle->process.env == std::vector<std::string>{"A=1"});
  CHECK(bundle->process.cwd == "/work");
  CHECK(bundle->process.uid == 10);
  CHECK(bundle->process.gid == 20);
  CHECK(bundle->process.additional_gids == std::vector<gid_t>{30, 40});
  CHECK(bundle->process.umask == 022);
  CHECK(bundle->process.oom_score_adj == -7);
  CHECK(bundle->process.has_no_new_privileges);
  REQUIRE(bundle->process.rlimits.size() == 1);
  CHECK(bundle->process.rlimits[0].resource == RLIMIT_NOFILE);
  CHECK(bundle->process.rlimits[0].hard == 20);
  CHECK(bundle->root == "/bundles/b/rootfs");
  CHECK(bundle->is_root_read_only);
  REQUIRE(bundle->mounts.size() == 1);
  CHECK(bundle->mounts[0].options == std::vector<std::string>{"rbind", "ro"});
  CHECK(bundle->is_sandbox());
  CHECK(bundle->annotation(kSandboxIdAnnotation) == "s1");
  CHECK(bundle->annotation("none").empty());
  CHECK(bundle->sysctl.at("net.ipv4.ip_unprivileged_port_start") == "0");
  REQUIRE(bundle->find_namespace(CLONE_NEWNET) != nullptr);
  CHECK(bundle->find_namespace(CLONE_NEWNET)->path == "/var/run/netns/x");
  CHECK(bundle->find_namespace(CLONE_NEWPID)->path.empty());
  CHECK(bundle->find_namespace(CLONE_NEWIPC) == nullptr);
  CHECK(bundle->resources.memory_limit == 1048576);
  CHECK(bundle->resources.cpu_shares == 102);
  CHECK(bundle->resources.cpus == "0-1");
  CHECK(bundle->resources.unified.at("memory.high") == "500000");
}

TEST_CASE("what is absent or null has defaults") {
  const auto bundle = parse_bundle(R"({"process": {"args": ["a"], "env": null, "user": null}, "linux": null})", "/b");
  REQUIRE(bundle);
  CHECK(bundle->process.cwd == "/");
  CHECK(bundle->process.uid == 0);
  CHECK(bundle->root == "/b/rootfs");
  CHECK_FALSE(bundle->resources.memory_limit);
}

TEST_CASE("errors name the field") {
  CHECK(message_of("") ==
        "config.json: parse error at line 1, column 1: syntax error while parsing value - unexpected "
        "end of input; expected '[', '{', or a literal");
  CHECK(message_of("[]") == "config.json: expected an object, got array");
  CHECK(message_of("{}") == "config.json: process: expected an object, got nothing");
  CHECK(message_of(R"({"process": {"args": "x"}})") == "config.json: process.args: expected an array, got string");
  CHECK(message_of(R"({"process": {"args": ["a\u0000b"]}})") ==
        "config.json: process.args[0]: expected a string without NUL, got string");
  CHECK(message_of(R"({"process": {"args": ["a"], "user": {"uid": 4294967296}}})") ==
        "config.json: process.user.uid: 4294967296 is out of range");
  CHECK(message_of(R"({"process": {"args": ["a"], "user": {"uid": 1.5}}})") ==
        "config.json: process.user.uid: expected an integer, got number");
  CHECK(message_of(R"({"process": {"args": ["a"]}, "linux": {"resources": {"unified": {"cgroup.procs": "1"}}}})") ==
        "config.json: linux.resources.unified: expected names of controllers' files, such as memory.high, got object");
  CHECK(message_of(R"({"process": {"args": ["a"]}, "annotations": {"k": 1}})") ==
        "config.json: annotations.k: expected a string, got number");
  CHECK(message_of(std::string(100, '[') + std::string(100, ']')) == "config.json: more than 64 levels of nesting");
}

TEST_CASE("resources are read alone") {
  const auto resources = parse_resources(R"({"cpu": {"shares": 5}})");
  REQUIRE(resources);
  CHECK(resources->cpu_shares == 5);
  CHECK(parse_resources("{\"cpu\": 5}").error().message == "resources: cpu: expected an object, got number");
}

// Configurations that were changed, cut or made up are read or refused, and nothing else happens.
TEST_CASE("configurations at random are read or refused") {
  const std::string good = kConfig;
  std::mt19937 random(20260303);
  constexpr std::string_view kPieces[] = {"null",  "-1",      "\"\"",    "[",    "}",
                                          "1e400", "{\"a\":", "\\u0000", "\xff", "true"};
  int read = 0;
  constexpr int kRounds = 20000;
  for (int round = 0; round < kRounds; ++round) {
    std::string text = good;
    for (std::size_t changes = random() % 4; changes > 0; --changes) {
      const std::size_t place = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[place] = static_cast<char>(random());
          break;
        case 1:
          text.erase(place, random() % 40);
          break;
        case 2:
          text.insert(place, kPieces[random() % std::size(kPieces)]);
          break;
        default:
          text.replace(place, random() % 10, kPieces[random() % std::size(kPieces)]);
      }
      if (text.empty()) text = "{";
    }
    const auto bundle = parse_bundle(text, "/b");
    read += bundle ? 1 : 0;
    if (!bundle) CHECK_FALSE(bundle.error().message.empty());
  }
  CHECK(read > 0);
  CHECK(read < kRounds);
}

}  // namespace
}  // namespace wasirun::shim
