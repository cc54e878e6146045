// CVE-2023-51661, wasmer#4267: a program that was given no directory could see the current one.
#include "escape.h"

int main(void) {
  char name[16];
  __wasi_prestat_t prestat;
  for (Fd fd = 0; fd < 70000; fd = fd < 64 ? fd + 1 : fd * 3) {
    const uint32_t error = fd < 3 ? NOTDIR : BADF;
    REFUSED_BY_ALL(fd, ".", error);
    REFUSED_BY_ALL(fd, "file", error);
    REFUSED_BY_ALL(fd, "/etc/passwd", error);
    EXPECT(BADF, sys_fd_prestat_get(fd, &prestat));
    EXPECT(BADF, sys_fd_prestat_dir_name(fd, name, sizeof name));
  }
  REFUSED_BY_ALL(0xffffffff, "file", BADF);
  REFUSED_BY_ALL((Fd)-100, "file", BADF);  // the host's AT_FDCWD
  return finish();
}
