#include "tools/serve/prepared_pool.h"

#include <wasi/stdio.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace wasirun::serve {

struct PreparedPool::Entry {
  std::optional<wasi::Result<wasi::InstancePre>> prepared;  // never empty once it is made
  const RequestContext* context = nullptr;                  // of the request that has it
};

PreparedPool::PreparedPool(const wasi::Engine& engine, wasi::Module module, wasi::WasiConfig wasi,
                           std::function<void(wasi::Linker&)> define)
    : engine_(engine), module_(std::move(module)), wasi_(std::move(wasi)), define_(std::move(define)) {}

PreparedPool::~PreparedPool() = default;

std::unique_ptr<PreparedPool::Entry> PreparedPool::make() const {
  auto entry = std::make_unique<Entry>();
  const auto log = [own = entry.get()](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
    if (own->context->log) own->context->log({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return bytes.size();
  };
  wasi::WasiConfig wasi = wasi_;
  wasi.stdout_to(wasi::Stdio::writer(log)).stderr_to(wasi::Stdio::writer(log)).max_threads(0);
  wasi::Linker linker(engine_);
  linker.define_wasi(std::move(wasi));
  define_(linker);
  entry->prepared = linker.prepare(module_);
  return entry;
}

PreparedPool::Loan PreparedPool::lend(const RequestContext& context) {
  std::unique_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      entry = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!entry) entry = make();
  entry->context = &context;
  return {*this, std::move(entry)};
}

PreparedPool::Loan::Loan(PreparedPool& pool, std::unique_ptr<Entry> entry) : pool_(pool), entry_(std::move(entry)) {}

PreparedPool::Loan::~Loan() {
  entry_->context = nullptr;
  const std::lock_guard lock(pool_.mutex_);
  pool_.free_.push_back(std::move(entry_));
}

std::expected<wasi::Instance, wasi::InstantiationError> PreparedPool::Loan::instantiate(wasi::Store& store) const {
  const wasi::Result<wasi::InstancePre>& prepared = *entry_->prepared;
  if (!prepared) return std::unexpected(wasi::InstantiationError(prepared.error()));
  return prepared->instantiate(store);
}

}  // namespace wasirun::serve
