// Rights that a program has given up stay away: what is opened has no more than its directory hands on, and nothing
// brings them back.
#include "escape.h"

static uint64_t base_of(Fd fd) {
  __wasi_fdstat_t stat;
  if (EXPECT(OK, sys_fd_fdstat_get(fd, &stat)) != OK) return 0;
  return stat.fs_rights_base;
}
static uint64_t inheriting_of(Fd fd) {
  __wasi_fdstat_t stat;
  if (EXPECT(OK, sys_fd_fdstat_get(fd, &stat)) != OK) return 0;
  return stat.fs_rights_inheriting;
}

int main(void) {
  const uint64_t look = __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR;
  Fd narrow = 0;
  EXPECT(OK, sys_path_open(kRoot, 0, "folder", 6, kDirectory, look, kRead | look, 0, &narrow));
  EXPECT(OK, sys_fd_fdstat_set_rights(narrow, look, kRead | look));
  REQUIRE(base_of(narrow) == look);
  // What a path_open leaves out is no limit, and no way to more than the preopen has.
  Fd quiet = 0;
  EXPECT(OK, sys_path_open(kRoot, 0, "folder", 6, kDirectory, 0, 0, 0, &quiet));
  REQUIRE(base_of(quiet) == 0 && inheriting_of(quiet) == 0);
  EXPECT(OK, exists(quiet, "inner", 0));
  EXPECT(OK, make_directory(quiet, "made"));
  EXPECT(OK, remove_directory(quiet, "made"));
  EXPECT(NOTCAPABLE, exists(quiet, "../../outside", 0));
  EXPECT(NOTCAPABLE, open_path(quiet, "../../outside/planted", 0, kCreate, kWrite));
  EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(quiet, look, 0));
  EXPECT(OK, sys_fd_fdstat_set_rights(quiet, 0, 0));
  EXPECT(NOTCAPABLE, exists(quiet, "inner", 0));
  REQUIRE((inheriting_of(narrow) & ~(kRead | look)) == 0);
  // Everything else is refused.
  EXPECT(NOTCAPABLE, open_path(narrow, "planted", 0, kCreate, kWrite));
  EXPECT(NOTCAPABLE, open_path(narrow, "inner", 0, kTruncate, kWrite));
  EXPECT(NOTCAPABLE, make_directory(narrow, "planted"));
  EXPECT(NOTCAPABLE, remove_directory(narrow, "deep"));
  EXPECT(NOTCAPABLE, unlink_path(narrow, "inner"));
  EXPECT(NOTCAPABLE, rename_path(narrow, "inner", kRoot, "taken"));
  EXPECT(NOTCAPABLE, rename_path(kRoot, "file", narrow, "planted"));
  EXPECT(NOTCAPABLE, link_path(narrow, 0, "inner", kRoot, "taken"));
  EXPECT(NOTCAPABLE, link_path(kRoot, 0, "file", narrow, "planted"));
  EXPECT(NOTCAPABLE, symlink_path("inner", narrow, "planted"));
  EXPECT(NOTCAPABLE, read_link(narrow, "link"));
  EXPECT(NOTCAPABLE, exists(narrow, "inner", 0));
  EXPECT(NOTCAPABLE, set_times(narrow, "inner", 0));
  // Opening with more than the parent gives: the surplus is left out, at every step down.
  Fd file = 0;
  EXPECT(OK, open_fd(narrow, "inner", 0, 0, kAllRights, &file));
  REQUIRE(base_of(file) == kRead);
  REQUIRE(strcmp(read_text(file), "inner") == 0);
  EXPECT(BADF, write_text(file, "changed"));
  EXPECT(BADF, sys_fd_filestat_set_size(file, 0));
  EXPECT(NOTCAPABLE, sys_fd_filestat_set_times(file, 0, 0, __WASI_FSTFLAGS_MTIM));
  Fd deeper = 0;
  EXPECT(OK, sys_path_open(narrow, 0, ".", 1, kDirectory, kAllRights, kAllRights, 0, &deeper));
  REQUIRE((base_of(deeper) & ~look) == 0);
  REQUIRE((inheriting_of(deeper) & ~(kRead | look)) == 0);
  EXPECT(NOTCAPABLE, unlink_path(deeper, "inner"));
  // Widening, bit by bit and all at once, of either set.
  const Fd fds[] = {narrow, deeper, file};
  for (unsigned i = 0; i < sizeof fds / sizeof *fds; ++i) {
    const uint64_t base = base_of(fds[i]);
    const uint64_t inheriting = inheriting_of(fds[i]);
    for (int bit = 0; bit < 30; ++bit) {
      const uint64_t right = UINT64_C(1) << bit;
      EXPECT((base & right) != 0 ? OK : NOTCAPABLE, sys_fd_fdstat_set_rights(fds[i], base | right, inheriting));
      EXPECT((inheriting & right) != 0 ? OK : NOTCAPABLE, sys_fd_fdstat_set_rights(fds[i], base, inheriting | right));
    }
    EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(fds[i], kAllRights, kAllRights));
    REQUIRE(base_of(fds[i]) == base);
    REQUIRE(inheriting_of(fds[i]) == inheriting);
    // Taken away for good.
    EXPECT(OK, sys_fd_fdstat_set_rights(fds[i], 0, 0));
    EXPECT(base == 0 ? OK : NOTCAPABLE, sys_fd_fdstat_set_rights(fds[i], base, 0));
    REQUIRE(base_of(fds[i]) == 0);
  }
  EXPECT(NOTCAPABLE, open_path(narrow, "inner", 0, 0, kRead));
  REQUIRE(strncmp(read_text(file), "errno", 5) == 0);
  // A preopen gives its rights up as well.
  EXPECT(OK, sys_fd_fdstat_set_rights(kRoot, __WASI_RIGHTS_PATH_OPEN, kRead));
  EXPECT(NOTCAPABLE, unlink_path(kRoot, "file"));
  EXPECT(NOTCAPABLE, open_path(kRoot, "planted", 0, kCreate, kRead));
  EXPECT(OK, open_fd(kRoot, "file", 0, 0, kAllRights, &file));
  EXPECT(BADF, write_text(file, "changed"));
  EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(kRoot, kAllRights, kAllRights));
  return finish();
}
