#include "jit/common/perf_map.h"

#include <unistd.h>

#include <utility>

#include "base/guard.h"
#include "base/printable.h"
#include "base/result.h"

namespace wasi::jit {

Result<std::shared_ptr<PerfMap>> PerfMap::create(const std::string& path) {
  return guarded([&]() -> Result<std::shared_ptr<PerfMap>> {
    ToolFile file = WASI_TRY(ToolFile::create(path));
    return std::shared_ptr<PerfMap>(new PerfMap(std::move(file)));
  });
}

Result<std::shared_ptr<PerfMap>> PerfMap::of_process() {
  struct Shared {
    std::mutex mutex;
    std::shared_ptr<PerfMap> map;
  };
  // Never closed: an engine that comes after all others goes on in the same file.
  static auto* const shared = new Shared;
  const std::lock_guard lock(shared->mutex);
  if (shared->map == nullptr) shared->map = WASI_TRY(create(fmt::format("/tmp/perf-{}.map", ::getpid())));
  return shared->map;
}

void PerfMap::code_added(const NamedCode& added) noexcept {
  const std::lock_guard lock(mutex_);
  const auto written = guarded([&] {
    const std::string line = fmt::format("{:x} {:x} {}\n", reinterpret_cast<std::uintptr_t>(added.code.data()),
                                         added.code.size(), printable(added.name));
    file_.write({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
  });
  if (!written) file_.fail_with(written.error());
}

void PerfMap::code_removed(std::span<const std::uint8_t> /*code*/) noexcept {}

std::optional<Error> PerfMap::failure() const {
  const std::lock_guard lock(mutex_);
  return file_.failure();
}

}  // namespace wasi::jit
