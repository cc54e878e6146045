// See guest_config.h.
#include "tools/wasirun/guest_config.h"

#include <string>

namespace wasirun {

void give_capabilities(const RunCommand& command, wasi::WasiConfig& config) {
  if (command.inherit_env) config.inherit_env();
  for (const std::string& variable : command.env) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos) {
      config.inherit_env(variable);
    } else {
      config.env(variable.substr(0, equals), variable.substr(equals + 1));
    }
  }
  for (const Directory& directory : command.directories) {
    if (directory.host.empty()) {
      config.scratch(directory.guest, directory.limit.value_or(wasi::MemoryDirectory::kDefaultLimit));
    } else if (directory.limit) {
      config.preopen_limited(directory.host, directory.guest, *directory.limit);
    } else {
      config.preopen(directory.host, directory.guest, directory.access);
    }
  }
  config.limits(command.limits);
  if (command.max_threads) config.max_threads(*command.max_threads);
}

wasi::StoreConfig store_config_of(const RunCommand& command) {
  wasi::StoreConfig config;
  if (command.memory_limit) config.memory_limit = *command.memory_limit;
  if (command.table_limit) config.table_limit = *command.table_limit;
  if (command.instance_limit) config.instance_limit = *command.instance_limit;
  if (command.gc_heap_limit) config.gc_heap_limit = *command.gc_heap_limit;
  if (command.stack_size) config.stack_size = *command.stack_size;
  return config;
}

}  // namespace wasirun
