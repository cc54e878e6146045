// Files whose times are before 1970 or far away: attributes are told nevertheless, and listings work.
#include "escape.h"

int main(void) {
  __wasi_filestat_t stat;
  Fd fd = 0;
  EXPECT(OK, stat_path(kRoot, "before", 0, &stat));
  REQUIRE(stat.mtim == 0);
  EXPECT(OK, stat_path(kRoot, "far", 0, &stat));
  REQUIRE(stat.mtim > UINT64_C(5000000000) * 1000000000);  // 2128
  EXPECT(OK, open_fd(kRoot, "before", 0, 0, kAllRights, &fd));
  EXPECT(OK, sys_fd_filestat_get(fd, &stat));
  REQUIRE(stat.mtim == 0);
  EXPECT_EITHER(OK, INVAL, sys_fd_filestat_set_times(fd, UINT64_MAX, UINT64_MAX, 5));
  EXPECT(INVAL, sys_fd_filestat_set_times(fd, 0, 0, 3));
  EXPECT(OK, sys_fd_filestat_get(fd, &stat));
  return finish();
}
