// A guest that has used up all descriptors of the process still sleeps, waits, gives errors, and ends in order: argv[1]
// says how.
#include <stdlib.h>

#include "escape.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Fd fd = 0;
  int opened = 0;
  while (opened < 100000 && open_fd(kRoot, "file", 0, 0, kRead, &fd) == OK) ++opened;
  REQUIRE(opened > 10 && opened < 1000);
  EXPECT(MFILE, open_path(kRoot, "file", 0, 0, kRead));
  EXPECT(MFILE, open_path(kRoot, "unused", 0, kCreate, kWrite));
  // What is open still works.
  REQUIRE(strcmp(read_text(fd), "file") == 0);
  EXPECT(OK, exists(kRoot, "file", 0));
  uint64_t time = 0;
  EXPECT(OK, sys_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &time));
  uint8_t bytes[16];
  EXPECT(OK, sys_random_get(bytes, sizeof bytes));
  // Waiting may take descriptors of the host's: it is an error then, not a hang and not a crash.
  __wasi_subscription_t subscription = {0};
  __wasi_event_t event;
  uint32_t count = 0;
  subscription.u.tag = __WASI_EVENTTYPE_CLOCK;
  subscription.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  subscription.u.u.clock.timeout = 1000000;
  EXPECT_EITHER(OK, MFILE, sys_poll_oneoff(&subscription, &event, 1, &count));
  for (Fd last = fd; last + 16 > fd; --last) EXPECT(OK, sys_fd_close(last));
  EXPECT(OK, sys_poll_oneoff(&subscription, &event, 1, &count));
  REQUIRE(strcmp(content(kRoot, "file"), "file") == 0);
  while (open_fd(kRoot, "file", 0, 0, kRead, &fd) == OK) {
  }
  if (finish() != 0) return 1;
  if (strcmp(argv[1], "trap") == 0) __builtin_trap();
  return 0;
}
