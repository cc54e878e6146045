// What the escape tests share: preview1's functions as they are imported, without wasi-libc in between, and checks.
//
// A guest that is not refused where it should be says where; main() ends with finish().
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

#define IMPORT(name, ...) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) uint32_t sys_##name(__VA_ARGS__)

typedef uint32_t Fd;
typedef const void* Place;  // an address in the guest's memory

IMPORT(args_get, Place argv, Place strings);
IMPORT(args_sizes_get, Place count, Place size);
IMPORT(clock_time_get, uint32_t clock, uint64_t precision, Place time);
IMPORT(environ_get, Place environ, Place strings);
IMPORT(fd_advise, Fd fd, uint64_t offset, uint64_t length, uint32_t advice);
IMPORT(fd_allocate, Fd fd, uint64_t offset, uint64_t length);
IMPORT(fd_close, Fd fd);
IMPORT(fd_fdstat_get, Fd fd, Place stat);
IMPORT(fd_fdstat_set_rights, Fd fd, uint64_t base, uint64_t inheriting);
IMPORT(fd_filestat_get, Fd fd, Place stat);
IMPORT(fd_filestat_set_size, Fd fd, uint64_t size);
IMPORT(fd_filestat_set_times, Fd fd, uint64_t atim, uint64_t mtim, uint32_t flags);
IMPORT(fd_pread, Fd fd, Place iovs, uint32_t count, uint64_t offset, Place nread);
IMPORT(fd_prestat_dir_name, Fd fd, Place name, uint32_t size);
IMPORT(fd_prestat_get, Fd fd, Place stat);
IMPORT(fd_pwrite, Fd fd, Place iovs, uint32_t count, uint64_t offset, Place nwritten);
IMPORT(fd_read, Fd fd, Place iovs, uint32_t count, Place nread);
IMPORT(fd_readdir, Fd fd, Place entries, uint32_t size, uint64_t cookie, Place used);
IMPORT(fd_renumber, Fd fd, Fd to);
IMPORT(fd_seek, Fd fd, int64_t offset, uint32_t whence, Place position);
IMPORT(fd_write, Fd fd, Place iovs, uint32_t count, Place nwritten);
IMPORT(path_create_directory, Fd fd, Place path, uint32_t size);
IMPORT(path_filestat_get, Fd fd, uint32_t flags, Place path, uint32_t size, Place stat);
IMPORT(path_filestat_set_times, Fd fd, uint32_t flags, Place path, uint32_t size, uint64_t atim, uint64_t mtim,
       uint32_t fstflags);
IMPORT(path_link, Fd old_fd, uint32_t flags, Place old_path, uint32_t old_size, Fd fd, Place path, uint32_t size);
IMPORT(path_open, Fd fd, uint32_t dirflags, Place path, uint32_t size, uint32_t oflags, uint64_t base,
       uint64_t inheriting, uint32_t fdflags, Place opened);
IMPORT(path_readlink, Fd fd, Place path, uint32_t size, Place target, uint32_t target_size, Place used);
IMPORT(path_remove_directory, Fd fd, Place path, uint32_t size);
IMPORT(path_rename, Fd old_fd, Place old_path, uint32_t old_size, Fd fd, Place path, uint32_t size);
IMPORT(path_symlink, Place target, uint32_t target_size, Fd fd, Place path, uint32_t size);
IMPORT(path_unlink_file, Fd fd, Place path, uint32_t size);
IMPORT(poll_oneoff, Place subscriptions, Place events, uint32_t count, Place nevents);
IMPORT(random_get, Place bytes, uint32_t size);

enum {
  OK = __WASI_ERRNO_SUCCESS,
  BADF = __WASI_ERRNO_BADF,
  EXIST = __WASI_ERRNO_EXIST,
  FAULT = __WASI_ERRNO_FAULT,
  ILSEQ = __WASI_ERRNO_ILSEQ,
  INVAL = __WASI_ERRNO_INVAL,
  ISDIR = __WASI_ERRNO_ISDIR,
  LOOP = __WASI_ERRNO_LOOP,
  MFILE = __WASI_ERRNO_MFILE,
  NAMETOOLONG = __WASI_ERRNO_NAMETOOLONG,
  NOENT = __WASI_ERRNO_NOENT,
  NOSPC = __WASI_ERRNO_NOSPC,
  NOTCAPABLE = __WASI_ERRNO_NOTCAPABLE,
  NOTDIR = __WASI_ERRNO_NOTDIR,
  NOTEMPTY = __WASI_ERRNO_NOTEMPTY,
  NXIO = __WASI_ERRNO_NXIO,
  PERM = __WASI_ERRNO_PERM,
  ROFS = __WASI_ERRNO_ROFS,
  SPIPE = __WASI_ERRNO_SPIPE,

  kFollow = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW,
  kCreate = __WASI_OFLAGS_CREAT,
  kDirectory = __WASI_OFLAGS_DIRECTORY,
  kExclusive = __WASI_OFLAGS_EXCL,
  kTruncate = __WASI_OFLAGS_TRUNC,

  kRoot = 3,  // the first preopen
};

static const uint64_t kAllRights = UINT64_MAX;
static const uint64_t kRead = __WASI_RIGHTS_FD_READ;
static const uint64_t kWrite = __WASI_RIGHTS_FD_WRITE;

static int checks;
static int failures;

// Two errors are allowed where the two ways of resolving paths, or file systems, tell the same refusal differently.
static uint32_t expect(int line, const char* call, const char* about, uint32_t got, uint32_t expected,
                       uint32_t alternative) {
  ++checks;
  if (got != expected && got != alternative) {
    ++failures;
    printf("line %d: %s [%s]: errno %u, expected %u\n", line, call, about, got, expected);
  }
  return got;
}
#define EXPECT(expected, call) expect(__LINE__, #call, "", (call), (expected), (expected))
#define EXPECT_EITHER(expected, alternative, call) expect(__LINE__, #call, "", (call), (expected), (alternative))
// The same with a path in the message.
#define EXPECT_OF(path, expected, call) expect(line, #call, (path), (call), (expected), (expected))
#define REQUIRE(condition) expect(__LINE__, #condition, "", (condition) ? 0 : 1, 0, 0)

static int finish(void) {
  printf("%d checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}

static uint32_t length(const char* text) { return (uint32_t)strlen(text); }
static int ends_in_slash(const char* path) { return *path != 0 && path[strlen(path) - 1] == '/'; }

// The functions on strings.

static uint32_t open_fd(Fd dir, const char* path, uint32_t lookup, uint32_t oflags, uint64_t rights, Fd* opened) {
  return sys_path_open(dir, lookup, path, length(path), oflags, rights, kAllRights, 0, opened);
}
// Opens and closes again.
static uint32_t open_path(Fd dir, const char* path, uint32_t lookup, uint32_t oflags, uint64_t rights) {
  Fd fd = 0;
  const uint32_t error = open_fd(dir, path, lookup, oflags, rights, &fd);
  if (error == OK) sys_fd_close(fd);
  return error;
}
static uint32_t stat_path(Fd dir, const char* path, uint32_t lookup, __wasi_filestat_t* stat) {
  return sys_path_filestat_get(dir, lookup, path, length(path), stat);
}
static uint32_t exists(Fd dir, const char* path, uint32_t lookup) {
  __wasi_filestat_t stat;
  return stat_path(dir, path, lookup, &stat);
}
static uint32_t set_times(Fd dir, const char* path, uint32_t lookup) {
  return sys_path_filestat_set_times(dir, lookup, path, length(path), 1000000000, 2000000000,
                                     __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM);
}
static uint32_t make_directory(Fd dir, const char* path) { return sys_path_create_directory(dir, path, length(path)); }
static uint32_t remove_directory(Fd dir, const char* path) {
  return sys_path_remove_directory(dir, path, length(path));
}
static uint32_t unlink_path(Fd dir, const char* path) { return sys_path_unlink_file(dir, path, length(path)); }
static uint32_t rename_path(Fd dir, const char* from, Fd to_dir, const char* to) {
  return sys_path_rename(dir, from, length(from), to_dir, to, length(to));
}
static uint32_t link_path(Fd dir, uint32_t lookup, const char* from, Fd to_dir, const char* to) {
  return sys_path_link(dir, lookup, from, length(from), to_dir, to, length(to));
}
static uint32_t symlink_path(const char* target, Fd dir, const char* path) {
  return sys_path_symlink(target, length(target), dir, path, length(path));
}
static uint32_t read_link(Fd dir, const char* path) {
  char target[256];
  uint32_t used;
  return sys_path_readlink(dir, path, length(path), target, sizeof target, &used);
}
static uint32_t write_text(Fd fd, const char* text) {
  const __wasi_ciovec_t iov = {(const uint8_t*)text, length(text)};
  uint32_t count;
  return sys_fd_write(fd, &iov, 1, &count);
}
// The bytes that one read gives, as a string; "errno N" where it fails.
static const char* read_text(Fd fd) {
  static char text[256];
  const __wasi_iovec_t iov = {(uint8_t*)text, sizeof text - 1};
  uint32_t count = 0;
  const uint32_t error = sys_fd_read(fd, &iov, 1, &count);
  if (error == OK) {
    text[count] = 0;
  } else {
    snprintf(text, sizeof text, "errno %u", error);
  }
  return text;
}
// The same of a file that is opened and closed again.
static const char* content(Fd dir, const char* path) {
  Fd fd = 0;
  const uint32_t error = open_fd(dir, path, kFollow, 0, kRead, &fd);
  static char text[32];
  if (error != OK) {
    snprintf(text, sizeof text, "open: errno %u", error);
    return text;
  }
  const char* result = read_text(fd);
  sys_fd_close(fd);
  return result;
}

// Every function on a path whose way leads out of `dir` before its last component is reached, or that is absolute.
// `file` and `folder` are there, `unused` is not; all three are beneath `dir`.
static void refused_by_all_at(int line, Fd dir, const char* path, uint32_t error) {
  // open() creates nothing with a slash behind its name; that is looked at before the way there.
  const uint32_t creating = ends_in_slash(path) && *path != '/' ? ISDIR : error;
  for (uint32_t lookup = 0; lookup <= kFollow; ++lookup) {
    EXPECT_OF(path, error, open_path(dir, path, lookup, 0, kRead));
    EXPECT_OF(path, error, open_path(dir, path, lookup, 0, kRead | kWrite));
    EXPECT_OF(path, error, open_path(dir, path, lookup, kTruncate, kWrite));
    EXPECT_OF(path, error, open_path(dir, path, lookup, kDirectory, kAllRights & ~kWrite));
    EXPECT_OF(path, creating, open_path(dir, path, lookup, kCreate, kWrite));
    EXPECT_OF(path, creating, open_path(dir, path, lookup, kCreate | kExclusive, kWrite));
    EXPECT_OF(path, error, exists(dir, path, lookup));
    EXPECT_OF(path, error, set_times(dir, path, lookup));
    EXPECT_OF(path, error, link_path(dir, lookup, path, dir, "unused"));
  }
  EXPECT_OF(path, error, link_path(dir, 0, "file", dir, path));
  EXPECT_OF(path, error, make_directory(dir, path));
  EXPECT_OF(path, error, remove_directory(dir, path));
  EXPECT_OF(path, error, unlink_path(dir, path));
  EXPECT_OF(path, error, rename_path(dir, path, dir, "unused"));
  EXPECT_OF(path, error, rename_path(dir, "file", dir, path));
  EXPECT_OF(path, error, rename_path(dir, "folder", dir, path));
  EXPECT_OF(path, error, symlink_path("file", dir, path));
  EXPECT_OF(path, error, read_link(dir, path));
}
#define REFUSED_BY_ALL(dir, path, error) refused_by_all_at(__LINE__, dir, path, error)

// What is still there after all that was refused.
static void untouched_at(int line, Fd dir) {
  EXPECT_OF("file", 0, (uint32_t)strcmp(content(dir, "file"), "file"));
  EXPECT_OF("folder", OK, exists(dir, "folder", 0));
  EXPECT_OF("unused", NOENT, exists(dir, "unused", 0));
}
#define UNTOUCHED(dir) untouched_at(__LINE__, dir)
