// The whole public API. docs/embedding.md shows how its parts work together.
#pragma once

#include <wasi/call_hook.h>
#include <wasi/caller.h>
#include <wasi/engine.h>
#include <wasi/error.h>
#include <wasi/exception.h>
#include <wasi/instance.h>
#include <wasi/linker.h>
#include <wasi/memory.h>
#include <wasi/memory_directory.h>
#include <wasi/metrics.h>
#include <wasi/module.h>
#include <wasi/profile.h>
#include <wasi/signals.h>
#include <wasi/socket.h>
#include <wasi/stdio.h>
#include <wasi/store.h>
#include <wasi/text.h>
#include <wasi/trap.h>
#include <wasi/types.h>
#include <wasi/values.h>
#include <wasi/virtual_files.h>
#include <wasi/wasi_config.h>
