// Linkers for the guests of one module, each made once and lent to one request after the other: what a module imports
// is the same each time, but for where its output goes. Thread-safe.
#pragma once

#include <wasi/engine.h>
#include <wasi/linker.h>
#include <wasi/wasi_config.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tools/serve/contract.h"

namespace wasirun::serve {

class LinkerPool {
  struct Entry;

 public:
  // `define` gives a linker all that the module imports beside WASI, which is as `wasi` says; what guests print goes to
  // the logs of their requests. They have no threads: what is defined is for one at a time.
  LinkerPool(const wasi::Engine& engine, wasi::WasiConfig wasi, std::function<void(wasi::Linker&)> define);
  LinkerPool(const LinkerPool&) = delete;
  LinkerPool& operator=(const LinkerPool&) = delete;
  ~LinkerPool();

  // A linker for as long as this lives, which is longer than the store that is instantiated with it.
  class Loan {
   public:
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan();
    [[nodiscard]] const wasi::Linker& linker() const;

   private:
    friend class LinkerPool;
    Loan(LinkerPool& pool, std::unique_ptr<Entry> entry);
    LinkerPool& pool_;
    std::unique_ptr<Entry> entry_;
  };
  // The context lives longer than the loan.
  [[nodiscard]] Loan lend(const RequestContext& context);

 private:
  [[nodiscard]] std::unique_ptr<Entry> make() const;

  wasi::Engine engine_;
  wasi::WasiConfig wasi_;
  std::function<void(wasi::Linker&)> define_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> free_;  // at most as many as there were requests at a time
};

}  // namespace wasirun::serve
