// race_host ROOT: moves directories of a guest's back and forth until it is killed, or its parent is. See race.c.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  puts("ready");
  fflush(stdout);
  while (1) {
    if (renameat2(AT_FDCWD, "flip", AT_FDCWD, "flip_link", RENAME_EXCHANGE) != 0) return 1;
    if (rename("a/b/c", "c") != 0) return 1;
    if (rename("c", "a/b/c") != 0) return 1;
  }
}
