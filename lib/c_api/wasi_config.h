// A WASI configuration as the C interface has it.
#pragma once

#include <wasi/wasi_config.h>

#include "wasi.h"

struct wasi_config_t {
  wasi::WasiConfig config;
};
