// Behaviours that Wasmtime's own preview1 programs (p1_*) look at and the official suite does not, by their names there.
#include <stdlib.h>

#include "escape.h"

IMPORT(fd_tell, Fd fd, Place position);
IMPORT(fd_fdstat_set_flags, Fd fd, uint32_t flags);
IMPORT(sched_yield);

static Fd open_ok(const char* path, uint32_t oflags, uint64_t rights) {
  Fd fd = 0;
  EXPECT(OK, open_fd(kRoot, path, 0, oflags, rights, &fd));
  return fd;
}

// As many as the table holds numbers, one after the other: numbers are used again.
static void path_open_lots(void) {
  const Fd first = open_ok("file", 0, kRead);
  sys_fd_close(first);
  for (int i = 0; i < 70000; ++i) {
    Fd fd = 0;
    if (open_fd(kRoot, "file", 0, 0, kRead, &fd) != OK || fd != first || sys_fd_close(fd) != OK) {
      EXPECT(OK, 1);
      return;
    }
  }
}

// A descriptor to read with cannot change the file's size, nor can one be had beneath what is only read.
static void file_truncation_readonly(void) {
  const Fd fd = open_ok("file", 0, kRead | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE);
  EXPECT_EITHER(INVAL, NOTCAPABLE, sys_fd_filestat_set_size(fd, 1));
  sys_fd_close(fd);
  EXPECT_EITHER(ROFS, NOTCAPABLE, open_path(4, "other", 0, kTruncate, kRead));
  EXPECT_EITHER(ROFS, NOTCAPABLE, open_path(4, "other", 0, kTruncate, kWrite));
  REQUIRE(strcmp(content(4, "other"), "other") == 0);
}

static void file_write(void) {
  const Fd fd = open_ok("written", kCreate | kExclusive, kAllRights);
  uint32_t count = 0;
  uint64_t position = 0;
  // What is skipped reads as zeros.
  EXPECT(OK, sys_fd_seek(fd, 10, __WASI_WHENCE_SET, &position));
  EXPECT(OK, write_text(fd, "end"));
  EXPECT(OK, sys_fd_tell(fd, &position));
  REQUIRE(position == 13);
  uint8_t bytes[32] = {1};
  const __wasi_iovec_t iov = {bytes, sizeof bytes};
  EXPECT(OK, sys_fd_pread(fd, &iov, 1, 0, &count));
  REQUIRE(count == 13 && bytes[0] == 0 && bytes[9] == 0 && memcmp(bytes + 10, "end", 3) == 0);
  // At the end and past it there is nothing, which is no error.
  EXPECT(OK, sys_fd_pread(fd, &iov, 1, 13, &count));
  REQUIRE(count == 0);
  EXPECT(OK, sys_fd_pread(fd, &iov, 1, 1000, &count));
  REQUIRE(count == 0);
  // With append, writes go to the end wherever the position is, and leave it there.
  EXPECT(OK, sys_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
  EXPECT(OK, sys_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  EXPECT(OK, write_text(fd, "+"));
  EXPECT(OK, sys_fd_tell(fd, &position));
  REQUIRE(position == 14);
  EXPECT(OK, sys_fd_fdstat_set_flags(fd, 0));
  EXPECT(OK, sys_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  EXPECT(OK, write_text(fd, "begin"));
  EXPECT(OK, sys_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  EXPECT(OK, sys_fd_read(fd, &iov, 1, &count));
  REQUIRE(count == 14 && memcmp(bytes, "begin", 5) == 0 && memcmp(bytes + 10, "end+", 4) == 0);
  sys_fd_close(fd);
  EXPECT(OK, unlink_path(kRoot, "written"));
}

// Files are always ready, to read and to write.
static void poll_oneoff_files(void) {
  const Fd fd = open_ok("polled", kCreate, kAllRights);
  EXPECT(OK, write_text(fd, "12345"));
  uint64_t position = 0;
  EXPECT(OK, sys_fd_seek(fd, 1, __WASI_WHENCE_SET, &position));
  __wasi_subscription_t list[4];
  __wasi_event_t events[4];
  uint32_t count = 0;
  memset(list, 0, sizeof list);
  for (int i = 0; i < 4; ++i) list[i].userdata = (uint64_t)i + 1;
  list[0].u.tag = __WASI_EVENTTYPE_FD_READ;
  list[0].u.u.fd_read.file_descriptor = fd;
  list[1].u.tag = __WASI_EVENTTYPE_FD_WRITE;
  list[1].u.u.fd_write.file_descriptor = fd;
  list[2].u.tag = __WASI_EVENTTYPE_CLOCK;
  list[2].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  list[2].u.u.clock.timeout = UINT64_MAX;
  list[3].u.tag = __WASI_EVENTTYPE_FD_READ;
  list[3].u.u.fd_read.file_descriptor = 99;
  EXPECT(OK, sys_poll_oneoff(list, events, 4, &count));
  REQUIRE(count == 3);
  for (uint32_t i = 0; i < count; ++i) {
    if (events[i].userdata == 1) REQUIRE(events[i].error == OK && events[i].fd_readwrite.nbytes == 4);
    if (events[i].userdata == 2) REQUIRE(events[i].error == OK);
    REQUIRE(events[i].userdata != 3);
    if (events[i].userdata == 4) REQUIRE(events[i].error == BADF);
  }
  sys_fd_close(fd);
  EXPECT(OK, unlink_path(kRoot, "polled"));
}

// A file is no terminal, whatever descriptor it has.
static void regular_file_isatty(void) {
  const Fd fd = open_ok("file", 0, kRead);
  __wasi_fdstat_t stat;
  EXPECT(OK, sys_fd_fdstat_get(fd, &stat));
  REQUIRE(stat.fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
  EXPECT(OK, sys_fd_renumber(fd, 2));
  EXPECT(OK, sys_fd_fdstat_get(2, &stat));
  REQUIRE(stat.fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
}

// What is opened below what is no directory, or with rights of another kind, is an error or has what there is.
static void path_open_dirfd_not_dir(void) {
  const Fd file = open_ok("file", 0, kAllRights);
  EXPECT(NOTDIR, open_path(file, "file", 0, 0, kRead));
  EXPECT(NOTDIR, open_path(file, ".", 0, 0, kRead));
  EXPECT(NOTDIR, exists(file, "x", 0));
  sys_fd_close(file);
  EXPECT(NOTDIR, open_path(kRoot, "file", 0, kDirectory, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "file/x", 0, 0, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "file/", 0, 0, kRead));
}

// A descriptor lives on when its name does not.
static void file_unlinked(void) {
  const Fd fd = open_ok("short_lived", kCreate, kAllRights);
  __wasi_filestat_t stat;
  uint64_t position = 0;
  EXPECT(OK, write_text(fd, "still here"));
  EXPECT(OK, unlink_path(kRoot, "short_lived"));
  EXPECT(OK, sys_fd_filestat_get(fd, &stat));
  REQUIRE(stat.nlink == 0 && stat.size == 10);
  EXPECT(OK, sys_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  REQUIRE(strcmp(read_text(fd), "still here") == 0);
  sys_fd_close(fd);
  EXPECT(NOENT, open_path(kRoot, "short_lived", 0, 0, kRead));
}

// The directory that one is listing is removed, with what is in it.
static void dangling_directory(void) {
  EXPECT(OK, make_directory(kRoot, "dangling"));
  const Fd fd = open_ok("dangling", kDirectory, kAllRights & ~kWrite);
  EXPECT(OK, remove_directory(kRoot, "dangling"));
  char entries[256];
  uint32_t used = 1;
  EXPECT(OK, sys_fd_readdir(fd, entries, sizeof entries, 0, &used));
  REQUIRE(used == 0);
  EXPECT(NOENT, open_path(fd, "x", 0, kCreate, kWrite));
  EXPECT(NOENT, make_directory(fd, "x"));
  EXPECT(NOTCAPABLE, open_path(fd, "..", 0, kDirectory, kRead));
  sys_fd_close(fd);
}

static void unicode_output(void) {
  EXPECT(OK, write_text(1, "Hello, \xc4\x88\xe1\xb9\xb3\xf0\x9f\xa6\x80!\n"));
  EXPECT(OK, write_text(1, "not UTF-8: \xff\xfe\n"));
}

int main(void) {
  path_open_lots();
  file_truncation_readonly();
  file_write();
  poll_oneoff_files();
  path_open_dirfd_not_dir();
  file_unlinked();
  dangling_directory();
  unicode_output();
  EXPECT(OK, sys_sched_yield());
  UNTOUCHED(kRoot);
  regular_file_isatty();
  return finish();
}
