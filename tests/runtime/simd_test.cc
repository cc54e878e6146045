#include "simd_checks.h"
