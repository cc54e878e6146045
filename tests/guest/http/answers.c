// A WAGI program that answers as the path asks it to: well, and in every way that a server must survive.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static void begin(const char* type) { printf("Content-Type: %s\n\n", type); }

static void print_environment(int argc, char** argv) {
  begin("text/plain");
  for (int i = 0; i < argc; ++i) printf("argv: %s\n", argv[i]);
  for (char** variable = environ; *variable; ++variable) printf("%s\n", *variable);
}

static void echo(void) {
  static char buffer[65536];
  size_t count;
  begin("application/octet-stream");
  while ((count = fread(buffer, 1, sizeof(buffer), stdin)) > 0) fwrite(buffer, 1, count, stdout);
}

static void print_many(unsigned long count) {
  begin("text/plain");
  for (unsigned long i = 0; i < count; ++i) putchar('a' + (int)(i % 26));
}

static void allocate_for_ever(void) {
  begin("text/plain");
  size_t total = 0;
  // A chain that somebody could look at, so that the compiler leaves it in.
  static void* volatile last = NULL;
  for (;;) {
    void** block = malloc(1 << 20);
    if (!block) break;
    memset(block, 1, 1 << 20);
    *block = last;
    last = block;
    total += 1 << 20;
  }
  printf("%zu\n", total);
}

static void sleep_for(long milliseconds) {
  const struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
  begin("text/plain");
  puts("slept");
}

static void append_to(const char* path) {
  FILE* file = fopen(path, "a");
  begin("text/plain");
  puts(file && fputs("x", file) >= 0 && fclose(file) == 0 ? "written" : "refused");
}

int main(int argc, char** argv) {
  const char* path = getenv("PATH_INFO");
  const char* query = getenv("QUERY_STRING");
  const long number = strtol(query, NULL, 10);
  // What an instance leaves behind, no other may find.
  static int counter = 0;
  if (strcmp(path, "/env") == 0) {
    print_environment(argc, argv);
  } else if (strcmp(path, "/echo") == 0) {
    echo();
  } else if (strcmp(path, "/many") == 0) {
    print_many((unsigned long)number);
  } else if (strcmp(path, "/count") == 0) {
    begin("text/plain");
    printf("%d\n", ++counter);
  } else if (strcmp(path, "/status") == 0) {
    printf("Status: %ld Said so\nContent-Type: text/plain\nX-Own: yes\nConnection: upgrade\nContent-Length: 999\n\n",
           number);
    puts("told");
  } else if (strcmp(path, "/elsewhere") == 0) {
    printf("Location: /there\n\n");
  } else if (strcmp(path, "/stderr") == 0) {
    fprintf(stderr, "one\ntwo \033[31m\nthree");
    begin("text/plain");
  } else if (strcmp(path, "/sleep") == 0) {
    sleep_for(number);
  } else if (strcmp(path, "/append") == 0) {
    append_to("/data/file");
  } else if (strcmp(path, "/exit") == 0) {
    begin("text/plain");
    puts("all the same");
    return (int)number;
  } else if (strcmp(path, "/loop") == 0) {
    for (volatile int forever = 1; forever;) {
    }
  } else if (strcmp(path, "/allocate") == 0) {
    allocate_for_ever();
  } else if (strcmp(path, "/flood") == 0) {
    begin("text/plain");
    for (;;) puts("more and more and more and more");
  } else if (strcmp(path, "/chatter") == 0) {
    for (;;) fprintf(stderr, "more and more and more and more\n");
  } else if (strcmp(path, "/trap") == 0) {
    begin("text/plain");
    puts("never seen");
    fflush(stdout);
    __builtin_trap();
  } else if (strcmp(path, "/nothing") == 0) {
    return 0;
  } else if (strcmp(path, "/headless") == 0) {
    puts("hello");
  } else if (strcmp(path, "/split") == 0) {
    printf("Content-Type: text/plain\nX-A: a\001b\n\nbody\n");
  } else {
    begin("text/plain");
    puts("hello");
  }
  return 0;
}
