// The host of a module that wasm2c turned into C: a program with the command line of every runner here, and as much of
// WASI preview1 as benchmarks need. It is no sandbox: it trusts the module, and only keeps paths beneath their folder.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../common/runner.h"
#include "module.h"
#include "names.h"
#include "wasm-rt-impl.h"
#if __has_include("wasm-rt-exceptions.h")
#include "wasm-rt-exceptions.h"
#endif

enum {
  kSuccess = 0,
  kAcces = 2,
  kAgain = 6,
  kBadf = 8,
  kExist = 20,
  kFault = 21,
  kInval = 28,
  kIo = 29,
  kIsdir = 31,
  kNoent = 44,
  kNosys = 52,
  kNotdir = 54,
  kNotempty = 55,
  kPerm = 63,
  kPipe = 64,
  kSpipe = 70,
  kNotcapable = 76,
};
enum { kMaxFds = 256, kMaxBuffers = 64 };

static MODULE module;
static Options options;

// What a descriptor of the guest is here; -1: nothing.
static struct {
  int host;
  const char* preopen;
} fds[kMaxFds];

static uint8_t* memory_data(void) { return MODULE_MEMORY(&module)->data; }
static uint64_t memory_size(void) { return MODULE_MEMORY(&module)->size; }

// Guest memory at an address; a range that leaves it ends the program, as only a broken module has one.
static void* at(uint32_t address, uint64_t size) {
  if (address + size > memory_size()) fail("wasm2c host", "an address outside of memory");
  return memory_data() + address;
}

static uint32_t load32(uint32_t address) {
  uint32_t value;
  memcpy(&value, at(address, 4), 4);
  return value;
}
static uint64_t load64(uint32_t address) {
  uint64_t value;
  memcpy(&value, at(address, 8), 8);
  return value;
}
static void store8(uint32_t address, uint8_t value) { *(uint8_t*)at(address, 1) = value; }
static void store16(uint32_t address, uint16_t value) { memcpy(at(address, 2), &value, 2); }
static void store32(uint32_t address, uint32_t value) { memcpy(at(address, 4), &value, 4); }
static void store64(uint32_t address, uint64_t value) { memcpy(at(address, 8), &value, 8); }

static uint32_t wasi_errno(void) {
  switch (errno) {
    case EACCES:
      return kAcces;
    case EAGAIN:
      return kAgain;
    case EBADF:
      return kBadf;
    case EEXIST:
      return kExist;
    case EINVAL:
      return kInval;
    case EISDIR:
      return kIsdir;
    case ENOENT:
      return kNoent;
    case ENOTDIR:
      return kNotdir;
    case ENOTEMPTY:
      return kNotempty;
    case EPERM:
      return kPerm;
    case EPIPE:
      return kPipe;
    case ESPIPE:
      return kSpipe;
    default:
      return kIo;
  }
}

static int host_fd(uint32_t fd) { return fd < kMaxFds ? fds[fd].host : -1; }

static uint32_t new_fd(int host) {
  for (uint32_t fd = 3; fd < kMaxFds; fd++) {
    if (fds[fd].host < 0) {
      fds[fd].host = host;
      fds[fd].preopen = NULL;
      return fd;
    }
  }
  fail("wasm2c host", "too many open files");
  return 0;
}

// A copy of a path of the guest's, or NULL for one that leads out of its folder.
static char* copy_path(uint32_t address, uint32_t size) {
  static char path[2][4096];
  static int turn;
  turn ^= 1;
  if (size >= sizeof path[0]) return NULL;
  memcpy(path[turn], at(address, size), size);
  path[turn][size] = '\0';
  if (path[turn][0] == '/') return NULL;
  for (const char* part = path[turn]; *part != '\0';) {
    size_t length = strcspn(part, "/");
    if (length == 2 && memcmp(part, "..", 2) == 0) return NULL;
    part += length;
    while (*part == '/') part++;
  }
  return path[turn][0] == '\0' ? strcpy(path[turn], ".") : path[turn];
}

static uint8_t file_type(mode_t mode) {
  if (S_ISREG(mode)) return 4;
  if (S_ISDIR(mode)) return 3;
  if (S_ISCHR(mode)) return 2;
  if (S_ISLNK(mode)) return 7;
  return S_ISSOCK(mode) ? 6 : 0;
}

static uint32_t store_stat(uint32_t address, const struct stat* s) {
  memset(at(address, 64), 0, 64);
  store64(address, s->st_dev);
  store64(address + 8, s->st_ino);
  store8(address + 16, file_type(s->st_mode));
  store64(address + 24, s->st_nlink);
  store64(address + 32, (uint64_t)s->st_size);
  store64(address + 40, (uint64_t)s->st_atim.tv_sec * 1000000000u + (uint64_t)s->st_atim.tv_nsec);
  store64(address + 48, (uint64_t)s->st_mtim.tv_sec * 1000000000u + (uint64_t)s->st_mtim.tv_nsec);
  store64(address + 56, (uint64_t)s->st_ctim.tv_sec * 1000000000u + (uint64_t)s->st_ctim.tv_nsec);
  return kSuccess;
}

static int buffers(uint32_t list, uint32_t count, struct iovec* out) {
  if (count > kMaxBuffers) count = kMaxBuffers;
  for (uint32_t i = 0; i < count; i++) {
    out[i].iov_len = load32(list + 8 * i + 4);
    out[i].iov_base = at(load32(list + 8 * i), out[i].iov_len);
  }
  return (int)count;
}

static uint32_t done(ssize_t moved, uint32_t result) {
  if (moved < 0) return wasi_errno();
  store32(result, (uint32_t)moved);
  return kSuccess;
}

static uint32_t status(int code) { return code < 0 ? wasi_errno() : kSuccess; }

// `FUNCTION(name, parameters)` defines a function of preview1.
#define FUNCTION(name, ...) uint32_t WASI_NAME(name)(WASI_INSTANCE self, __VA_ARGS__)
#define UNUSED (void)self

FUNCTION(args_sizes_get, uint32_t count, uint32_t size) {
  UNUSED;
  uint32_t bytes = 0;
  for (int i = 0; i < options.argc; i++) bytes += (uint32_t)strlen(options.argv[i]) + 1;
  store32(count, (uint32_t)options.argc);
  store32(size, bytes);
  return kSuccess;
}

FUNCTION(args_get, uint32_t list, uint32_t text) {
  UNUSED;
  for (int i = 0; i < options.argc; i++) {
    size_t size = strlen(options.argv[i]) + 1;
    store32(list + 4 * (uint32_t)i, text);
    memcpy(at(text, size), options.argv[i], size);
    text += (uint32_t)size;
  }
  return kSuccess;
}

FUNCTION(environ_sizes_get, uint32_t count, uint32_t size) {
  UNUSED;
  store32(count, 0);
  store32(size, 0);
  return kSuccess;
}

FUNCTION(environ_get, uint32_t list, uint32_t text) {
  UNUSED, (void)list, (void)text;
  return kSuccess;
}

static clockid_t host_clock(uint32_t clock) {
  static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                     CLOCK_THREAD_CPUTIME_ID};
  return clock < 4 ? clocks[clock] : CLOCK_MONOTONIC;
}

FUNCTION(clock_time_get, uint32_t clock, uint64_t precision, uint32_t result) {
  UNUSED, (void)precision;
  struct timespec t;
  clock_gettime(host_clock(clock), &t);
  store64(result, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
  return kSuccess;
}

FUNCTION(clock_res_get, uint32_t clock, uint32_t result) {
  UNUSED;
  struct timespec t;
  clock_getres(host_clock(clock), &t);
  store64(result, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
  return kSuccess;
}

FUNCTION(random_get, uint32_t address, uint32_t size) {
  UNUSED;
  for (uint32_t filled = 0; filled < size;) {
    ssize_t got = getrandom(at(address + filled, size - filled), size - filled, 0);
    if (got < 0) return wasi_errno();
    filled += (uint32_t)got;
  }
  return kSuccess;
}

static void finish(int code) {
  report_lap("run_ns");
  report_add("timed_ns", (double)watch_total);
  report_write(options.report);
  exit(code);
}

void WASI_NAME(proc_exit)(WASI_INSTANCE self, uint32_t code) {
  UNUSED;
  finish((int)code);
}

uint32_t WASI_NAME(sched_yield)(WASI_INSTANCE self) {
  UNUSED;
  return status(sched_yield());
}

FUNCTION(fd_close, uint32_t fd) {
  UNUSED;
  if (host_fd(fd) < 0) return kBadf;
  int code = fd > 2 ? close(fds[fd].host) : 0;
  fds[fd].host = -1;
  return status(code);
}

FUNCTION(fd_read, uint32_t fd, uint32_t list, uint32_t count, uint32_t result) {
  UNUSED;
  struct iovec parts[kMaxBuffers];
  return done(readv(host_fd(fd), parts, buffers(list, count, parts)), result);
}

FUNCTION(fd_write, uint32_t fd, uint32_t list, uint32_t count, uint32_t result) {
  UNUSED;
  struct iovec parts[kMaxBuffers];
  return done(writev(host_fd(fd), parts, buffers(list, count, parts)), result);
}

FUNCTION(fd_pread, uint32_t fd, uint32_t list, uint32_t count, uint64_t offset, uint32_t result) {
  UNUSED;
  struct iovec parts[kMaxBuffers];
  return done(preadv(host_fd(fd), parts, buffers(list, count, parts), (off_t)offset), result);
}

FUNCTION(fd_pwrite, uint32_t fd, uint32_t list, uint32_t count, uint64_t offset, uint32_t result) {
  UNUSED;
  struct iovec parts[kMaxBuffers];
  return done(pwritev(host_fd(fd), parts, buffers(list, count, parts), (off_t)offset), result);
}

FUNCTION(fd_seek, uint32_t fd, uint64_t offset, uint32_t whence, uint32_t result) {
  UNUSED;
  off_t position = lseek(host_fd(fd), (off_t)offset, whence == 0 ? SEEK_SET : whence == 1 ? SEEK_CUR : SEEK_END);
  if (position < 0) return wasi_errno();
  store64(result, (uint64_t)position);
  return kSuccess;
}

FUNCTION(fd_tell, uint32_t fd, uint32_t result) {
  UNUSED;
  off_t position = lseek(host_fd(fd), 0, SEEK_CUR);
  if (position < 0) return wasi_errno();
  store64(result, (uint64_t)position);
  return kSuccess;
}

FUNCTION(fd_sync, uint32_t fd) {
  UNUSED;
  return status(fsync(host_fd(fd)));
}

FUNCTION(fd_datasync, uint32_t fd) {
  UNUSED;
  return status(fdatasync(host_fd(fd)));
}

FUNCTION(fd_fdstat_get, uint32_t fd, uint32_t result) {
  UNUSED;
  struct stat s;
  int flags = fcntl(host_fd(fd), F_GETFL);
  if (flags < 0 || fstat(host_fd(fd), &s) < 0) return wasi_errno();
  memset(at(result, 24), 0, 24);
  store8(result, file_type(s.st_mode));
  store16(result + 2, (uint16_t)((flags & O_APPEND ? 1 : 0) | (flags & O_NONBLOCK ? 4 : 0)));
  // Seeking and telling are rights 2 and 5: what has them not is taken for a terminal.
  uint64_t rights = S_ISCHR(s.st_mode) ? ~(uint64_t)0x24 : ~(uint64_t)0;
  store64(result + 8, rights);
  store64(result + 16, ~(uint64_t)0);
  return kSuccess;
}

FUNCTION(fd_fdstat_set_flags, uint32_t fd, uint32_t flags) {
  UNUSED;
  return status(fcntl(host_fd(fd), F_SETFL, (flags & 1 ? O_APPEND : 0) | (flags & 4 ? O_NONBLOCK : 0)));
}

FUNCTION(fd_filestat_get, uint32_t fd, uint32_t result) {
  UNUSED;
  struct stat s;
  return fstat(host_fd(fd), &s) < 0 ? wasi_errno() : store_stat(result, &s);
}

FUNCTION(fd_filestat_set_size, uint32_t fd, uint64_t size) {
  UNUSED;
  return status(ftruncate(host_fd(fd), (off_t)size));
}

FUNCTION(fd_prestat_get, uint32_t fd, uint32_t result) {
  UNUSED;
  if (host_fd(fd) < 0 || fds[fd].preopen == NULL) return kBadf;
  store32(result, 0);
  store32(result + 4, (uint32_t)strlen(fds[fd].preopen));
  return kSuccess;
}

FUNCTION(fd_prestat_dir_name, uint32_t fd, uint32_t path, uint32_t size) {
  UNUSED;
  if (host_fd(fd) < 0 || fds[fd].preopen == NULL) return kBadf;
  memcpy(at(path, size), fds[fd].preopen, size);
  return kSuccess;
}

FUNCTION(fd_readdir, uint32_t fd, uint32_t buffer, uint32_t size, uint64_t cookie, uint32_t result) {
  UNUSED;
  int copy = openat(host_fd(fd), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = copy < 0 ? NULL : fdopendir(copy);
  if (folder == NULL) return wasi_errno();
  uint32_t used = 0;
  uint64_t number = 0;
  for (struct dirent* entry; used < size && (entry = readdir(folder)) != NULL;) {
    if (number++ < cookie) continue;
    uint8_t record[24 + 256] = {0};
    uint64_t inode = entry->d_ino;
    uint32_t length = (uint32_t)strlen(entry->d_name);
    memcpy(record, &number, 8);
    memcpy(record + 8, &inode, 8);
    memcpy(record + 16, &length, 4);
    record[20] = entry->d_type == DT_DIR ? 3 : entry->d_type == DT_REG ? 4 : entry->d_type == DT_LNK ? 7 : 0;
    memcpy(record + 24, entry->d_name, length);
    uint32_t part = 24 + length < size - used ? 24 + length : size - used;
    memcpy(at(buffer + used, part), record, part);
    used += part;
  }
  closedir(folder);
  store32(result, used);
  return kSuccess;
}

FUNCTION(path_open, uint32_t fd, uint32_t lookup, uint32_t path, uint32_t path_size, uint32_t flags, uint64_t rights,
         uint64_t inheriting, uint32_t fdflags, uint32_t result) {
  UNUSED, (void)inheriting;
  const char* name = copy_path(path, path_size);
  if (name == NULL) return kNotcapable;
  int mode = O_CLOEXEC | (lookup & 1 ? 0 : O_NOFOLLOW);
  if (flags & 1) mode |= O_CREAT;
  if (flags & 2) mode |= O_DIRECTORY;
  if (flags & 4) mode |= O_EXCL;
  if (flags & 8) mode |= O_TRUNC;
  if (fdflags & 1) mode |= O_APPEND;
  if (fdflags & 4) mode |= O_NONBLOCK;
  int reads = (rights & 2) != 0;
  int writes = (rights & 0x40) != 0 && !(flags & 2);  // rights are all bits for programs that do not look at them
  int host = openat(host_fd(fd), name, mode | (writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY), 0666);
  if (host < 0 && errno == EISDIR) host = openat(host_fd(fd), name, mode | O_RDONLY);
  if (host < 0) return wasi_errno();
  store32(result, new_fd(host));
  return kSuccess;
}

FUNCTION(path_filestat_get, uint32_t fd, uint32_t lookup, uint32_t path, uint32_t path_size, uint32_t result) {
  UNUSED;
  const char* name = copy_path(path, path_size);
  struct stat s;
  if (name == NULL) return kNotcapable;
  return fstatat(host_fd(fd), name, &s, lookup & 1 ? 0 : AT_SYMLINK_NOFOLLOW) < 0 ? wasi_errno()
                                                                                  : store_stat(result, &s);
}

FUNCTION(path_create_directory, uint32_t fd, uint32_t path, uint32_t path_size) {
  UNUSED;
  const char* name = copy_path(path, path_size);
  return name == NULL ? kNotcapable : status(mkdirat(host_fd(fd), name, 0777));
}

FUNCTION(path_unlink_file, uint32_t fd, uint32_t path, uint32_t path_size) {
  UNUSED;
  const char* name = copy_path(path, path_size);
  return name == NULL ? kNotcapable : status(unlinkat(host_fd(fd), name, 0));
}

FUNCTION(path_remove_directory, uint32_t fd, uint32_t path, uint32_t path_size) {
  UNUSED;
  const char* name = copy_path(path, path_size);
  return name == NULL ? kNotcapable : status(unlinkat(host_fd(fd), name, AT_REMOVEDIR));
}

FUNCTION(path_rename, uint32_t fd, uint32_t path, uint32_t path_size, uint32_t to_fd, uint32_t to, uint32_t to_size) {
  UNUSED;
  const char* from_name = copy_path(path, path_size);
  const char* to_name = copy_path(to, to_size);
  if (from_name == NULL || to_name == NULL) return kNotcapable;
  return status(renameat(host_fd(fd), from_name, host_fd(to_fd), to_name));
}

// Waits for the nearest clock, or for descriptors; files are always ready.
FUNCTION(poll_oneoff, uint32_t in, uint32_t out, uint32_t count, uint32_t result) {
  UNUSED;
  struct pollfd polls[kMaxBuffers];
  uint64_t nearest = UINT64_MAX;
  if (count == 0 || count > kMaxBuffers) return kInval;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t one = in + 48 * i;
    uint8_t tag = *(uint8_t*)at(one + 8, 1);
    polls[i] = (struct pollfd){.fd = -1};
    if (tag == 0) {
      uint64_t wait = load64(one + 24);
      if (load32(one + 40) & 1) {  // an absolute time
        struct timespec t;
        clock_gettime(host_clock(load32(one + 16)), &t);
        uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
        wait = wait > now ? wait - now : 0;
      }
      if (wait < nearest) nearest = wait;
    } else {
      polls[i] = (struct pollfd){.fd = host_fd(load32(one + 16)), .events = tag == 1 ? POLLIN : POLLOUT};
    }
  }
  struct timespec wait = {(time_t)(nearest / 1000000000u), (long)(nearest % 1000000000u)};
  int ready = ppoll(polls, count, nearest == UINT64_MAX ? NULL : &wait, NULL);
  if (ready < 0) return wasi_errno();
  uint32_t events = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint8_t tag = *(uint8_t*)at(in + 48 * i + 8, 1);
    if (ready > 0 ? polls[i].revents == 0 : tag != 0) continue;
    uint32_t event = out + 32 * events++;
    memset(at(event, 32), 0, 32);
    store64(event, load64(in + 48 * i));
    store8(event + 10, tag);
    if (tag != 0) store64(event + 16, 1);
  }
  store32(result, events);
  return kSuccess;
}

// What benchmarks import through their C library and do not call.
#define REFUSED(name, ...) \
  FUNCTION(name, __VA_ARGS__) { return kNosys; }
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-parameter"
REFUSED(fd_advise, uint32_t fd, uint64_t offset, uint64_t size, uint32_t advice)
REFUSED(fd_allocate, uint32_t fd, uint64_t offset, uint64_t size)
REFUSED(fd_fdstat_set_rights, uint32_t fd, uint64_t base, uint64_t inheriting)
REFUSED(fd_filestat_set_times, uint32_t fd, uint64_t access, uint64_t modify, uint32_t flags)
REFUSED(fd_renumber, uint32_t fd, uint32_t to)
REFUSED(path_filestat_set_times, uint32_t fd, uint32_t lookup, uint32_t path, uint32_t size, uint64_t access,
        uint64_t modify, uint32_t flags)
REFUSED(path_link, uint32_t fd, uint32_t lookup, uint32_t path, uint32_t size, uint32_t to_fd, uint32_t to,
        uint32_t to_size)
REFUSED(path_readlink, uint32_t fd, uint32_t path, uint32_t size, uint32_t buffer, uint32_t buffer_size,
        uint32_t result)
REFUSED(path_symlink, uint32_t target, uint32_t target_size, uint32_t fd, uint32_t path, uint32_t size)
REFUSED(proc_raise, uint32_t signal)
REFUSED(sock_accept, uint32_t fd, uint32_t flags, uint32_t result)
REFUSED(sock_recv, uint32_t fd, uint32_t list, uint32_t count, uint32_t flags, uint32_t result, uint32_t out_flags)
REFUSED(sock_send, uint32_t fd, uint32_t list, uint32_t count, uint32_t flags, uint32_t result)
REFUSED(sock_shutdown, uint32_t fd, uint32_t how)
#pragma clang diagnostic pop

void BENCH_NAME(start)(BENCH_INSTANCE self) {
  UNUSED;
  watch_start();
}
void BENCH_NAME(end)(BENCH_INSTANCE self) {
  UNUSED;
  watch_end();
}

int main(int argc, char** argv) {
  options = parse_options(argc, argv);
  for (int i = 0; i < kMaxFds; i++) fds[i].host = i < 3 ? i : -1;
  for (int i = 0; i < options.dirs; i++) {
    int host = open(options.hosts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0) fail(options.hosts[i], "cannot be opened");
    fds[new_fd(host)].preopen = options.guests[i];
  }
  report_begin();
  wasm_rt_init();
  wasm_rt_trap_t trap = (wasm_rt_trap_t)wasm_rt_impl_try();
  if (trap != WASM_RT_TRAP_NONE) fail("trap", wasm_rt_strerror(trap));
  // NO_IMPORTS is a NULL for each module it imports from: the functions above have no state of their own.
  MODULE_INSTANTIATE(&module NO_IMPORTS);
  report_lap("instantiate_ns");
  if (options.loads) {
    report_write(options.report);
    return 0;
  }
  MODULE_START(&module);
  finish(0);
}
