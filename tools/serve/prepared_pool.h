// Prepared instances for the guests of one module, each made once and lent to one request after the other: what a
// module imports is the same each time, but for where its output goes. Thread-safe.
#pragma once

#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/store.h>
#include <wasi/wasi_config.h>

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tools/serve/contract.h"

namespace wasirun::serve {

class PreparedPool {
  struct Entry;

 public:
  // `define` gives a linker all that the module imports beside WASI, which is as `wasi` says; what guests print goes to
  // the logs of their requests. They have no threads: what is defined is for one at a time.
  PreparedPool(const wasi::Engine& engine, wasi::Module module, wasi::WasiConfig wasi,
               std::function<void(wasi::Linker&)> define);
  PreparedPool(const PreparedPool&) = delete;
  PreparedPool& operator=(const PreparedPool&) = delete;
  ~PreparedPool();

  // Lives longer than the store that is instantiated with it.
  class Loan {
   public:
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan();
    [[nodiscard]] std::expected<wasi::Instance, wasi::InstantiationError> instantiate(wasi::Store& store) const;

   private:
    friend class PreparedPool;
    Loan(PreparedPool& pool, std::unique_ptr<Entry> entry);
    PreparedPool& pool_;
    std::unique_ptr<Entry> entry_;
  };
  // The context lives longer than the loan.
  [[nodiscard]] Loan lend(const RequestContext& context);

 private:
  [[nodiscard]] std::unique_ptr<Entry> make() const;

  wasi::Engine engine_;
  wasi::Module module_;
  wasi::WasiConfig wasi_;
  std::function<void(wasi::Linker&)> define_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> free_;  // at most as many as there were requests at a time
};

}  // namespace wasirun::serve
