// Threads that work on the same descriptors: while one reads and writes, others seek, close, renumber, list, change flags
// and rights, and swap directories for links that lead out. Every call ends with a sensible errno, nothing is torn, and
// nothing outside is reached. On the wasi-threads interface alone, see threads/threads.h.
#include "../threads/threads.h"

WASI_IMPORT(fd_seek) uint32_t fd_seek(uint32_t fd, int64_t offset, uint32_t whence, uint64_t* position);
WASI_IMPORT(fd_tell) uint32_t fd_tell(uint32_t fd, uint64_t* position);
WASI_IMPORT(fd_renumber) uint32_t fd_renumber(uint32_t fd, uint32_t to);
WASI_IMPORT(fd_readdir)
uint32_t fd_readdir(uint32_t fd, void* entries, uint32_t size, uint64_t cookie, uint32_t* used);
WASI_IMPORT(fd_fdstat_get) uint32_t fd_fdstat_get(uint32_t fd, void* stat);
WASI_IMPORT(fd_fdstat_set_flags) uint32_t fd_fdstat_set_flags(uint32_t fd, uint32_t flags);
WASI_IMPORT(fd_fdstat_set_rights) uint32_t fd_fdstat_set_rights(uint32_t fd, uint64_t base, uint64_t inheriting);
WASI_IMPORT(fd_filestat_get) uint32_t fd_filestat_get(uint32_t fd, void* stat);
WASI_IMPORT(fd_filestat_set_size) uint32_t fd_filestat_set_size(uint32_t fd, uint64_t size);
WASI_IMPORT(fd_sync) uint32_t fd_sync(uint32_t fd);
WASI_IMPORT(path_rename)
uint32_t path_rename(uint32_t fd, const char* from, uint32_t from_size, uint32_t to_fd, const char* to,
                     uint32_t to_size);

enum { kRoot = 3, kDirectory = 2, kCreate = 1, kAppend = 1, kFollow = 1, kBadf = 8, kNoent = 44, kTimes = 3000 };
static const uint64_t kAll = 0x3fffffff;
static const uint64_t kRead = 2;

static struct thread threads[6];
static atomic_int mistakes;
static atomic_int done;

static uint32_t open_at(const char* path, uint32_t oflags, uint64_t rights, uint32_t fdflags, uint32_t* fd) {
  return path_open(kRoot, kFollow, path, text_size(path), oflags, rights, kAll, fdflags, fd);
}
static void expect(uint32_t error, uint32_t one, uint32_t other) {
  if (error == one || error == other) return;
  if (++mistakes < 5) print("errno ", (int)error);
}

// --- records that several threads append through one descriptor: each arrives whole, once

static uint32_t log_fd;
static void append(int number) {
  char record[64];
  for (unsigned i = 0; i < sizeof record; ++i) record[i] = (char)('a' + number);
  const struct iovec out[] = {{record, 10}, {record, 54}};
  for (int i = 0; i < kTimes; ++i) {
    uint32_t moved = 0;
    expect(fd_write(log_fd, out, 2, &moved), 0, 0);
    if (moved != sizeof record) ++mistakes;
  }
}
static void disturb_log(int number) {
  uint64_t position;
  char stat[64];
  while (!done) {
    (void)fd_seek(log_fd, number, 0, &position);
    (void)fd_tell(log_fd, &position);
    (void)fd_filestat_get(log_fd, stat);
    expect(fd_fdstat_set_flags(log_fd, kAppend), 0, 0);
    expect(fd_fdstat_get(log_fd, stat), 0, 0);
  }
}
static void check_log(int writers) {
  uint32_t fd;
  char record[64];
  int counts[8] = {0};
  uint32_t moved = 0;
  const struct iovec in = {record, sizeof record};
  expect(open_at("log", 0, kRead, 0, &fd), 0, 0);
  while (fd_read(fd, &in, 1, &moved) == 0 && moved == sizeof record) {
    for (unsigned i = 1; i < sizeof record; ++i) mistakes += record[i] != record[0];
    if (record[0] >= 'a' && record[0] < 'a' + 8) ++counts[record[0] - 'a'];
  }
  for (int i = 0; i < writers; ++i) mistakes += counts[i] != kTimes;
  fd_close(fd);
}

// --- numbers that are closed, renumbered and opened again while others use them

static atomic_int shared_fds[4];
static void use(int number) {
  char bytes[32];
  char stat[64];
  uint32_t moved;
  uint64_t position;
  const struct iovec buffer = {bytes, sizeof bytes};
  for (int i = 0; i < kTimes; ++i) {
    const uint32_t fd = (uint32_t)shared_fds[(i + number) % 4];
    uint32_t error = 0;
    switch (i % 9) {
      case 0: error = fd_read(fd, &buffer, 1, &moved); break;
      case 1: error = fd_write(fd, &buffer, 1, &moved); break;
      case 2: error = fd_seek(fd, i, 0, &position); break;
      case 3: error = fd_tell(fd, &position); break;
      case 4: error = fd_filestat_get(fd, stat); break;
      case 5: error = fd_filestat_set_size(fd, (uint64_t)i); break;
      case 6: error = fd_fdstat_set_flags(fd, i % 2 == 0 ? kAppend : 0); break;
      case 7: error = fd_fdstat_get(fd, stat); break;
      default: error = i % 100 == 8 ? fd_sync(fd) : 0; break;
    }
    expect(error, 0, kBadf);
  }
}
static void replace(int number) {
  (void)number;
  for (int i = 0; !done; ++i) {
    uint32_t fd = 0;
    expect(open_at("shared", kCreate, kAll, 0, &fd), 0, 0);
    const int slot = i % 4;
    if (i % 3 == 0) {
      // Over the number that the others use: theirs stays open all the time.
      expect(fd_renumber(fd, (uint32_t)shared_fds[slot]), 0, kBadf);
    } else {
      const int old = atomic_exchange(&shared_fds[slot], (int)fd);
      expect(fd_close((uint32_t)old), 0, kBadf);
    }
  }
}

// --- one directory that several list

static uint32_t listed;
static void list(int number) {
  (void)number;
  char entries[512];
  for (int i = 0; i < kTimes / 10; ++i) {
    uint64_t cookie = 0;
    int count = 0;
    while (1) {
      uint32_t used = 0;
      expect(fd_readdir(listed, entries, sizeof entries, cookie, &used), 0, 0);
      uint32_t at = 0;
      while (at + 24 <= used) {
        uint32_t length = *(const uint32_t*)(const void*)(entries + at + 16);
        if (at + 24 + length > used) break;
        cookie = 0;
        memcpy(&cookie, entries + at, 8);
        at += 24 + length;
        ++count;
        // Entries are not aligned: what follows is moved to where it can be read.
        for (uint32_t j = at; j < used; ++j) entries[j - at] = entries[j];
        used -= at;
        at = 0;
      }
      if (count > 200 || used == 0) break;
    }
    // Twenty files, `.` and `..`: each thread sees all of them, however the others move the host's position.
    if (count != 22) ++mistakes;
  }
}

// --- a directory that is swapped for a link outward while paths go through it

static void swap(int number) {
  (void)number;
  while (!done) {
    expect(path_rename(kRoot, "flip", 4, kRoot, "spare", 5), 0, kNoent);
    expect(path_rename(kRoot, "flip_link", 9, kRoot, "flip", 4), 0, kNoent);
    expect(path_rename(kRoot, "flip", 4, kRoot, "flip_link", 9), 0, kNoent);
    expect(path_rename(kRoot, "spare", 5, kRoot, "flip", 4), 0, kNoent);
  }
}
static void look(int number) {
  static const char* const kPaths[] = {"flip/secret", "flip/../flip/secret", "flip//secret", "./flip/./secret"};
  char byte = 0;
  const struct iovec in = {&byte, 1};
  for (int i = 0; i < 25000; ++i) {
    uint32_t fd;
    uint32_t moved = 0;
    if (open_at(kPaths[(i + number) % 4], 0, kRead, 0, &fd) != 0) continue;
    // Inside it says "inside", outside "secret".
    if (fd_read(fd, &in, 1, &moved) != 0 || moved != 1 || byte != 'i') ++mistakes;
    fd_close(fd);
  }
}

static void run(void (*first)(int), int firsts, void (*second)(int), int seconds) {
  done = 0;
  for (int i = 0; i < firsts + seconds; ++i) {
    if (start(&threads[i], i < firsts ? first : second, i) <= 0) proc_exit(1);
  }
  for (int i = 0; i < firsts; ++i) join(&threads[i]);
  done = 1;
  for (int i = firsts; i < firsts + seconds; ++i) join(&threads[i]);
}

void _start(void) {
  expect(open_at("log", kCreate, kAll, kAppend, &log_fd), 0, 0);
  run(append, 3, disturb_log, 2);
  check_log(3);
  print("records: mistakes ", mistakes);

  for (int i = 0; i < 4; ++i) {
    uint32_t fd = 0;
    expect(open_at("shared", kCreate, kAll, 0, &fd), 0, 0);
    shared_fds[i] = (int)fd;
  }
  run(use, 4, replace, 2);
  print("numbers: mistakes ", mistakes);

  expect(open_at("many", kDirectory, kAll & ~64ULL, 0, &listed), 0, 0);
  run(list, 4, list, 0);
  print("lists: mistakes ", mistakes);

  run(look, 4, swap, 1);
  print("races: mistakes ", mistakes);
  proc_exit(mistakes == 0 ? 0 : 1);
}
