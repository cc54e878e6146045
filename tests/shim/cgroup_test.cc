#include "tools/shim/cgroup.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "metrics.pb.h"
#include "tools/shim/cgroup_limits.h"
#include "tools/shim/cgroup_metrics.h"
#include "tools/shim/cgroup_path.h"

namespace wasirun::shim {
namespace {

namespace fs = std::filesystem;

std::string path_of(std::string_view text) { return cgroup_path(text, "ID").value_or("refused"); }

TEST_CASE("paths of control groups") {
  CHECK(path_of("") == "/wasirun/ID");
  CHECK(path_of("/kubepods/besteffort/podX/C") == "/kubepods/besteffort/podX/C");
  CHECK(path_of("default/C") == "/default/C");
  CHECK(path_of("//a///b/") == "/a/b");
  CHECK(path_of("/a:b:c/d") == "/a:b:c/d");
  CHECK(path_of("kubepods-besteffort-podX.slice:cri-containerd:C") ==
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podX.slice/cri-containerd-C.scope");
  CHECK(path_of(":cri:C") == "/system.slice/cri-C.scope");
  CHECK(path_of("-.slice:cri:C") == "/cri-C.scope");
  CHECK(path_of("a.slice::C") == "/a.slice/C.scope");
  CHECK(path_of("a.slice:x:b.slice") == "/a.slice/b.slice");
  for (const char* const bad : {"/", "/..", "/a/../b", "a/./b", "x:y:z", "a.slice:b", "a.slice:b:c:d", "-a.slice:b:c",
                                "a--b.slice:c:d", ".slice:b:c", "a.slice:..:../../x"}) {
    CAPTURE(bad);
    CHECK(path_of(bad) == "refused");
  }
}

std::vector<std::string> texts(const Resources& resources, CgroupVersion version) {
  std::vector<std::string> lines;
  for (const CgroupWrite& write : cgroup_writes(resources, version)) {
    lines.push_back(write.controller + " " + write.file + " " + write.value);
  }
  return lines;
}

TEST_CASE("limits in the terms of both versions") {
  Resources resources;
  resources.memory_limit = 100 << 20;
  resources.memory_swap = 150 << 20;
  resources.memory_reservation = 50 << 20;
  resources.cpu_shares = 1024;
  resources.cpu_quota = 25000;
  resources.cpu_period = 50000;
  resources.cpus = "0-3";
  resources.memory_nodes = "0";
  resources.pids_limit = 64;
  resources.unified = {{"memory.high", "99"}};
  CHECK(texts(resources, CgroupVersion::v1) ==
        std::vector<std::string>{
            "memory memory.limit_in_bytes 104857600", "memory memory.memsw.limit_in_bytes 157286400",
            "memory memory.soft_limit_in_bytes 52428800", "cpu cpu.shares 1024", "cpu cpu.cfs_period_us 50000",
            "cpu cpu.cfs_quota_us 25000", "cpuset cpuset.cpus 0-3", "cpuset cpuset.mems 0", "pids pids.max 64"});
  CHECK(texts(resources, CgroupVersion::v2) ==
        std::vector<std::string>{"memory memory.max 104857600", "memory memory.swap.max 52428800",
                                 "memory memory.low 52428800", "cpu cpu.weight 39", "cpu cpu.max 25000 50000",
                                 "cpuset cpuset.cpus 0-3", "cpuset cpuset.mems 0", "pids pids.max 64",
                                 "memory memory.high 99"});
}

TEST_CASE("no limits, and none that were chosen") {
  CHECK(texts({}, CgroupVersion::v1).empty());
  CHECK(texts({}, CgroupVersion::v2).empty());
  Resources unlimited;
  unlimited.memory_limit = -1;
  unlimited.memory_swap = -1;
  unlimited.cpu_quota = -1;
  unlimited.pids_limit = -1;
  CHECK(texts(unlimited, CgroupVersion::v2) == std::vector<std::string>{"memory memory.max max",
                                                                        "memory memory.swap.max max",
                                                                        "cpu cpu.max max 100000", "pids pids.max max"});
  CHECK(texts(unlimited, CgroupVersion::v1) ==
        std::vector<std::string>{"memory memory.limit_in_bytes -1", "memory memory.memsw.limit_in_bytes -1",
                                 "cpu cpu.cfs_quota_us -1", "pids pids.max max"});
  Resources zero;
  zero.memory_limit = 0;
  zero.cpu_shares = 0;
  CHECK(texts(zero, CgroupVersion::v1).empty());
}

TEST_CASE("weights for shares") {
  CHECK(cpu_weight(0) == 1);
  CHECK(cpu_weight(2) == 1);
  CHECK(cpu_weight(1024) == 39);
  CHECK(cpu_weight(262144) == 10000);
  CHECK(cpu_weight(UINT64_MAX) == 10000);
}

// A directory that looks like the root of a hierarchy of version 2.
class FakeRoot {
 public:
  FakeRoot() : path_(fs::temp_directory_path() / ("wasirun-cgroup-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    write("cgroup.controllers", "cpu memory pids\n");
    write("cgroup.subtree_control", "");
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() { fs::remove_all(path_); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  [[nodiscard]] std::string read(const std::string& file) const {
    std::ifstream stream(path_ / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST_CASE("a group of version 2") {
  const FakeRoot root;
  const Cgroup cgroup = Cgroup::at("/a/b", root.path());
  CHECK(cgroup.version() == CgroupVersion::v2);
  REQUIRE(cgroup.create());
  CHECK(fs::is_directory(root.path() + "/a/b"));
  CHECK(root.read("cgroup.subtree_control").contains("+pids"));
  for (const char* const file : {"memory.max", "cpu.weight", "cgroup.procs", "cgroup.freeze"}) {
    root.write(std::string("a/b/") + file, "");
  }
  Resources resources;
  resources.memory_limit = 4096;
  resources.memory_reservation = 1;  // of which the fake kernel has no file
  resources.cpu_shares = 2;
  REQUIRE(cgroup.apply(resources));
  CHECK(root.read("a/b/memory.max") == "4096");
  CHECK(root.read("a/b/cpu.weight") == "1");
  REQUIRE(cgroup.join());
  CHECK(root.read("a/b/cgroup.procs") == "0");
  REQUIRE(cgroup.set_frozen(true));
  CHECK(root.read("a/b/cgroup.freeze") == "1");
  root.write("a/b/cgroup.procs", "12\n345\n");
  CHECK(cgroup.processes() == std::vector<pid_t>{12, 345});
  root.write("a/b/memory.events", "low 0\noom 2\noom_kill 3\n");
  CHECK(cgroup.oom_kills() == 3);
  CHECK(cgroup.watch_oom());
  resources.pids_limit = 5;
  const auto applied = cgroup.apply(resources);
  REQUIRE_FALSE(applied);
  CHECK(applied.error().message.contains("pids.max"));
}

TEST_CASE("a group is removed once") {
  const FakeRoot root;
  const Cgroup cgroup = Cgroup::at("/a/b", root.path());
  REQUIRE(cgroup.create());
  CHECK(cgroup.remove());
  CHECK_FALSE(fs::exists(root.path() + "/a/b"));
  CHECK(fs::exists(root.path() + "/a"));
  CHECK(cgroup.remove());
}

TEST_CASE("figures of version 2") {
  const std::map<std::string, std::string> files{{"cpu.stat", "usage_usec 30\nuser_usec 10\nsystem_usec 20\n"},
                                                 {"memory.stat", "anon 7\nfile 8\ninactive_file 5\n"},
                                                 {"memory.current", "1000\n"},
                                                 {"memory.max", "max\n"},
                                                 {"memory.events", "oom 1\noom_kill 2\n"},
                                                 {"pids.current", "4\n"},
                                                 {"pids.max", "max\n"}};
  const auto any = cgroup_metrics(CgroupVersion::v2, [&](const std::string&, const std::string& name) {
    const auto file = files.find(name);
    return file == files.end() ? std::string() : file->second;
  });
  CHECK(any.type_url() == "io.containerd.cgroups.v2.Metrics");
  metrics::MetricsV2 all;
  REQUIRE(all.ParseFromString(any.value()));
  CHECK(all.cpu().usage_usec() == 30);
  CHECK(all.cpu().system_usec() == 20);
  CHECK(all.memory().anon() == 7);
  CHECK(all.memory().inactive_file() == 5);
  CHECK(all.memory().usage() == 1000);
  CHECK(all.memory().usage_limit() == UINT64_MAX);
  CHECK(all.memory_events().oom_kill() == 2);
  CHECK(all.pids().current() == 4);
  CHECK(all.pids().limit() == 0);
}

TEST_CASE("figures of version 1") {
  const std::map<std::string, std::string> files{
      {"cpuacct.usage", "5000\n"},
      {"cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 9\n"},
      {"memory.stat", "cache 1\nrss 2\ntotal_rss 3\ntotal_inactive_file 4\n"},
      {"memory.usage_in_bytes", "77\n"},
      {"memory.limit_in_bytes", "88\n"},
      {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n"}};
  const auto any = cgroup_metrics(CgroupVersion::v1, [&](const std::string&, const std::string& name) {
    const auto file = files.find(name);
    return file == files.end() ? std::string() : file->second;
  });
  CHECK(any.type_url() == "io.containerd.cgroups.v1.Metrics");
  metrics::MetricsV1 all;
  REQUIRE(all.ParseFromString(any.value()));
  CHECK(all.cpu().usage().total() == 5000);
  CHECK(all.cpu().throttling().throttled_time() == 9);
  CHECK(all.memory().total_rss() == 3);
  CHECK(all.memory().total_inactive_file() == 4);
  CHECK(all.memory().usage().usage() == 77);
  CHECK(all.memory().usage().limit() == 88);
  CHECK(all.memory_oom_control().oom_kill() == 6);
}

TEST_CASE("a figure by its whole name") {
  CHECK(figure_of("oom_kill_disable 1\noom_kill 2\n", "oom_kill") == 2);
  CHECK(figure_of("a 1\nb 2", "b") == 2);
  CHECK(figure_of("", "a") == 0);
  CHECK(figure_of("a\n", "a") == 0);
}

}  // namespace
}  // namespace wasirun::shim
