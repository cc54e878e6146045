// What stands behind a Context, for the functions of this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wasi/context.h"
#include "wasi/fd_table.h"
#include "wasi/program_sources.h"
#include "wasi/trace.h"

namespace wasi::preview1 {

// Strings as args_get and environ_get hand them out: terminated, one behind the other.
struct StringList {
  std::string bytes;
  std::vector<std::uint32_t> offsets;  // of each string in `bytes`
};

// Nothing in it changes but the table of descriptors, so threads of a program may share it.
struct Context::State {
  State(const Limits& given, TimeSource time_source, RandomSource random_source)
      : limits(given), time(std::move(time_source)), random(std::move(random_source)), fds(given.descriptors) {}

  const Limits limits;
  const TimeSource time;
  Randomness random;
  StringList args;
  StringList env;
  FdTable fds;
  std::vector<std::string> preopen_names;
  std::vector<std::shared_ptr<GivenSocket>> sockets;  // whose files stay while the program runs
  std::optional<Tracer> trace;
};

}  // namespace wasi::preview1
