#include "bench/micro/micro.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace wasi::bench {
namespace {

EngineConfig chosen;

bool take_option(std::string_view word) {
  if (word == "--tier=auto") {
    chosen.tier = TierSelection::automatic;
  } else if (word == "--tier=interp") {
    chosen.tier = TierSelection::interpreter;
  } else if (word == "--tier=baseline") {
    chosen.tier = TierSelection::baseline;
  } else if (word == "--bounds-checks=guard") {
    chosen.bounds_checks = BoundsChecks::guard_pages;
  } else if (word == "--bounds-checks=explicit") {
    chosen.bounds_checks = BoundsChecks::explicit_checks;
  } else {
    return false;
  }
  return true;
}

}  // namespace

EngineConfig engine_config() { return chosen; }

Engine make_engine() { return must(Engine::create(chosen)); }

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

int run(int argc, char** argv) {
  std::vector<char*> words;
  for (int i = 0; i < argc; i++) {
    if (i == 0 || !take_option(argv[i])) words.push_back(argv[i]);
  }
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  if (benchmark::ReportUnrecognizedArguments(count, words.data())) return 2;
  benchmark::AddCustomContext("wasirun", version());
  benchmark::AddCustomContext("bounds_checks",
                              chosen.bounds_checks == BoundsChecks::guard_pages ? "guard" : "explicit");
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace wasi::bench

int main(int argc, char** argv) { return wasi::bench::run(argc, argv); }
