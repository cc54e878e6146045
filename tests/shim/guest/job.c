// The guest of the shim's tests: does what its first argument says.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

__attribute__((export_name("other"))) void other(void) { puts("the other function"); }

static int show(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) printf("arg %d %s\n", i, argv[i]);
  for (char** variable = environ; *variable != NULL; ++variable) printf("env %s\n", *variable);
  return 0;
}

static int allocate(void) {
  // Seen by somebody else, or the compiler would do without the memory.
  static char* volatile block;
  size_t total = 0;
  while (1) {
    block = malloc(1 << 20);
    if (block == NULL) {
      printf("no more after %zu MiB\n", total);
      return 3;
    }
    memset(block, 1, 1 << 20);
    ++total;
  }
}

static int open_files(void) {
  int count = 0;
  while (open("/app.wasm", O_RDONLY) >= 0) ++count;
  printf("%d files, then: %s\n", count, strerror(errno));
  return 0;
}

static int try_files(int argc, char** argv) {
  // write PATH, read PATH
  for (int i = 2; i + 1 < argc; i += 2) {
    const int writes = strcmp(argv[i], "write") == 0;
    FILE* const file = fopen(argv[i + 1], writes ? "w" : "r");
    char line[256] = "";
    if (file == NULL) {
      printf("%s %s: %s\n", argv[i], argv[i + 1], strerror(errno));
      continue;
    }
    if (writes) {
      fputs("written by the guest", file);
    } else if (fgets(line, sizeof(line), file) == NULL) {
      line[0] = '\0';
    }
    printf("%s %s: %s\n", argv[i], argv[i + 1], writes ? "done" : line);
    fclose(file);
  }
  return 0;
}

static int echo(void) {
  char line[256];
  while (fgets(line, sizeof(line), stdin) != NULL) printf("read %s", line);
  puts("end of input");
  return 0;
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* const what = argc > 1 ? argv[1] : "show";
  if (strcmp(what, "show") == 0) return show(argc, argv);
  if (strcmp(what, "exit") == 0) return atoi(argv[2]);
  if (strcmp(what, "trap") == 0) __builtin_trap();
  if (strcmp(what, "loop") == 0) {
    puts("looping");
    for (volatile unsigned i = 0;; ++i) {
    }
  }
  if (strcmp(what, "sleep") == 0) {
    puts("sleeping");
    while (1) sleep(1000);
  }
  if (strcmp(what, "allocate") == 0) return allocate();
  if (strcmp(what, "open") == 0) return open_files();
  if (strcmp(what, "files") == 0) return try_files(argc, argv);
  if (strcmp(what, "echo") == 0) return echo();
  if (strcmp(what, "flood") == 0) {
    while (1) puts("more and more and more and more and more and more and more and more and more and more");
  }
  if (strcmp(what, "steal") == 0) {
    char byte;
    printf("reading the output: %s\n", read(1, &byte, 1) < 0 ? strerror(errno) : "possible");
    return 0;
  }
  fprintf(stderr, "job: what is \"%s\"?\n", what);
  return 2;
}
