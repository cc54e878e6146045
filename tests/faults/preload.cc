// For LD_PRELOAD: host calls of a whole process are interrupted, move less, or say EAGAIN where that is allowed, as a
// busy host would have it: a program must not notice. WASIRUN_FAULTS is "SEED:ONE_IN", or "SEED:ONE_IN:short" to
// have short transfers too, which programs that read and write by themselves do see; at the end the number of faults
// is written to the file that WASIRUN_FAULTS_REPORT names.
//
// With "NAME:FIRST:ERRNO" instead, the calls of that name for files fail for good, from number FIRST (0: the first) on.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <string_view>

#include "host_calls.h"

namespace wasi::test {
namespace {

struct Faults {
  std::mutex mutex;
  std::mt19937 random;
  unsigned one_in = 0;
  bool shortens = false;
  char name[32] = "";
  unsigned first = 0;
  int error = 0;
  unsigned seen = 0;
  unsigned count = 0;
  // What has been refused must be tried again in peace some time, or nothing would ever be done.
  bool last_was_fault = false;
};
Faults& faults() {
  static Faults all;
  return all;
}

bool is_interruptible(std::string_view name) {
  // Not what does not wait, and not what the event loop does with errors of its own.
  return name != "fcntl" && name != "ioctl" && name != "epoll_ctl" && name != "getsockopt" && name != "lseek" &&
         name != "posix_fadvise" && !name.starts_with("clock_") && name != "dup" && name != "syscall";
}
// The event loop writes to pipes and eventfds of its own, whose errors are none of a disk's.
bool is_file(int fd) {
  struct stat status{};
  return fd >= 0 && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}
bool is_event_loops(std::string_view name) { return name == "read" || name == "write"; }

Verdict judge(const HostCall& call) {
  Faults& all = faults();
  if (!call.is_own) return {};
  // Before the lock: this is a host call, too.
  if (all.error != 0 && (std::strcmp(all.name, call.name) != 0 || !is_file(call.fd))) return {};
  const std::lock_guard lock(all.mutex);
  if (all.error != 0) {
    if (all.seen++ < all.first) return {};
    ++all.count;
    return {.error = all.error};
  }
  if (all.random() % all.one_in != 0 || all.last_was_fault || !is_interruptible(call.name)) {
    all.last_was_fault = false;
    return {};
  }
  all.last_was_fault = true;
  ++all.count;
  if (all.shortens && call.size > 1 && !is_event_loops(call.name) && all.random() % 2 == 0) {
    return {.most = 1 + all.random() % (call.size - 1)};
  }
  if (call.refuses_to_wait && all.random() % 3 == 0) return {.error = EAGAIN};
  return {.error = EINTR};
}

[[gnu::constructor]] void start() {
  const char* spec = ::getenv("WASIRUN_FAULTS");
  if (spec == nullptr) return;
  Faults& all = faults();
  unsigned seed = 0;
  if (std::sscanf(spec, "%u:%u", &seed, &all.one_in) == 2 && all.one_in != 0) {
    all.random.seed(seed);
    all.shortens = std::strstr(spec, ":short") != nullptr;
  } else if (std::sscanf(spec, "%31[a-z0-9_]:%u:%d", all.name, &all.first, &all.error) != 3) {
    std::fprintf(stderr, "WASIRUN_FAULTS=%s cannot be understood\n", spec);
    ::_exit(99);
  }
  set_judge(judge);
}

[[gnu::destructor]] void report() {
  set_judge(nullptr);
  const char* path = ::getenv("WASIRUN_FAULTS_REPORT");
  if (path == nullptr) return;
  if (std::FILE* file = std::fopen(path, "w"); file != nullptr) {
    std::fprintf(file, "%u\n", faults().count);
    std::fclose(file);
  }
}

}  // namespace

// Of programs that end without going through destructors.
extern "C" [[gnu::visibility("default")]] void _exit(int code) {
  report();
  ::syscall(SYS_exit_group, code);
  __builtin_unreachable();
}

}  // namespace wasi::test
