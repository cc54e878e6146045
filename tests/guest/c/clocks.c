// Clocks move forward, sleeping takes its time, and randomness is not twice the same.
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) != 0) return -1;
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void) {
  double before = now(CLOCK_MONOTONIC);
  int forward = 1;
  double last = before;
  for (int i = 0; i < 1000; i++) {
    double next = now(CLOCK_MONOTONIC);
    forward &= next >= last;
    last = next;
  }
  printf("monotonic %d\n", forward && before > 0);
  struct timespec pause = {0, 20 * 1000 * 1000};
  before = now(CLOCK_MONOTONIC);
  int slept = nanosleep(&pause, NULL);
  printf("nanosleep %d, long enough %d\n", slept, now(CLOCK_MONOTONIC) - before >= 0.0199);
  before = now(CLOCK_MONOTONIC);
  usleep(5000);
  printf("usleep %d\n", now(CLOCK_MONOTONIC) - before >= 0.0049);
  struct timeval day;
  gettimeofday(&day, NULL);
  double apart = now(CLOCK_REALTIME) - (double)time(NULL);
  printf("realtime %d %d\n", apart >= 0 && apart < 2, day.tv_sec > 1700000000);
  struct timespec resolution;
  printf("resolution %d\n",
         clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec > 0);
  struct tm parts;
  time_t fixed = 1000000000;
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&fixed, &parts));
  printf("%s, day %d\n", text, parts.tm_yday);
  unsigned char a[64], b[64];
  printf("entropy %d %d %d\n", getentropy(a, sizeof a), getentropy(b, sizeof b), memcmp(a, b, sizeof a) != 0);
  return 0;
}
