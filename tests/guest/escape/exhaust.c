// Arguments made to exhaust the host: each gives an errno, and afterwards everything works as before. The host allows
// this process 1000 descriptors. 4 is the host's /dev. CVE-2026-27572, CVE-2026-27204 (Wasmtime): things without end.
#include <stdlib.h>

#include "escape.h"

enum { kMany = 1 << 20, kManyBuffers = 1 << 16 };

static void clock_subscription(__wasi_subscription_t* subscription, uint64_t timeout) {
  memset(subscription, 0, sizeof *subscription);
  subscription->u.tag = __WASI_EVENTTYPE_CLOCK;
  subscription->u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
  subscription->u.u.clock.timeout = timeout;
}

static void subscriptions(void) {
  __wasi_subscription_t* list = malloc(kMany * sizeof *list);
  __wasi_event_t* events = malloc(kMany * sizeof *events);
  if (list == NULL || events == NULL) exit(2);
  uint32_t count = 0;
  for (int i = 0; i < kMany; ++i) clock_subscription(&list[i], 0);
  EXPECT(INVAL, sys_poll_oneoff(list, events, kMany, &count));
  EXPECT(INVAL, sys_poll_oneoff(list, events, 0, &count));
  EXPECT(OK, sys_poll_oneoff(list, events, 10000, &count));
  REQUIRE(count == 10000);
  // Descriptors, open or not, beside a clock that ends it: more than the host lets a process poll at once.
  for (int i = 1; i < 10000; ++i) {
    list[i].u.tag = i % 2 == 0 ? __WASI_EVENTTYPE_FD_READ : __WASI_EVENTTYPE_FD_WRITE;
    list[i].u.u.fd_read.file_descriptor = (Fd)(i % 7);
  }
  EXPECT(OK, sys_poll_oneoff(list, events, 10000, &count));
  // Sleeps of no length.
  for (int i = 0; i < 100000; ++i) {
    if (sys_poll_oneoff(list, events, 1, &count) != OK || count != 1) EXPECT(OK, 1);
  }
  free(list);
  free(events);
}

static void buffers(void) {
  __wasi_iovec_t* list = malloc(kMany * sizeof *list);
  static uint8_t byte[1];
  if (list == NULL) exit(2);
  for (int i = 0; i < kMany; ++i) list[i] = (__wasi_iovec_t){byte, 1};
  Fd null = 0;
  Fd file = 0;
  uint32_t count = 0;
  EXPECT(OK, open_fd(4, "null", 0, 0, kWrite, &null));
  EXPECT(INVAL, sys_fd_write(null, list, kMany, &count));
  EXPECT(OK, sys_fd_write(null, list, kManyBuffers, &count));
  REQUIRE(count > 0 && count <= kManyBuffers);
  EXPECT(OK, open_fd(kRoot, "file", 0, 0, kRead, &file));
  EXPECT(INVAL, sys_fd_read(file, list, kMany, &count));
  EXPECT(OK, sys_fd_read(file, list, kManyBuffers, &count));
  REQUIRE(count == 4);
  for (int i = 0; i < kMany; ++i) list[i].buf_len = 0;
  EXPECT(INVAL, sys_fd_write(null, list, kMany, &count));
  EXPECT(OK, sys_fd_write(null, list, kManyBuffers, &count));
  REQUIRE(count == 0);
  sys_fd_close(null);
  sys_fd_close(file);
  free(list);
}

static void descriptors(void) {
  Fd last = 0;
  int opened = 0;
  uint32_t error = OK;
  while (opened < 1000000 && (error = open_fd(kRoot, "folder/inner", 0, 0, kRead, &last)) == OK) ++opened;
  EXPECT(MFILE, error);
  REQUIRE(opened > 900);
  // A walk needs one more for the way there, which can still be had.
  while (open_fd(kRoot, "file", 0, 0, kRead, &last) == OK) {
  }
  --last;
  EXPECT(MFILE, open_path(kRoot, "unused", 0, kCreate, kWrite));
  EXPECT(MFILE, open_path(kRoot, "file", 0, kTruncate, kWrite));
  for (int i = 0; i < 1000; ++i) (void)open_path(kRoot, "folder/deep/../../folder/deep/file", kFollow, 0, kRead);
  // One closed is one that can be had again.
  EXPECT(OK, sys_fd_close(last));
  EXPECT(NOENT, open_path(kRoot, "unused", 0, 0, kRead));
  REQUIRE(strcmp(content(kRoot, "file"), "file") == 0);
  for (Fd fd = 5; fd <= last; ++fd) (void)sys_fd_close(fd);
}

static void sizes(void) {
  Fd file = 0;
  uint32_t count = 0;
  uint64_t position = 0;
  const __wasi_ciovec_t text = {(const uint8_t*)"x", 1};
  EXPECT(OK, open_fd(kRoot, "big", 0, kCreate, kAllRights, &file));
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_allocate(file, 0, UINT64_MAX));
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_allocate(file, UINT64_MAX, UINT64_MAX));
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_filestat_set_size(file, UINT64_MAX));
  EXPECT_EITHER(__WASI_ERRNO_FBIG, INVAL, sys_fd_filestat_set_size(file, INT64_MAX));
  EXPECT(INVAL, sys_fd_pwrite(file, &text, 1, UINT64_MAX, &count));
  EXPECT_EITHER(__WASI_ERRNO_FBIG, INVAL, sys_fd_pwrite(file, &text, 1, INT64_MAX, &count));
  EXPECT(INVAL, sys_fd_seek(file, -1, __WASI_WHENCE_SET, &position));
  EXPECT(INVAL, sys_fd_seek(file, INT64_MIN, __WASI_WHENCE_CUR, &position));
  EXPECT(INVAL, sys_fd_advise(file, UINT64_MAX, 1, 0));
  // Past what the host lets a file grow to (ulimit -f): an error, not a signal that ends the host.
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_pwrite(file, &text, 1, UINT64_C(1) << 32, &count));
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_filestat_set_size(file, UINT64_C(1) << 32));
  EXPECT(__WASI_ERRNO_FBIG, sys_fd_allocate(file, UINT64_C(1) << 32, 1));
  EXPECT(OK, unlink_path(kRoot, "big"));
}

int main(void) {
  subscriptions();
  buffers();
  descriptors();
  sizes();
  // Names without end in one directory.
  char name[16];
  for (int i = 0; i < 3000; ++i) {
    snprintf(name, sizeof name, "n%d", i);
    if (open_path(kRoot, name, 0, kCreate, kWrite) != OK || unlink_path(kRoot, name) != OK) EXPECT(OK, 1);
  }
  UNTOUCHED(kRoot);
  return finish();
}
