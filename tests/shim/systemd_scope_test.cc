#include "tools/shim/systemd_scope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>

namespace wasirun::shim {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kPath = "kubepods-pod1.slice:cri-containerd:abc";

std::string text_of(const std::vector<std::string>& command) { return fmt::format("{}", fmt::join(command, " ")); }

TEST_CASE("a path of systemd's form names a scope, where systemd is to be asked") {
  const auto scope = systemd_scope(kPath, true);
  REQUIRE(scope);
  CHECK(scope->name == "cri-containerd-abc.scope");
  CHECK(scope->slice == "kubepods-pod1.slice");
  CHECK(systemd_scope(":a:b", true)->slice == "system.slice");
  CHECK_FALSE(systemd_scope(kPath, false));
  // Slices have no processes; and these are no names of units.
  CHECK_FALSE(systemd_scope("kubepods.slice:x:y.slice", true));
  CHECK_FALSE(systemd_scope("/kubepods/pod1/abc", true));
  CHECK_FALSE(systemd_scope("a:b", true));
  CHECK_FALSE(systemd_scope("", true));
}

TEST_CASE("a scope is asked for with its process and its limits") {
  const auto scope = systemd_scope(kPath, true);
  REQUIRE(scope);
  Resources resources;
  resources.memory_limit = 1 << 20;
  resources.memory_swap = 3 << 20;
  resources.cpu_shares = 2;
  resources.cpu_quota = 50'001;
  resources.cpu_period = 100'000;
  resources.cpus = "0-1,9";
  resources.pids_limit = -1;
  CHECK(text_of(start_scope_command(*scope, 42, resources, CgroupVersion::v2)) ==
        "busctl --system --quiet call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
        "org.freedesktop.systemd1.Manager "
        "StartTransientUnit ssa(sv)a(sa(sv)) cri-containerd-abc.scope replace 13 "
        "Description s wasirun container cri-containerd-abc.scope Slice s kubepods-pod1.slice PIDs au 1 42 "
        "Delegate b true DefaultDependencies b false CollectMode s inactive-or-failed "
        "MemoryMax t 1048576 MemorySwapMax t 2097152 CPUWeight t 1 AllowedCPUs ay 2 3 2 "
        "TasksMax t 18446744073709551615 CPUQuotaPerSecUSec t 510000 CPUQuotaPeriodUSec t 100000 0");
  CHECK_THAT(
      text_of(start_scope_command(*scope, 42, resources, CgroupVersion::v1)),
      Contains(" MemoryLimit t 1048576 CPUShares t 2 TasksMax t 18446744073709551615 CPUQuotaPerSecUSec t 510000 "
               "CPUQuotaPeriodUSec t 100000 0"));
}

TEST_CASE("systemd is told of changed limits, and of nothing else") {
  const SystemdScope scope{.name = "x.scope", .slice = "y.slice"};
  Resources resources;
  CHECK(update_scope_command(scope, resources, CgroupVersion::v2).empty());
  resources.memory_limit = -1;
  resources.cpu_quota = -1;
  CHECK_THAT(text_of(update_scope_command(scope, resources, CgroupVersion::v2)),
             Contains("SetUnitProperties sba(sv) x.scope true 3 MemoryMax t 18446744073709551615 "
                      "CPUQuotaPerSecUSec t 18446744073709551615 CPUQuotaPeriodUSec t 100000"));
}

TEST_CASE("whoever waits for a group that does not come is told") {
  const auto waited = wait_for_group("/no/such/group", std::chrono::seconds(0));
  REQUIRE_FALSE(waited);
  CHECK_THAT(waited.error().message, Contains("its group /no/such/group in 0 s"));
}

}  // namespace
}  // namespace wasirun::shim
