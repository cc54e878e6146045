// wasirun cache: the directory of machine code that is kept from one run to the next.
#include "engine/code_cache.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <string>

#include "base/printable.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

// "2026-03-04 05:06:07", where the user is.
std::string local_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  char text[32];
  if (::localtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof(text), "%F %T", &parts) == 0) return "?";
  return text;
}

}  // namespace

int cache(const CacheCommand& command) {
  auto directory = wasi::detail::CodeCache::default_directory();
  if (!command.directory.empty()) directory = command.directory;
  if (!directory) return failure("there is no cache: neither XDG_CACHE_HOME nor HOME is the path of a directory");
  const wasi::detail::CodeCache cache(*directory, 0);
  switch (command.action) {
    case CacheCommand::Action::path:
      print_stdout("{}\n", directory->string());
      return kSuccess;
    case CacheCommand::Action::clear:
      if (const auto cleared = cache.clear(); !cleared) return failure("{}", cleared.error().message);
      return kSuccess;
    case CacheCommand::Action::list:
      break;
  }
  const auto files = cache.files();
  if (!files) return failure("{}", files.error().message);
  std::uint64_t bytes = 0;
  for (const auto& file : *files) {
    print_stdout("{} {:>12} {}\n", local_time(file.used), file.bytes, file.name);
    bytes += file.bytes;
  }
  print_stdout("{} file{}, {} bytes in {}\n", files->size(), files->size() == 1 ? "" : "s", bytes,
               wasi::printable(directory->string()));
  return kSuccess;
}

}  // namespace wasirun
