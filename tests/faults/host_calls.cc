// See host_calls.h. The functions have names of their own here and libc's in the object file, so that libc's headers,
// which declare them a little differently, can be included.
#include "host_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <ctime>
#include <vector>

namespace wasi::test {
namespace {

std::atomic<Judge> current_judge = nullptr;

// Where the program's own code lies.
struct Range {
  std::uintptr_t begin = UINTPTR_MAX;
  std::uintptr_t end = 0;
};
int add_program(dl_phdr_info* info, std::size_t, void* data) {
  auto& range = *static_cast<Range*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    range.begin = std::min(range.begin, begin);
    range.end = std::max(range.end, begin + info->dlpi_phdr[i].p_memsz);
  }
  return 1;  // the program comes first
}
bool is_of_program(const void* address) {
  static const Range program = [] {
    Range range;
    ::dl_iterate_phdr(add_program, &range);
    return range;
  }();
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  return program.begin <= at && at < program.end;
}

Verdict judge(const void* caller, HostCall call) {
  const Judge asked = current_judge.load(std::memory_order_acquire);
  if (asked == nullptr) return {};
  call.is_own = is_of_program(caller);
  const int error = errno;
  const Verdict verdict = asked(call);
  errno = error;
  return verdict;
}

template <class Function>
Function* libc(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// As many of the buffers as hold `most` bytes.
std::vector<iovec> shortened(const iovec* vectors, std::size_t count, std::size_t most) {
  std::vector<iovec> result;
  for (std::size_t i = 0; i < count && most != 0; ++i) {
    result.push_back({vectors[i].iov_base, std::min(vectors[i].iov_len, most)});
    most -= result.back().iov_len;
  }
  return result;
}
std::size_t total(const iovec* vectors, std::size_t count) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += vectors[i].iov_len;
  return sum;
}

struct Entry {
  std::uint64_t ino;
  std::int64_t next;
  std::uint16_t size;
  std::uint8_t type;
};
void hide_types(char* entries, long size) {
  for (long at = 0; at < size;) {
    Entry entry;
    std::memcpy(&entry, entries + at, 19);
    entries[at + 18] = DT_UNKNOWN;
    at += entry.size;
  }
}
// Between the host's positions in a directory and large ones, in both directions. 0 is the beginning in any case.
constexpr std::int64_t hashed(std::int64_t position) {
  return position == 0 ? 0 : position ^ (std::int64_t{1} << 62 | std::int64_t{1} << 40);
}
void hash_positions(char* entries, long size) {
  for (long at = 0; at < size;) {
    Entry entry;
    std::memcpy(&entry, entries + at, 19);
    entry.next = hashed(entry.next);
    std::memcpy(entries + at, &entry, 19);
    at += entry.size;
  }
}
constexpr std::size_t kOneEntry = 280;  // of the longest name

// As libc names what it has a function for.
const char* name_of(long number) {
  switch (number) {
    case SYS_getdents64:
      return "getdents64";
    case SYS_openat2:
      return "openat2";
    case SYS_close:
      return "close";
    case SYS_read:
      return "read";
    case SYS_write:
      return "write";
    default:
      return "syscall";
  }
}

}  // namespace

void set_judge(Judge judge) { current_judge.store(judge, std::memory_order_release); }

}  // namespace wasi::test

namespace {

using wasi::test::HostCall;
using wasi::test::Verdict;

template <class Result>
Result failure(int error) {
  errno = error;
  return static_cast<Result>(-1);
}

}  // namespace

#define HOST_FUNCTION(result, name, ...)                                                    \
  extern "C" [[gnu::visibility("default")]] result host_##name(__VA_ARGS__) __asm__(#name); \
  result host_##name(__VA_ARGS__)

// A call that succeeds or fails: parameters in parentheses, arguments in parentheses.
#define SIMPLE(result, name, parameters, arguments)                                       \
  extern "C" [[gnu::visibility("default")]] result host_##name parameters __asm__(#name); \
  result host_##name parameters {                                                         \
    static auto* const real = wasi::test::libc<result parameters>(#name);                 \
    const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {#name});      \
    return verdict.error != 0 ? failure<result>(verdict.error) : real arguments;          \
  }

SIMPLE(int, fstat, (int fd, struct stat* status), (fd, status))
SIMPLE(int, fstatat, (int fd, const char* path, struct stat* status, int flags), (fd, path, status, flags))
SIMPLE(int, ftruncate, (int fd, off_t size), (fd, size))
SIMPLE(int, fallocate, (int fd, int mode, off_t offset, off_t size), (fd, mode, offset, size))
SIMPLE(int, fsync, (int fd), (fd))
SIMPLE(int, fdatasync, (int fd), (fd))
SIMPLE(int, futimens, (int fd, const timespec* times), (fd, times))
SIMPLE(int, utimensat, (int fd, const char* path, const timespec* times, int flags), (fd, path, times, flags))
SIMPLE(int, mkdirat, (int fd, const char* path, mode_t mode), (fd, path, mode))
SIMPLE(int, linkat, (int from, const char* path, int to, const char* name, int flags), (from, path, to, name, flags))
SIMPLE(int, symlinkat, (const char* target, int fd, const char* path), (target, fd, path))
SIMPLE(ssize_t, readlinkat, (int fd, const char* path, char* target, std::size_t size), (fd, path, target, size))
SIMPLE(int, renameat, (int from, const char* path, int to, const char* name), (from, path, to, name))
SIMPLE(int, renameat2, (int from, const char* path, int to, const char* name, unsigned flags),
       (from, path, to, name, flags))
SIMPLE(int, unlinkat, (int fd, const char* path, int flags), (fd, path, flags))
SIMPLE(int, clock_gettime, (clockid_t clock, timespec* time), (clock, time))
SIMPLE(int, clock_getres, (clockid_t clock, timespec* time), (clock, time))
SIMPLE(int, poll, (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
SIMPLE(int, ppoll, (pollfd * fds, nfds_t count, const timespec* timeout, const sigset_t* mask),
       (fds, count, timeout, mask))
SIMPLE(int, epoll_wait, (int epoll, epoll_event* events, int most, int timeout), (epoll, events, most, timeout))
SIMPLE(int, epoll_pwait, (int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask),
       (epoll, events, most, timeout, mask))
SIMPLE(int, accept, (int fd, sockaddr* address, socklen_t* size), (fd, address, size))
SIMPLE(int, accept4, (int fd, sockaddr* address, socklen_t* size, int flags), (fd, address, size, flags))
SIMPLE(int, shutdown, (int fd, int how), (fd, how))
SIMPLE(int, getsockopt, (int fd, int level, int option, void* value, socklen_t* size), (fd, level, option, value, size))
SIMPLE(int, dup, (int fd), (fd))

HOST_FUNCTION(off_t, lseek, int fd, off_t offset, int whence) {
  static auto* const real = wasi::test::libc<off_t(int, off_t, int)>("lseek");
  const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {.name = "lseek"});
  if (verdict.error != 0) return failure<off_t>(verdict.error);
  return real(fd, verdict.hashes ? wasi::test::hashed(offset) : offset, whence);
}

// What fails is to watch one more: the kernel first looks whether it does already.
HOST_FUNCTION(int, epoll_ctl, int epoll, int operation, int fd, epoll_event* event) {
  static auto* const real = wasi::test::libc<int(int, int, int, epoll_event*)>("epoll_ctl");
  if (operation != EPOLL_CTL_ADD) return real(epoll, operation, fd, event);
  const int result = real(epoll, operation, fd, event);
  if (result != 0) return result;
  const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {.name = "epoll_ctl"});
  if (verdict.error == 0) return result;
  real(epoll, EPOLL_CTL_DEL, fd, event);
  return failure<int>(verdict.error);
}

HOST_FUNCTION(int, close, int fd) {
  static auto* const real = wasi::test::libc<int(int)>("close");
  const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {.name = "close"});
  const int result = real(fd);
  return verdict.error != 0 ? failure<int>(verdict.error) : result;
}

// This one returns its error.
HOST_FUNCTION(int, posix_fadvise, int fd, off_t offset, off_t size, int advice) {
  static auto* const real = wasi::test::libc<int(int, off_t, off_t, int)>("posix_fadvise");
  const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {.name = "posix_fadvise"});
  return verdict.error != 0 ? verdict.error : real(fd, offset, size, advice);
}

// Functions with arguments that may not be there. All of these are passed in registers, so it does no harm to take one
// that was not given.
#define VARIADIC(name, parameters, last, call)                                         \
  extern "C" [[gnu::visibility("default")]] int host_##name parameters __asm__(#name); \
  int host_##name parameters {                                                         \
    va_list list;                                                                      \
    va_start(list, last);                                                              \
    const long more = va_arg(list, long);                                              \
    va_end(list);                                                                      \
    const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {#name});   \
    if (verdict.error != 0) return failure<int>(verdict.error);                        \
    call;                                                                              \
  }
VARIADIC(open, (const char* path, int flags, ...), flags,
         static auto* const real = wasi::test::libc<int(const char*, int, ...)>("open");
         return real(path, flags, static_cast<mode_t>(more)))
VARIADIC(openat, (int fd, const char* path, int flags, ...), flags,
         static auto* const real = wasi::test::libc<int(int, const char*, int, ...)>("openat");
         return real(fd, path, flags, static_cast<mode_t>(more)))
VARIADIC(fcntl, (int fd, int command, ...), command,
         static auto* const real = wasi::test::libc<int(int, int, ...)>("fcntl");
         return real(fd, command, more))
VARIADIC(ioctl, (int fd, unsigned long request, ...), request,
         static auto* const real = wasi::test::libc<int(int, unsigned long, ...)>("ioctl");
         return real(fd, request, more))

HOST_FUNCTION(long, syscall, long number, ...) {
  static auto* const real = wasi::test::libc<long(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const bool transfers = number == SYS_read || number == SYS_write;
  HostCall call{.name = wasi::test::name_of(number)};
  if (number == SYS_getdents64 || transfers) call.size = static_cast<std::size_t>(arguments[2]);
  if (transfers) call.fd = static_cast<int>(arguments[0]);
  const Verdict verdict = wasi::test::judge(__builtin_return_address(0), call);
  if (verdict.error != 0) {
    if (number == SYS_close) (void)real(number, arguments[0]);
    return failure<long>(verdict.error);
  }
  if (transfers) arguments[2] = static_cast<long>(std::min(call.size, verdict.most));
  if (number == SYS_getdents64) {
    arguments[2] = static_cast<long>(std::min(call.size, std::max(verdict.most, wasi::test::kOneEntry)));
  }
  const long result = real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  if (number == SYS_getdents64 && verdict.hides_types && result > 0) {
    wasi::test::hide_types(reinterpret_cast<char*>(arguments[1]), result);
  }
  if (number == SYS_getdents64 && verdict.hashes && result > 0) {
    wasi::test::hash_positions(reinterpret_cast<char*>(arguments[1]), result);
  }
  return result;
}

// Transfers of a buffer.
#define TRANSFER(name, waits, descriptor, parameters, arguments)                                                    \
  extern "C" [[gnu::visibility("default")]] ssize_t host_##name parameters __asm__(#name);                          \
  ssize_t host_##name parameters {                                                                                  \
    static auto* const real = wasi::test::libc<ssize_t parameters>(#name);                                          \
    const Verdict verdict = wasi::test::judge(__builtin_return_address(0), {#name, size, waits, true, descriptor}); \
    if (verdict.error != 0) return failure<ssize_t>(verdict.error);                                                 \
    size = std::min(size, verdict.most);                                                                            \
    return real arguments;                                                                                          \
  }
TRANSFER(read, false, fd, (int fd, void* data, std::size_t size), (fd, data, size))
TRANSFER(write, false, fd, (int fd, const void* data, std::size_t size), (fd, data, size))
TRANSFER(pread, false, fd, (int fd, void* data, std::size_t size, off_t offset), (fd, data, size, offset))
TRANSFER(pwrite, false, fd, (int fd, const void* data, std::size_t size, off_t offset), (fd, data, size, offset))
TRANSFER(recv, true, fd, (int fd, void* data, std::size_t size, int flags), (fd, data, size, flags))
TRANSFER(send, true, fd, (int fd, const void* data, std::size_t size, int flags), (fd, data, size, flags))
TRANSFER(getrandom, false, -1, (void* data, std::size_t size, unsigned flags), (data, size, flags))

// Transfers of several buffers.
#define VECTORED(name, waits, parameters, arguments)                                                              \
  extern "C" [[gnu::visibility("default")]] ssize_t host_##name parameters __asm__(#name);                        \
  ssize_t host_##name parameters {                                                                                \
    static auto* const real = wasi::test::libc<ssize_t parameters>(#name);                                        \
    const Verdict verdict =                                                                                       \
        wasi::test::judge(__builtin_return_address(0),                                                            \
                          {#name, wasi::test::total(vectors, static_cast<std::size_t>(count)), waits, true, fd}); \
    if (verdict.error != 0) return failure<ssize_t>(verdict.error);                                               \
    std::vector<iovec> less;                                                                                      \
    if (verdict.most != SIZE_MAX) {                                                                               \
      less = wasi::test::shortened(vectors, static_cast<std::size_t>(count), verdict.most);                       \
      vectors = less.data();                                                                                      \
      count = static_cast<int>(less.size());                                                                      \
    }                                                                                                             \
    return real arguments;                                                                                        \
  }
VECTORED(readv, false, (int fd, const iovec* vectors, int count), (fd, vectors, count))
VECTORED(writev, false, (int fd, const iovec* vectors, int count), (fd, vectors, count))
VECTORED(preadv, false, (int fd, const iovec* vectors, int count, off_t offset), (fd, vectors, count, offset))
VECTORED(pwritev, false, (int fd, const iovec* vectors, int count, off_t offset), (fd, vectors, count, offset))
VECTORED(preadv2, (flags & RWF_NOWAIT) != 0, (int fd, const iovec* vectors, int count, off_t offset, int flags),
         (fd, vectors, count, offset, flags))
VECTORED(pwritev2, (flags & RWF_NOWAIT) != 0, (int fd, const iovec* vectors, int count, off_t offset, int flags),
         (fd, vectors, count, offset, flags))

// Transfers of messages.
#define MESSAGE(name, type)                                                                                      \
  extern "C" [[gnu::visibility("default")]] ssize_t host_##name(int fd, type message, int flags) __asm__(#name); \
  ssize_t host_##name(int fd, type message, int flags) {                                                         \
    static auto* const real = wasi::test::libc<ssize_t(int, type, int)>(#name);                                  \
    const Verdict verdict = wasi::test::judge(                                                                   \
        __builtin_return_address(0),                                                                             \
        {#name, wasi::test::total(message->msg_iov, message->msg_iovlen), (flags & MSG_DONTWAIT) != 0});         \
    if (verdict.error != 0) return failure<ssize_t>(verdict.error);                                              \
    if (verdict.most == SIZE_MAX) return real(fd, message, flags);                                               \
    auto less = wasi::test::shortened(message->msg_iov, message->msg_iovlen, verdict.most);                      \
    msghdr shorter = *message;                                                                                   \
    shorter.msg_iov = less.data();                                                                               \
    shorter.msg_iovlen = less.size();                                                                            \
    const ssize_t result = real(fd, &shorter, flags);                                                            \
    report_flags(message, shorter.msg_flags);                                                                    \
    return result;                                                                                               \
  }
namespace {
void report_flags(const msghdr*, int) {}
void report_flags(msghdr* message, int flags) { message->msg_flags = flags; }
}  // namespace
MESSAGE(recvmsg, msghdr*)
MESSAGE(sendmsg, const msghdr*)
