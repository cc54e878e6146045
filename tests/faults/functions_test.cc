// Every host call beneath every function of preview1 fails, is interrupted or moves less than it could: the guest sees
// the right error or nothing of it, nothing is lost, nothing happens twice, no descriptor is left open.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "host_calls.h"
#include "scenarios.h"
#include "wasi/table.h"

namespace wasi::preview1::test {
namespace {

using wasi::test::HostCall;
using wasi::test::Verdict;

// What is done to the host calls of that name: from the first of them that is meant on.
struct Plan {
  std::string_view name = {};
  std::size_t first = 0;
  std::size_t times = 1;
  Verdict verdict = {};
  // And then, to the one after those.
  Verdict next = {};
};

// The host calls that this thread makes while it is there.
class Injection {
 public:
  Injection(World& world, const Plan& plan) : world_(world), plan_(plan) {
    active = this;
    wasi::test::set_judge(judge);
  }
  ~Injection() { active = nullptr; }
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  std::vector<HostCall> seen;

 private:
  static bool is_waiting(std::string_view name) {
    return name == "poll" || name == "ppoll" || name == "epoll_wait" || name == "epoll_pwait";
  }
  static Verdict judge(const HostCall& call) {
    Injection* const self = active;
    // Libraries have their own ways with errors; but the program's waiting may go through one.
    if (self == nullptr || (!call.is_own && !is_waiting(call.name))) return {};
    active = nullptr;
    if (const auto on_wait = self->world_.on_wait; is_waiting(call.name) && on_wait) on_wait();
    active = self;
    self->seen.push_back(call);
    const Plan& plan = self->plan_;
    if (call.name != plan.name) return {};
    const std::size_t number = self->number_++;
    if (number < plan.first) return {};
    const std::size_t times = number - plan.first;
    if (times < plan.times) return plan.verdict;
    return times == plan.times ? plan.next : Verdict{};
  }

  static thread_local Injection* active;
  World& world_;
  Plan plan_;
  std::size_t number_ = 0;  // of calls that the plan is about
};
thread_local Injection* Injection::active = nullptr;

struct Run {
  explicit Run(const Scenario& scenario, World& world, const Plan& plan) {
    Injection injection(world, plan);
    error = scenario.call(world);
    calls = std::move(injection.seen);
  }
  Errno error;
  std::vector<HostCall> calls;
};

// The errors that a host call may have, as its manual and file systems beneath it know them.
std::vector<int> errors_of(std::string_view name, const Scenario& scenario) {
  if (scenario.uses_read_and_write && (name == "read" || name == "write")) name = name == "read" ? "readv" : "writev";
  if (scenario.function.starts_with("clock_")) return {EINVAL};
  const auto is = [name](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (name == "openat2") {
    return {EINTR, EAGAIN, ENOSYS, EPERM, EACCES, EINVAL, EMFILE, ENFILE, ENOMEM, EIO, ENOSPC, EDQUOT, EROFS, ENXIO};
  }
  if (is({"open", "openat"})) return {EINTR, EMFILE, ENFILE, ENOMEM, EIO, EACCES, ENOSPC, EDQUOT, EROFS};
  if (is({"fstat", "fstatat", "readlinkat"})) return {EINTR, EIO, ENOMEM, EACCES, ESTALE};
  if (is({"mkdirat", "linkat", "symlinkat", "renameat", "unlinkat", "utimensat", "futimens"})) {
    return {EINTR, EIO, ENOSPC, EDQUOT, EROFS, ENOMEM, EACCES, EPERM, EBUSY, EMLINK};
  }
  if (is({"ftruncate", "fallocate"})) return {EINTR, EIO, ENOSPC, EDQUOT, EFBIG, EOPNOTSUPP, EPERM};
  if (is({"fsync", "fdatasync"})) return {EINTR, EIO, ENOSPC, EDQUOT, EROFS};
  if (name == "close") return {EINTR, EIO, ENOSPC, EDQUOT};
  if (is({"getdents64"})) return {EINTR, EIO, ENOMEM, EACCES};
  // Those of the event loop, which takes any error but this one for the end of the world.
  if (is({"epoll_wait", "epoll_pwait", "read", "write"})) return {EINTR};
  if (is({"epoll_ctl", "clock_gettime", "clock_getres"})) return {};
  if (is({"readv", "pread", "preadv"})) return {EINTR, EIO, ENOMEM, ESTALE};
  if (name == "preadv2") return {EINTR, EAGAIN, EOPNOTSUPP, ENOSYS, EPERM, EACCES, EINVAL, EIO, ENOMEM};
  if (is({"recv", "recvmsg"})) return {EINTR, EAGAIN, EIO, ENOMEM, ECONNRESET, ETIMEDOUT};
  if (is({"writev", "pwrite", "pwritev"})) return {EINTR, EIO, ENOSPC, EDQUOT, EFBIG, ENOMEM, EPIPE};
  if (name == "pwritev2") {
    return {EINTR, EAGAIN, EOPNOTSUPP, ENOSYS, EPERM, EACCES, EINVAL, EIO, ENOSPC, ENOMEM, EPIPE};
  }
  if (is({"send", "sendmsg"})) return {EINTR, EAGAIN, EIO, ENOMEM, ENOBUFS, ECONNRESET, EPIPE};
  if (is({"accept", "accept4"})) return {EINTR, EAGAIN, EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED};
  if (name == "shutdown") return {ENOTCONN, ENOMEM};
  if (name == "getrandom") return {EINTR, EIO, ENOSYS, EPERM, EACCES, EINVAL};
  if (is({"poll", "ppoll"})) return {EINTR, ENOMEM};
  if (name == "posix_fadvise") return {EIO, ENOMEM, ENOSYS, EPERM, EACCES, EINVAL};
  if (is({"lseek", "ioctl", "fcntl"})) return {EIO, ENOMEM};
  return {EIO};
}

bool is_told_by(const HostCall& call, int error, const Scenario& scenario) {
  const std::string_view name = call.name;
  // Repeated until it is done.
  if (error == EINTR) return false;
  // Waited for; or, from openat2, a sign to walk the path.
  if (error == EAGAIN) return name != "openat2" && name != "accept4" && (!call.refuses_to_wait || !scenario.waits);
  // There is another way, or (for advice) no need.
  const bool has_other_way =
      name == "openat2" || name == "preadv2" || name == "pwritev2" || name == "getrandom" || name == "posix_fadvise";
  if (has_other_way && (error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL)) return false;
  if ((name == "preadv2" || name == "pwritev2") && error == EOPNOTSUPP) return false;
  // Directories on the way to a file have nothing to lose.
  if (name == "close" && scenario.function != "fd_close") return false;
  return std::ranges::none_of(scenario.harmless, [&](const Harmless& harmless) {
    return harmless.call == name && (harmless.error == 0 || harmless.error == error);
  });
}

// A run without faults: what the others are compared with.
struct Baseline {
  Errno error = Errno::success;
  std::string seen;
  Snapshot files;
  std::vector<HostCall> calls;
  std::size_t told = 0;
};

class Trial {
 public:
  Trial(const Scenario& scenario, bool walks) : scenario_(scenario), walks_(walks) {}

  void baseline() {
    {
      // What is made when it is first needed is there afterwards.
      World first(walks_);
      if (scenario_.prepare) scenario_.prepare(first);
      (void)Run(scenario_, first, {});
    }
    World world(walks_);
    if (scenario_.prepare) scenario_.prepare(world);
    const Run run(scenario_, world, {});
    baseline_.error = run.error;
    baseline_.calls = run.calls;
    if (run.error == Errno::success && scenario_.look) baseline_.seen = scenario_.look(world);
    if (scenario_.verify) {
      REQUIRE(run.error == Errno::success);
      baseline_.told = world.guest.read<std::uint32_t>(world.out);
      CHECK(baseline_.told >= 8000);
      scenario_.verify(world, baseline_.told);
    }
    baseline_.files = snapshot(world.dir / "root", true);
  }

  [[nodiscard]] const Baseline& result() const { return baseline_; }

  // What the guest must be told, 0 for nothing of it; or may be told, where `is_certain` is not set.
  void with(const Plan& plan, int told_error, bool is_certain) {
    const std::size_t descriptors = open_descriptors();
    {
      World world(walks_);
      if (scenario_.prepare) scenario_.prepare(world);
      const Snapshot before = snapshot(world.dir / "root", false);
      const Run run(scenario_, world, plan);
      INFO("the host was called: " << names(run.calls));
      const Errno expected = told_error == 0 ? baseline_.error : errno_from_host(told_error);
      const std::size_t told =
          scenario_.verify && run.error == Errno::success ? world.guest.read<std::uint32_t>(world.out) : 0;
      if (told_error != 0 && told != 0) {
        // What had been moved before counts; a short count tells that something happened.
        CHECK((!is_certain || told < baseline_.told));
      } else if (is_certain) {
        CHECK(name_of(run.error) == name_of(expected));
      } else if (run.error != expected) {
        CHECK(name_of(run.error) == name_of(baseline_.error));
      }
      if (scenario_.verify) {
        scenario_.verify(world, told);
      } else if (run.error == baseline_.error) {
        if (run.error == Errno::success && scenario_.look) CHECK(scenario_.look(world) == baseline_.seen);
        CHECK(snapshot(world.dir / "root", true) == baseline_.files);
      } else {
        Snapshot after = snapshot(world.dir / "root", false);
        if (!scenario_.leaves.empty()) {
          after.erase(std::string(scenario_.leaves));
          const std::string parent = std::filesystem::path(scenario_.leaves).parent_path();
          after[parent] = before.at(parent);
        }
        CHECK(after == before);
      }
    }
    CHECK(open_descriptors() == descriptors);
  }

  static std::string names(const std::vector<HostCall>& calls) {
    std::string text;
    for (const HostCall& call : calls) text += fmt::format("{} ", call.name);
    return text;
  }

 private:
  const Scenario& scenario_;
  bool walks_;
  Baseline baseline_;
};

void check_scenario(const Scenario& scenario, bool walks) {
  INFO(scenario.function << " " << scenario.what << (walks ? ", walking" : ""));
  Trial trial(scenario, walks);
  trial.baseline();
  const std::vector<HostCall>& calls = trial.result().calls;
  INFO("without faults: " << Trial::names(calls));
  for (const std::string_view part : scenario.rests_on) {
    CHECK(std::ranges::any_of(calls, [part](const HostCall& call) {
      return std::string_view(call.name).find(part) != std::string_view::npos;
    }));
  }
  std::map<std::string_view, std::size_t> numbers;
  for (const HostCall& call : calls) {
    const std::size_t number = numbers[call.name]++;
    for (const int error : errors_of(call.name, scenario)) {
      INFO(call.name << " number " << number + 1 << " fails with " << std::strerror(error));
      const bool is_told = is_told_by(call, error, scenario);
      trial.with({.name = call.name, .first = number, .verdict = {.error = error}}, is_told ? error : 0, true);
      // Several times on end: what is repeated is repeated as often as it takes, and what is told stays as it is.
      const bool recovers = error == EINTR || error == EAGAIN;
      trial.with({.name = call.name,
                  .first = number,
                  .times = recovers ? std::size_t{3} : SIZE_MAX,
                  .verdict = {.error = error}},
                 is_told ? error : 0, recovers || is_told);
    }
    if (call.size > 1 && errors_of(call.name, scenario) != std::vector{EINTR}) {
      for (const std::size_t most : {std::size_t{1}, call.size / 2, call.size - 1}) {
        INFO(call.name << " number " << number + 1 << " moves " << most << " bytes of " << call.size);
        trial.with({.name = call.name, .first = number, .verdict = {.most = most}}, 0, true);
        trial.with({.name = call.name, .first = number, .times = 5, .verdict = {.most = most}}, 0, true);
        for (const int error : errors_of(call.name, scenario)) {
          INFO("and the next call fails with " << std::strerror(error));
          trial.with({.name = call.name, .first = number, .verdict = {.most = most}, .next = {.error = error}}, error,
                     false);
        }
      }
    }
    if (std::string_view(call.name) == "getdents64") {
      INFO("entries without types");
      trial.with({.name = call.name, .first = number, .times = SIZE_MAX, .verdict = {.hides_types = true}}, 0, true);
    }
  }
}

TEST_CASE("faults: every function is tried, and nothing else", "[faults]") {
  std::set<std::string_view> tried;
  for (const Scenario& scenario : scenarios()) tried.insert(scenario.function);
  std::set<std::string_view> all;
  for (const FunctionInfo& info : function_infos()) all.insert(info.name);
  CHECK(tried == all);
}

TEST_CASE("faults beneath what needs nothing of the host", "[faults]") {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.rests_on.empty()) check_scenario(scenario, false);
  }
}

TEST_CASE("faults beneath the functions on descriptors", "[faults]") {
  for (const Scenario& scenario : scenarios()) {
    if (!scenario.rests_on.empty() && !scenario.function.starts_with("path_")) check_scenario(scenario, false);
  }
}

TEST_CASE("faults beneath the functions on paths, with openat2", "[faults]") {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.function.starts_with("path_")) check_scenario(scenario, false);
  }
}

TEST_CASE("faults beneath the functions on paths, walked", "[faults]") {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.function.starts_with("path_")) check_scenario(scenario, true);
  }
}

}  // namespace
}  // namespace wasi::preview1::test
