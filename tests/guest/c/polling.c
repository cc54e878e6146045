// poll and select on stdin and stdout, with and without a time limit.
#include <poll.h>
#include <stdio.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void) {
  struct pollfd both[2] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
  int ready = poll(both, 2, 2000);
  printf("ready %d, stdout writable %d\n", ready > 0, (both[1].revents & POLLOUT) != 0);
  // What stands on stdin was written before the program started.
  struct pollfd in = {0, POLLIN, 0};
  printf("stdin %d readable %d\n", poll(&in, 1, 2000), (in.revents & POLLIN) != 0);
  char line[16];
  long got = read(0, line, sizeof line);
  printf("read %ld [%.*s]\n", got, got > 0 ? (int)got - 1 : 0, line);
  double before = now();
  printf("only time %d, long enough %d\n", poll(NULL, 0, 30), now() - before >= 0.0295);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(1, &set);
  struct timeval limit = {1, 0};
  printf("select %d\n", select(2, NULL, &set, NULL, &limit));
  return 0;
}
