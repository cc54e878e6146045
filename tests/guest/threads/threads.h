// What a C library with threads would give, on the wasi-threads interface alone: threads, locks, conditions, printing.
// Debian's wasi-libc is built without threads.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define WASI_IMPORT(name) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern

struct iovec {
  const void* data;
  uint32_t size;
};
WASI_IMPORT(fd_write) uint32_t fd_write(uint32_t fd, const struct iovec* iovs, uint32_t count, uint32_t* written);
WASI_IMPORT(fd_read) uint32_t fd_read(uint32_t fd, const struct iovec* iovs, uint32_t count, uint32_t* read);
WASI_IMPORT(fd_close) uint32_t fd_close(uint32_t fd);
WASI_IMPORT(path_open)
uint32_t path_open(uint32_t fd, uint32_t dirflags, const char* path, uint32_t size, uint32_t oflags, uint64_t base,
                   uint64_t inheriting, uint32_t fdflags, uint32_t* opened);
WASI_IMPORT(proc_exit) _Noreturn void proc_exit(uint32_t status);
__attribute__((import_module("wasi"), import_name("thread-spawn"))) extern int32_t thread_spawn(void* argument);

// --- waiting

static void wait_while(atomic_int* place, int value) { __builtin_wasm_memory_atomic_wait32((int*)place, value, -1); }
static void wake(atomic_int* place, unsigned count) { __builtin_wasm_memory_atomic_notify((int*)place, count); }

// A lock: 0 free, 1 taken, 2 taken and somebody waits.
struct mutex {
  atomic_int state;
};
static void lock(struct mutex* mutex) {
  int expected = 0;
  if (atomic_compare_exchange_strong(&mutex->state, &expected, 1)) return;
  while (atomic_exchange(&mutex->state, 2) != 0) wait_while(&mutex->state, 2);
}
static void unlock(struct mutex* mutex) {
  if (atomic_exchange(&mutex->state, 0) == 2) wake(&mutex->state, 1);
}

// A condition: its number changes with each signal.
struct condition {
  atomic_int number;
};
static void wait_for(struct condition* condition, struct mutex* mutex) {
  const int number = condition->number;
  unlock(mutex);
  wait_while(&condition->number, number);
  lock(mutex);
}
static void signal_all(struct condition* condition) {
  ++condition->number;
  wake(&condition->number, ~0U);
}

// --- threads

enum { kStackBytes = 16384, kTlsBytes = 256 };

struct thread {
  void* stack;  // start.s reads this
  void* tls;    // and this
  void (*function)(int argument);
  int argument;
  atomic_int running;
  _Alignas(16) char stack_bytes[kStackBytes];
  _Alignas(16) char tls_bytes[kTlsBytes];
};

void __wasm_init_tls(void* block);

void thread_main(int32_t id, struct thread* self) {
  (void)id;
  __wasm_init_tls(self->tls);
  self->function(self->argument);
  self->running = 0;
  wake(&self->running, ~0U);
}

// The thread's number, or what thread-spawn said.
static int32_t start(struct thread* thread, void (*function)(int), int argument) {
  if (__builtin_wasm_tls_size() > kTlsBytes) __builtin_trap();
  thread->stack = thread->stack_bytes + kStackBytes;
  thread->tls = thread->tls_bytes;
  thread->function = function;
  thread->argument = argument;
  thread->running = 1;
  return thread_spawn(thread);
}
static void join(struct thread* thread) {
  while (thread->running) wait_while(&thread->running, 1);
}

// --- printing

static uint32_t text_size(const char* text) {
  uint32_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}
static void print(const char* text, int number) {
  char line[128];
  uint32_t size = 0;
  for (; text[size] != '\0'; ++size) line[size] = text[size];
  char digits[12];
  int count = 0;
  unsigned left = number < 0 ? 0U - (unsigned)number : (unsigned)number;
  do {
    digits[count++] = (char)('0' + left % 10);
    left /= 10;
  } while (left != 0);
  if (number < 0) digits[count++] = '-';
  while (count > 0) line[size++] = digits[--count];
  line[size++] = '\n';
  const struct iovec out = {line, size};
  uint32_t written;
  fd_write(1, &out, 1, &written);
}

void* memcpy(void* to, const void* from, size_t size) {
  char* bytes = to;
  for (size_t i = 0; i < size; ++i) bytes[i] = ((const char*)from)[i];
  return to;
}
