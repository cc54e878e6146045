// What the runners in C share: the command line of every runner here, and the report.
//
//   RUNNER [--mode MODE] [--dir HOST::GUEST]... [--report FILE] [ACTION] MODULE [ARGUMENTS...]
//
// Without ACTION the program runs. `--load` stops before its first call, `--instances COUNT` makes that many of a
// module without imports, `--compile FILE` writes what `--precompiled` reads in place of a module.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kMaxDirs = 16 };

typedef struct {
  const char* mode;
  char* hosts[kMaxDirs];
  char* guests[kMaxDirs];
  int dirs;
  const char* report;
  bool loads;
  long instances;
  const char* compiled;  // where --compile writes
  bool is_precompiled;
  int argc;  // the module and its arguments
  char** argv;
} Options;

static void fail(const char* what, const char* why) {
  fflush(stdout);
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static inline Options parse_options(int argc, char** argv) {
  Options options = {.mode = ""};
  int at = 1;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    const char* option = argv[at];
    if (strcmp(option, "--load") == 0) {
      options.loads = true;
      continue;
    }
    if (strcmp(option, "--precompiled") == 0) {
      options.is_precompiled = true;
      continue;
    }
    if (++at == argc) fail(option, "a value is missing");
    if (strcmp(option, "--mode") == 0) {
      options.mode = argv[at];
    } else if (strcmp(option, "--report") == 0) {
      options.report = argv[at];
    } else if (strcmp(option, "--compile") == 0) {
      options.compiled = argv[at];
    } else if (strcmp(option, "--instances") == 0) {
      options.instances = strtol(argv[at], NULL, 10);
      if (options.instances <= 0) fail(option, "a count is needed");
    } else if (strcmp(option, "--dir") == 0) {
      if (options.dirs == kMaxDirs) fail(option, "too many folders");
      char* separator = strstr(argv[at], "::");
      options.hosts[options.dirs] = argv[at];
      options.guests[options.dirs] = separator == NULL ? argv[at] : separator + 2;
      if (separator != NULL) *separator = '\0';
      options.dirs++;
    } else {
      fail(option, "unknown option");
    }
  }
  options.argc = argc - at;
  options.argv = argv + at;
  return options;
}

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Lines "name value" of what was measured, written at the end.
static struct {
  const char* name;
  double value;
} report_lines[16];
static int report_size;
static uint64_t report_last;

static inline void report_begin(void) { report_last = now_ns(); }

static inline void report_add(const char* name, double value) {
  report_lines[report_size].name = name;
  report_lines[report_size].value = value;
  report_size++;
}

// The nanoseconds since the last lap, under `name`.
static inline void report_lap(const char* name) {
  report_add(name, (double)(now_ns() - report_last));
  report_begin();
}

static inline void report_write(const char* path) {
  if (path == NULL) return;
  FILE* file = fopen(path, "w");
  if (file == NULL) fail(path, "the report cannot be written");
  for (int i = 0; i < report_size; i++) fprintf(file, "%s %.3f\n", report_lines[i].name, report_lines[i].value);
  fclose(file);
}

// bench.start and bench.end of the sightglass suite: what passes between the two, summed up.
static uint64_t watch_started, watch_total;

static inline void watch_start(void) { watch_started = now_ns(); }
static inline void watch_end(void) { watch_total += now_ns() - watch_started; }

static inline double resident_bytes(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  long pages = 0;
  if (file == NULL) return 0;
  if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  fclose(file);
  return (double)pages * 4096;
}

static inline uint8_t* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) fail(path, "cannot be opened");
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t* bytes = malloc(*size + 1);
  if (bytes == NULL || fread(bytes, 1, *size, file) != *size) fail(path, "cannot be read");
  fclose(file);
  return bytes;
}
