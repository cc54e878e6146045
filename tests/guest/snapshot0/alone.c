// A program of 2019: nothing of it knows preview 1, and there is no C library. Exits with the line of what is wrong.
#include "unstable.h"

#define CHECK(condition) \
  if (!(condition)) old_proc_exit(__LINE__ % 256)

static void print(const char *text) {
  struct old_iovec iov = {text, 0};
  while (text[iov.size] != '\0') ++iov.size;
  size_t written;
  CHECK(old_fd_write(1, &iov, 1, &written) == 0 && written == iov.size);
}

static void print_number(uint64_t number) {
  char digits[24];
  char *at = digits + sizeof(digits);
  *--at = '\0';
  *--at = '\n';
  do *--at = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  print(at);
}

static void files(void) {
  uint32_t fd;
  CHECK(old_path_open(3, 0, "file", 4, OLD_CREAT | OLD_TRUNC, OLD_READ_WRITE, OLD_READ_WRITE, 0, &fd) == 0);
  size_t count;
  struct old_iovec out = {"0123456789", 10};
  CHECK(old_fd_write(fd, &out, 1, &count) == 0 && count == 10);

  uint64_t position;
  CHECK(old_fd_seek(fd, 4, OLD_SET, &position) == 0 && position == 4);
  CHECK(old_fd_seek(fd, 3, OLD_CUR, &position) == 0 && position == 7);
  CHECK(old_fd_seek(fd, -1, OLD_END, &position) == 0 && position == 9);
  CHECK(old_fd_seek(fd, 0, 3, &position) == 28 /* EINVAL */);
  char buffer[8] = "";
  struct old_iovec in = {buffer, sizeof(buffer)};
  CHECK(old_fd_read(fd, &in, 1, &count) == 0 && count == 1 && buffer[0] == '9');

  CHECK(old_path_link(3, 0, "file", 4, 3, "other", 5) == 0);
  // What stands behind the 56 bytes is not the host's to write.
  struct {
    struct old_filestat stat;
    uint64_t guard;
  } found = {.guard = UINT64_C(0x1234567890abcdef)};
  CHECK(old_fd_filestat_get(fd, &found.stat) == 0);
  CHECK(found.guard == UINT64_C(0x1234567890abcdef));
  CHECK(found.stat.type == OLD_REGULAR_FILE && found.stat.nlink == 2 && found.stat.size == 10);
  CHECK(found.stat.mtim > UINT64_C(1500000000) * 1000000000);
  struct old_filestat other;
  CHECK(old_path_filestat_get(3, 0, "other", 5, &other) == 0);
  CHECK(other.ino == found.stat.ino && other.dev == found.stat.dev && other.mtim == found.stat.mtim);
  CHECK(old_fd_close(fd) == 0);
  print_number(other.size);
}

static void waiting(void) {
  uint64_t before, after;
  CHECK(old_clock_time_get(1, 1, &before) == 0);
  static const struct old_subscription in[2] = {
      {.userdata = 7, .type = OLD_CLOCK, .clock = {.identifier = 99, .clock = 1, .timeout = 20000000}},
      {.userdata = 8, .type = OLD_FD_READ, .fd = {.fd = 77}},
  };
  struct old_event out[2];
  size_t count;
  CHECK(old_poll_oneoff(in, out, 1, &count) == 0 && count == 1);
  CHECK(out[0].userdata == 7 && out[0].type == OLD_CLOCK && out[0].error == 0);
  CHECK(old_clock_time_get(1, 1, &after) == 0 && after - before >= 20000000);
  CHECK(old_poll_oneoff(in, out, 2, &count) == 0 && count == 1);
  CHECK(out[0].userdata == 8 && out[0].type == OLD_FD_READ && out[0].error == 8 /* EBADF */);
}

__attribute__((export_name("_start"))) void start(void) {
  size_t count, size;
  CHECK(old_args_sizes_get(&count, &size) == 0 && count == 2);
  char *argv[3];
  char bytes[256];
  CHECK(size <= sizeof(bytes) && old_args_get(argv, bytes) == 0);
  print(argv[1]);
  print("\n");
  files();
  waiting();
  old_proc_exit(3);
}
