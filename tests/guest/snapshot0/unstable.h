// The functions of wasi_unstable (snapshot 0) that the programs here use, and its structures, as headers of 2019 had them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UNSTABLE(name) __attribute__((import_module("wasi_unstable"), import_name(#name)))

enum { OLD_CUR = 0, OLD_END = 1, OLD_SET = 2 };
enum { OLD_CREAT = 1, OLD_TRUNC = 8 };
enum { OLD_REGULAR_FILE = 4 };
enum { OLD_CLOCK = 0, OLD_FD_READ = 1, OLD_FD_WRITE = 2 };
#define OLD_READ_WRITE UINT64_C(0x602066)  // fd_read, fd_seek, fd_tell, fd_write, fd_filestat_get, fd_filestat_set_size

struct old_iovec {
  const void *data;
  size_t size;
};

struct old_filestat {
  uint64_t dev;
  uint64_t ino;
  uint8_t type;
  uint32_t nlink;
  uint64_t size;
  uint64_t atim, mtim, ctim;
};
_Static_assert(sizeof(struct old_filestat) == 56, "filestat");

struct old_subscription {
  uint64_t userdata;
  uint8_t type;
  union {
    struct {
      uint64_t identifier;
      uint32_t clock;
      uint64_t timeout;
      uint64_t precision;
      uint16_t flags;
    } clock;
    struct {
      uint32_t fd;
    } fd;
  };
};
_Static_assert(sizeof(struct old_subscription) == 56, "subscription");

struct old_event {
  uint64_t userdata;
  uint16_t error;
  uint8_t type;
  uint64_t nbytes;
  uint16_t flags;
};
_Static_assert(sizeof(struct old_event) == 32, "event");

UNSTABLE(args_sizes_get) uint16_t old_args_sizes_get(size_t *count, size_t *size);
UNSTABLE(args_get) uint16_t old_args_get(char **argv, char *bytes);
UNSTABLE(clock_time_get) uint16_t old_clock_time_get(uint32_t clock, uint64_t precision, uint64_t *time);
UNSTABLE(fd_close) uint16_t old_fd_close(uint32_t fd);
UNSTABLE(fd_filestat_get) uint16_t old_fd_filestat_get(uint32_t fd, struct old_filestat *stat);
UNSTABLE(fd_read) uint16_t old_fd_read(uint32_t fd, const struct old_iovec *iovs, size_t count, size_t *nread);
UNSTABLE(fd_seek) uint16_t old_fd_seek(uint32_t fd, int64_t offset, uint8_t whence, uint64_t *position);
UNSTABLE(fd_write) uint16_t old_fd_write(uint32_t fd, const struct old_iovec *iovs, size_t count, size_t *nwritten);
UNSTABLE(path_filestat_get)
uint16_t old_path_filestat_get(uint32_t fd, uint32_t flags, const char *path, size_t size, struct old_filestat *stat);
UNSTABLE(path_link)
uint16_t old_path_link(uint32_t old_fd, uint32_t flags, const char *old_path, size_t old_size, uint32_t new_fd,
                       const char *new_path, size_t new_size);
UNSTABLE(path_open)
uint16_t old_path_open(uint32_t fd, uint32_t dirflags, const char *path, size_t size, uint16_t oflags, uint64_t base,
                       uint64_t inheriting, uint16_t fdflags, uint32_t *opened);
UNSTABLE(poll_oneoff)
uint16_t old_poll_oneoff(const struct old_subscription *in, struct old_event *out, size_t count, size_t *nevents);
UNSTABLE(proc_exit) _Noreturn void old_proc_exit(uint32_t status);
