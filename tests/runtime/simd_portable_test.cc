#define WASI_SIMD_PORTABLE
#include "simd_checks.h"
