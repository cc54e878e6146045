// measure REPORT COMMAND...: runs a command and writes to REPORT what it cost: seconds, CPU seconds, peak KiB, exit
// code. A program of its own, since the peak memory that the kernel tells of a process begins with that of its parent.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  pid_t child;
  double start = now();
  if (posix_spawnp(&child, argv[2], NULL, NULL, &argv[2], environ) != 0) return 127;
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) != child) return 126;
  double wall = now() - start;
  FILE* report = fopen(argv[1], "w");
  if (report == NULL) return 125;
  fprintf(report, "%.9f %.6f %ld %d\n", wall, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return fclose(report);
}
