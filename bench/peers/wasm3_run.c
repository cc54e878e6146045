// Runs a sightglass module in wasm3 and prints the nanoseconds between bench.start and bench.end: wasm3's own
// command line has no such imports. Built by bench/run where WASM3_SOURCE names a built wasm3 tree.
#include <m3_api_wasi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wasm3.h>

static uint64_t started, total;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

m3ApiRawFunction(bench_start) {
  started = now();
  m3ApiSuccess();
}
m3ApiRawFunction(bench_end) {
  total += now() - started;
  m3ApiSuccess();
}

static void check(M3Result result) {
  if (result == m3Err_none || result == m3Err_trapExit) return;
  fprintf(stderr, "wasm3: %s\n", result);
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  FILE* file = fopen(argv[1], "rb");
  if (file == NULL) return 2;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  uint8_t* bytes = malloc((size_t)size);
  if (fread(bytes, 1, (size_t)size, file) != (size_t)size) return 2;
  IM3Environment environment = m3_NewEnvironment();
  IM3Runtime runtime = m3_NewRuntime(environment, 1 << 20, NULL);
  IM3Module module;
  check(m3_ParseModule(environment, &module, bytes, (uint32_t)size));
  check(m3_LoadModule(runtime, module));
  check(m3_LinkWASI(module));
  m3_LinkRawFunction(module, "bench", "start", "v()", bench_start);
  m3_LinkRawFunction(module, "bench", "end", "v()", bench_end);
  m3_wasi_context_t* wasi = m3_GetWasiContext();
  wasi->argc = 1;
  wasi->argv = (ccstr_t*)&argv[1];
  IM3Function start;
  check(m3_FindFunction(&start, runtime, "_start"));
  check(m3_CallArgv(start, 0, NULL));
  FILE* report = fopen(argv[2], "w");
  fprintf(report, "timed_ns %llu\n", (unsigned long long)total);
  fclose(report);
  return 0;
}
