#include "tools/serve/linker_pool.h"

#include <wasi/stdio.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <system_error>

namespace wasirun::serve {

struct LinkerPool::Entry {
  explicit Entry(const wasi::Engine& engine) : linker(engine) {}
  wasi::Linker linker;
  const RequestContext* context = nullptr;  // of the request that has it
};

LinkerPool::LinkerPool(const wasi::Engine& engine, wasi::WasiConfig wasi, std::function<void(wasi::Linker&)> define)
    : engine_(engine), wasi_(std::move(wasi)), define_(std::move(define)) {}

LinkerPool::~LinkerPool() = default;

std::unique_ptr<LinkerPool::Entry> LinkerPool::make() const {
  auto entry = std::make_unique<Entry>(engine_);
  const auto log = [own = entry.get()](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
    if (own->context->log) own->context->log({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return bytes.size();
  };
  wasi::WasiConfig wasi = wasi_;
  wasi.stdout_to(wasi::Stdio::writer(log)).stderr_to(wasi::Stdio::writer(log)).max_threads(0);
  entry->linker.define_wasi(std::move(wasi));
  define_(entry->linker);
  return entry;
}

LinkerPool::Loan LinkerPool::lend(const RequestContext& context) {
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

LinkerPool::Loan::Loan(LinkerPool& pool, std::unique_ptr<Entry> entry) : pool_(pool), entry_(std::move(entry)) {}

LinkerPool::Loan::~Loan() {
  entry_->context = nullptr;
  const std::lock_guard lock(pool_.mutex_);
  pool_.free_.push_back(std::move(entry_));
}

const wasi::Linker& LinkerPool::Loan::linker() const { return entry_->linker; }

}  // namespace wasirun::serve
