#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace wasi::base {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "wasirun: internal check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace wasi::base
