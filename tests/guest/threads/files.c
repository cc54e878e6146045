// Threads that open, write, read and close files of one table of descriptors, as fast as they can.
#include "threads.h"

enum { kThreads = 6, kTimes = 200, kDirectory = 3, kCreate = 1 | 8, kReadWrite = 0x42 };

static struct thread threads[kThreads];
static atomic_int mistakes;

static void work(int number) {
  char name[] = "file-0";
  name[5] = (char)('0' + number);
  for (int i = 0; i < kTimes; ++i) {
    uint32_t fd;
    uint32_t moved;
    int value = number * kTimes + i;
    int found = -1;
    const struct iovec out = {&value, sizeof value};
    const struct iovec in = {&found, sizeof found};
    if (path_open(kDirectory, 0, name, sizeof name - 1, kCreate, kReadWrite, 0, 0, &fd) != 0) ++mistakes;
    if (fd_write(fd, &out, 1, &moved) != 0 || moved != sizeof value) ++mistakes;
    if (fd_close(fd) != 0) ++mistakes;
    if (path_open(kDirectory, 0, name, sizeof name - 1, 0, kReadWrite, 0, 0, &fd) != 0) ++mistakes;
    if (fd_read(fd, &in, 1, &moved) != 0 || moved != sizeof found || found != value) ++mistakes;
    if (fd_close(fd) != 0) ++mistakes;
  }
}

void _start(void) {
  for (int i = 0; i < kThreads; ++i) {
    if (start(&threads[i], work, i) <= 0) proc_exit(1);
  }
  for (int i = 0; i < kThreads; ++i) join(&threads[i]);
  print("mistakes ", mistakes);
}
