// libFuzzer target: any bytes as a case, which all configurations must agree on.
//   differential_fuzz -max_len=4096 corpus/
#include <cstdio>
#include <cstdlib>

#include "fuzz/run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wasi::test::fuzz;
  static Differential differential;
  if (const auto finding = differential.run(generate({data, size}))) {
    std::fprintf(stderr, "%s\n", finding->c_str());
    std::abort();
  }
  return 0;
}
