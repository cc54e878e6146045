// CVE-2025-58749 (WAMR): what never ends. argv[1] says what to wait for; the host's deadline has to end it.
#include "escape.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (strcmp(argv[1], "clock") == 0) {
    __wasi_subscription_t subscription = {0};
    __wasi_event_t event;
    uint32_t count;
    subscription.u.tag = __WASI_EVENTTYPE_CLOCK;
    subscription.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    subscription.u.u.clock.timeout = UINT64_MAX;
    return (int)sys_poll_oneoff(&subscription, &event, 1, &count);
  }
  if (strcmp(argv[1], "sleeps") == 0) {
    __wasi_subscription_t subscription = {0};
    __wasi_event_t event;
    uint32_t count;
    subscription.u.tag = __WASI_EVENTTYPE_CLOCK;
    subscription.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    while (sys_poll_oneoff(&subscription, &event, 1, &count) == OK) {
    }
    return 1;
  }
  if (strcmp(argv[1], "fifo") == 0) {
    Fd reader = 0;
    Fd writer = 0;
    EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kRead, &reader));
    EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kWrite, &writer));
    (void)read_text(reader);
    return 1;
  }
  if (strcmp(argv[1], "full fifo") == 0) {
    Fd reader = 0;
    Fd writer = 0;
    EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kRead, &reader));
    EXPECT(OK, open_fd(kRoot, "fifo", 0, 0, kWrite, &writer));
    while (write_text(writer, "more and more and more") == OK) {
    }
    return 1;
  }
  return 2;
}
