// Runs WASI preview1 modules in wasm3, built by `install` where WASM3_SOURCE names a built source tree: wasm3's own
// command line has no bench.start, and tells no times. It hands the guest "." and "/" itself, so --dir changes nothing.
#include <m3_api_wasi.h>
#include <wasm3.h>

#include "../common/runner.h"

enum { kStackBytes = 8 << 20, kIdleStackBytes = 8 << 10 };

m3ApiRawFunction(bench_start) {
  watch_start();
  m3ApiSuccess();
}
m3ApiRawFunction(bench_end) {
  watch_end();
  m3ApiSuccess();
}

static void check(M3Result result) {
  if (result != m3Err_none) fail("wasm3", result);
}

static void make_instances(IM3Environment environment, const uint8_t* bytes, size_t size, long count) {
  double before = resident_bytes();
  uint64_t start = now_ns();
  for (long i = 0; i < count; i++) {
    // A module belongs to one runtime in wasm3: it is parsed anew for each, which is a part of the price.
    IM3Module module;
    IM3Runtime runtime = m3_NewRuntime(environment, kIdleStackBytes, NULL);
    check(m3_ParseModule(environment, &module, bytes, (uint32_t)size));
    check(m3_LoadModule(runtime, module));
  }
  report_add("instantiate_ns", (double)(now_ns() - start) / (double)count);
  report_add("instance_bytes", (resident_bytes() - before) / (double)count);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(M3_VERSION) < 0;
  Options options = parse_options(argc, argv);
  if (options.argc == 0) fail("wasm3-run", "a module is missing");
  IM3Environment environment = m3_NewEnvironment();
  report_begin();
  size_t size = 0;
  uint8_t* bytes = read_file(options.argv[0], &size);
  report_lap("read_ns");
  if (options.instances > 0) {
    make_instances(environment, bytes, size, options.instances);
    report_write(options.report);
    return 0;
  }
  IM3Runtime runtime = m3_NewRuntime(environment, kStackBytes, NULL);
  IM3Module module;
  check(m3_ParseModule(environment, &module, bytes, (uint32_t)size));
  report_lap("compile_ns");  // functions are translated at their first call
  check(m3_LoadModule(runtime, module));
  check(m3_LinkWASI(module));
  m3_LinkRawFunction(module, "bench", "start", "v()", bench_start);  // most modules have no such imports
  m3_LinkRawFunction(module, "bench", "end", "v()", bench_end);
  report_lap("instantiate_ns");
  int code = 0;
  if (!options.loads) {
    m3_wasi_context_t* wasi = m3_GetWasiContext();
    wasi->argc = (uint32_t)options.argc;
    wasi->argv = (ccstr_t*)options.argv;
    IM3Function start;
    check(m3_FindFunction(&start, runtime, "_start"));
    M3Result result = m3_CallArgv(start, 0, NULL);
    report_lap("run_ns");
    report_add("timed_ns", (double)watch_total);
    if (result == m3Err_trapExit) {
      code = (int)wasi->exit_code;
    } else {
      check(result);
    }
  }
  report_write(options.report);
  exit(code);
}
