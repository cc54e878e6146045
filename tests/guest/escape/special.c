// Devices, FIFOs and sockets in a directory: opening never waits, and there is no way to talk to a socket by its name.
// 3 is the directory, 4 the host's /dev.
#include "escape.h"

static __wasi_filetype_t type_of(Fd dir, const char* path) {
  __wasi_filestat_t stat;
  return EXPECT(OK, stat_path(dir, path, 0, &stat)) == OK ? stat.filetype : 255;
}

int main(void) {
  Fd fd = 0;
  Fd writer = 0;
  uint64_t position;
  // Nobody is at the FIFO's other end.
  EXPECT(NXIO, open_path(kRoot, "fifo", 0, 0, kWrite));
  EXPECT(NXIO, open_path(kRoot, "fifo", 0, kCreate, kWrite));
  EXPECT(EXIST, open_path(kRoot, "fifo", 0, kCreate | kExclusive, kWrite));
  EXPECT(NOTDIR, open_path(kRoot, "fifo", 0, kDirectory, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "fifo/", 0, 0, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "fifo/x", 0, 0, kRead));
  EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kAllRights & ~kWrite, &fd));
  REQUIRE(strcmp(read_text(fd), "") == 0);
  EXPECT(SPIPE, sys_fd_seek(fd, 0, __WASI_WHENCE_SET, &position));
  EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kWrite, &writer));
  EXPECT(OK, write_text(writer, "through"));
  REQUIRE(strcmp(read_text(fd), "through") == 0);
  EXPECT(OK, open_fd(kRoot, "to_fifo", kFollow, 0, kRead | kWrite, &fd));
  REQUIRE(type_of(kRoot, "fifo") == __WASI_FILETYPE_UNKNOWN);

  EXPECT(NXIO, open_path(kRoot, "socket", 0, 0, kRead));
  EXPECT(NXIO, open_path(kRoot, "socket", 0, 0, kRead | kWrite));
  EXPECT(NOTDIR, open_path(kRoot, "socket/x", 0, 0, kRead));
  REQUIRE(type_of(kRoot, "socket") == __WASI_FILETYPE_SOCKET_STREAM);

  // Devices are used as what they are, and are no files.
  EXPECT(OK, open_fd(4, "null", 0, 0, kRead | kWrite, &fd));
  REQUIRE(strcmp(read_text(fd), "") == 0);
  EXPECT(OK, write_text(fd, "swallowed"));
  EXPECT(NOTCAPABLE, sys_fd_filestat_set_times(fd, 0, 0, __WASI_FSTFLAGS_MTIM));
  EXPECT(OK, open_fd(4, "full", 0, 0, kRead | kWrite, &fd));
  EXPECT(NOSPC, write_text(fd, "no room"));
  EXPECT(OK, open_fd(4, "zero", 0, 0, kRead, &fd));
  REQUIRE(strcmp(read_text(fd), "") == 0);  // 255 zeros
  EXPECT(BADF, write_text(fd, "x"));
  EXPECT(NOTDIR, open_path(4, "null/..", 0, 0, kRead));
  REQUIRE(type_of(4, "null") == __WASI_FILETYPE_CHARACTER_DEVICE);
  return finish();
}
