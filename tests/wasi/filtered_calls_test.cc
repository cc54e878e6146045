// Hosts whose filter of system calls (seccomp) refuses what we would like to use, each call with each error that
// filters are known to give: programs see nothing of it, and the errors that are true stay.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guest.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

// What a sandbox may not know yet, whether it is called from here or from libc.
constexpr std::pair<long, std::string_view> kCalls[] = {
    {SYS_preadv2, "preadv2"},
    {SYS_pwritev2, "pwritev2"},
    {SYS_openat2, "openat2"},
    {SYS_getrandom, "getrandom"},
    {SYS_fadvise64, "fadvise64"},
    {SYS_statx, "statx"},
    {SYS_copy_file_range, "copy_file_range"},
    {SYS_renameat2, "renameat2"},
    {SYS_faccessat2, "faccessat2"},
    {SYS_memfd_create, "memfd_create"},
    {SYS_close_range, "close_range"},
    {SYS_membarrier, "membarrier"},
    {SYS_io_uring_setup, "io_uring_setup"},
};
constexpr std::pair<int, std::string_view> kErrors[] = {
    {ENOSYS, "ENOSYS"}, {EPERM, "EPERM"}, {EACCES, "EACCES"}, {EINVAL, "EINVAL"}};

// From here on these calls of this process fail; false where it may install no filter.
bool refuse(const std::vector<long>& calls, int error) {
  std::vector<sock_filter> program = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return false;
  // Without the filter this would be EBADF, EFAULT or another EINVAL; with it, it is what was asked for.
  for (const long call : calls) {
    if (::syscall(call, -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != error) return false;
  }
  return true;
}

void note(std::string& out, std::string_view what, Errno error) {
  out.append(what).append(": ").append(name_of(error)).append("\n");
}

// What a guest sees that does all there is to be done, in `folder`, which is empty.
std::string use_everything(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "sub");
  std::filesystem::create_directories(folder / "closed");
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return "no pipes";
  if (::write(in[1], "input", 5) != 5) return "a pipe takes nothing";
  Config config = test::with_directory(folder);
  config.in = {.kind = Stdio::Kind::fd, .fd = in[0]};
  config.out = {.kind = Stdio::Kind::fd, .fd = out[1]};
  Guest guest(config);
  std::string seen;
  // Twice each: what was found out about the host the first time is used the second.
  for (int i = 0; i < 2; ++i) note(seen, "hello", guest.write_text(1, "hello\n"));
  char bytes[64];
  const ssize_t size = ::read(out[0], bytes, sizeof(bytes));
  seen.append(bytes, size < 0 ? 0 : static_cast<std::size_t>(size));
  for (int i = 0; i < 2; ++i) seen += "stdin: " + guest.read_text(0, 2) + "\n";

  const auto made = guest.open("sub/file", oflag::creat | oflag::excl, right::fd_read | right::fd_write);
  note(seen, "create", made.error);
  note(seen, "write", guest.write_text(made.fd, "contents"));
  const std::uint32_t place = guest.allocate(512);
  note(seen, "seek", guest.call("fd_seek", {made.fd, 0, 0, place}));
  seen += "read: " + guest.read_text(made.fd) + "\n";
  note(seen, "advise", guest.call("fd_advise", {made.fd, 0, 8, 3}));
  note(seen, "sync", guest.call("fd_sync", {made.fd}));
  note(seen, "size", guest.call("fd_filestat_set_size", {made.fd, 4}));
  note(seen, "times", guest.set_times("sub/file", 5));
  FileStat stat;
  note(seen, "stat", guest.stat("sub/file", stat));
  seen += std::to_string(stat.size) + " " + std::to_string(stat.mtim) + "\n";
  note(seen, "link", guest.hard_link("sub/file", "hard"));
  note(seen, "symlink", guest.symlink("sub", "link"));
  note(seen, "through a link", guest.open("link/file").error);
  note(seen, "rename", guest.rename("hard", "sub/renamed"));
  note(seen, "unlink", guest.path_call("path_unlink_file", "sub/renamed"));
  note(seen, "mkdir", guest.path_call("path_create_directory", "made"));
  note(seen, "rmdir", guest.path_call("path_remove_directory", "made"));
  note(seen, "list", guest.call("fd_readdir", {kRoot, place, 256, 0, place + 256}));
  note(seen, "clock", guest.call("clock_time_get", {0, 0, place}));
  guest.write(place, std::uint64_t{0});
  guest.write(place + 8, std::uint64_t{0});
  note(seen, "random", guest.call("random_get", {place, 16}));
  // Chances are one in 2^64.
  seen += guest.read<std::uint64_t>(place) != 0 && guest.read<std::uint64_t>(place + 8) != 0 ? "bytes\n" : "none\n";

  // Errors that are true.
  note(seen, "is there", guest.open("sub/file", oflag::creat | oflag::excl, right::fd_read).error);
  note(seen, "is not there", guest.open("none").error);
  note(seen, "no directory", guest.open("sub/file/x").error);
  note(seen, "a directory", guest.open("sub", 0, right::fd_write).error);
  note(seen, "outside", guest.open("../x").error);
  note(seen, "outside, deeper", guest.open("sub/../../x").error);
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
  note(seen, "may not", guest.open("closed/x").error);
  note(seen, "may not look", guest.stat("closed/x", stat));
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_all);
  note(seen, "read what is closed", guest.call("fd_close", {made.fd}));
  for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
  return seen;
}

// What use_everything() sees in a process of its own, in which these calls are refused; all has been used before the
// filter comes where `late` is set. Empty where there can be no filter.
std::optional<std::string> seen_without(const std::vector<long>& calls, int error, bool late) {
  const wasi::test::TempDir dir;
  // Who may do everything is refused nothing, and could not tell true errors from others.
  const bool is_root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (is_root && ::chown(dir.path().c_str(), kNobody, kNobody) != 0) FAIL("cannot give a folder away");
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string seen;
    int code = 0;
    try {
      if (is_root && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) seen = "cannot be somebody else";
      if (late) (void)use_everything(dir / "before");
      if (!calls.empty() && !refuse(calls, error)) {
        code = 77;
      } else if (seen.empty()) {
        seen = use_everything(dir / "after");
      }
    } catch (...) {
      seen = "an exception";
    }
    if (::write(pipe[1], seen.data(), seen.size()) != static_cast<ssize_t>(seen.size())) code = 1;
    ::_exit(code);
  }
  ::close(pipe[1]);
  std::string seen;
  char bytes[4096];
  for (ssize_t size = 0; (size = ::read(pipe[0], bytes, sizeof(bytes))) > 0;) {
    seen.append(bytes, static_cast<std::size_t>(size));
  }
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  CHECK(status == 0);
  return seen;
}

TEST_CASE("system calls that a filter refuses are done without", "[filtered]") {
  const bool late = GENERATE(false, true);
  const auto expected = seen_without({}, 0, late);
  REQUIRE(expected);
  INFO("without a filter:\n" << *expected);
  CHECK(expected->find("hello: ESUCCESS\nhello: ESUCCESS\nhello\nhello\nstdin: in\nstdin: pu\n") == 0);
  CHECK(expected->find("may not: EACCES\nmay not look: EACCES\n") != std::string::npos);
  std::vector<long> all;
  for (const auto& [call, name] : kCalls) all.push_back(call);
  for (const auto& [error, error_name] : kErrors) {
    const auto check = [&](const std::vector<long>& calls, std::string_view name) {
      INFO(name << " is " << error_name);
      const auto seen = seen_without(calls, error, late);
      if (!seen) {
        WARN("no filter of system calls can be installed here");
        return;
      }
      CHECK(*seen == *expected);
    };
    for (const auto& [call, name] : kCalls) check({call}, name);
    check(all, "all of them");
  }
}

}  // namespace
}  // namespace wasi::preview1
