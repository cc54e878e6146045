// calls CASE COUNT: what calls of the system cost, from WASI and natively by what the host has for the same; prints
// nanoseconds of the processor's time for one call, one piece or one entry. In the current directory, or in the first preopen.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kPiece = 64 << 10, kListing = 32 << 10 };
static _Alignas(4096) char piece[kPiece];  // in both alike: how fast the kernel copies depends on where to

static void fail(const char* what, int error) {
  fprintf(stderr, "%s: error %d\n", what, error);
  exit(1);
}

#ifdef __wasi__
#include <wasi/api.h>

enum { kDirectory = 3 };
static const __wasi_rights_t kAll = UINT64_MAX;

static uint64_t now(void) {
  __wasi_timestamp_t time = 0;
  (void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &time);
  return time;
}
static uint64_t used(void) {
  __wasi_timestamp_t time = 0;
  (void)__wasi_clock_time_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, 0, &time);
  return time;
}
static void ask_flags(void) {
  __wasi_fdstat_t stat;
  if (__wasi_fd_fdstat_get(kDirectory, &stat) != 0) fail("fd_fdstat_get", 0);
}
static void ask_random(void) {
  uint8_t bytes[16];
  if (__wasi_random_get(bytes, sizeof bytes) != 0) fail("random_get", 0);
}
static void yield(void) { (void)__wasi_sched_yield(); }
static __wasi_fd_t open_at(const char* path, __wasi_oflags_t flags, __wasi_rights_t rights) {
  __wasi_fd_t fd = 0;
  const __wasi_errno_t error =
      __wasi_path_open(kDirectory, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, flags, rights, kAll, 0, &fd);
  if (error != 0) fail(path, error);
  return fd;
}
static void open_and_close(const char* path) { (void)__wasi_fd_close(open_at(path, 0, __WASI_RIGHTS_FD_READ)); }
static size_t write_piece(int fd) {
  const __wasi_ciovec_t iov = {(const uint8_t*)piece, kPiece};
  __wasi_size_t moved = 0;
  const __wasi_errno_t error = __wasi_fd_write(fd, &iov, 1, &moved);
  if (error != 0) fail("fd_write", error);
  return moved;
}
static size_t read_piece(int fd) {
  const __wasi_iovec_t iov = {(uint8_t*)piece, kPiece};
  __wasi_size_t moved = 0;
  const __wasi_errno_t error = __wasi_fd_read(fd, &iov, 1, &moved);
  if (error != 0) fail("fd_read", error);
  return moved;
}
static int open_file(int writes) {
  return (int)open_at("big", writes ? __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC : 0,
                      writes ? __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE : __WASI_RIGHTS_FD_READ);
}
static void close_file(int fd) { (void)__wasi_fd_close((__wasi_fd_t)fd); }
static long list(const char* path) {
  static uint8_t entries[kListing];
  const __wasi_fd_t fd = open_at(path, __WASI_OFLAGS_DIRECTORY, kAll & ~__WASI_RIGHTS_FD_WRITE);
  long count = 0;
  uint64_t cookie = 0;
  while (1) {
    __wasi_size_t used = 0;
    const __wasi_errno_t error = __wasi_fd_readdir(fd, entries, kListing, cookie, &used);
    if (error != 0) fail("fd_readdir", error);
    for (size_t at = 0; at + sizeof(__wasi_dirent_t) <= used;) {
      __wasi_dirent_t entry;
      memcpy(&entry, entries + at, sizeof entry);
      at += sizeof entry + entry.d_namlen;
      if (at > used) break;
      cookie = entry.d_next;
      ++count;
    }
    if (used < kListing) break;
  }
  (void)__wasi_fd_close(fd);
  return count;
}
#else
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
static uint64_t used(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
static int directory;
static void ask_flags(void) {
  if (fcntl(directory, F_GETFL) < 0) fail("fcntl", errno);
}
static void ask_random(void) {
  char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) fail("getrandom", errno);
}
static void yield(void) { (void)sched_yield(); }
static void open_and_close(const char* path) {
  const int fd = openat(directory, path, O_RDONLY);
  if (fd < 0) fail(path, errno);
  close(fd);
}
static size_t write_piece(int fd) {
  const ssize_t moved = write(fd, piece, kPiece);
  if (moved < 0) fail("write", errno);
  return (size_t)moved;
}
static size_t read_piece(int fd) {
  const ssize_t moved = read(fd, piece, kPiece);
  if (moved < 0) fail("read", errno);
  return (size_t)moved;
}
static int open_file(int writes) {
  const int fd = openat(directory, "big", writes ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0666);
  if (fd < 0) fail("big", errno);
  return fd;
}
static void close_file(int fd) { close(fd); }
static long list(const char* path) {
  DIR* entries = opendir(path);
  if (entries == NULL) fail(path, errno);
  long count = 0;
  while (readdir(entries) != NULL) ++count;
  closedir(entries);
  return count;
}
#endif

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const char* what = argv[1];
  long count = atol(argv[2]);
#ifndef __wasi__
  directory = open(".", O_RDONLY | O_DIRECTORY);
#endif
  memset(piece, 'x', sizeof piece);
  uint64_t sum = 0;
  const uint64_t start = used();
  if (strcmp(what, "clock") == 0) {
    for (long i = 0; i < count; ++i) sum += now();
  } else if (strcmp(what, "flags") == 0) {
    for (long i = 0; i < count; ++i) ask_flags();
  } else if (strcmp(what, "random") == 0) {
    for (long i = 0; i < count; ++i) ask_random();
  } else if (strcmp(what, "yield") == 0) {
    for (long i = 0; i < count; ++i) yield();
  } else if (strcmp(what, "open") == 0) {
    for (long i = 0; i < count; ++i) open_and_close("one/two/three/file");
  } else if (strcmp(what, "write") == 0 || strcmp(what, "read") == 0) {
    const int writes = what[0] == 'w';
    const int fd = open_file(writes);
    for (long i = 0; i < count; ++i) {
      if ((writes ? write_piece(fd) : read_piece(fd)) != kPiece) fail("a short transfer", 0);
    }
    close_file(fd);
  } else if (strcmp(what, "list") == 0) {
    const long found = list(argv[3]);
    if (found < count) fail("entries are missing", (int)found);
    count = found;
  } else {
    return 2;
  }
  const double elapsed = (double)(used() - start) / (double)count;
  printf("%.3f\n", elapsed);
  return sum == 1;
}
