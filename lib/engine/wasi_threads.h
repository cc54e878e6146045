// wasi-threads: the threads of one program, each an instance of its module in a store of its own.
//
// Source: https://github.com/WebAssembly/wasi-threads
#pragma once

#include <wasi/linker.h>

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/state.h"
#include "runtime/program.h"

namespace wasi::detail {

using preview1::kThreadsModule;
using preview1::kThreadSpawn;

// thread-spawn, or a shared memory.
bool is_of_threads(const wasm::Import& import);
// The module imports thread-spawn, or a shared memory, which is made for it, and `linker` has no definition of its own.
bool needs_threads(const LinkerState& linker, const wasm::Module& module);

// Instantiates with what the linker has; `threads` adds its own. linker.cc has the body.
std::expected<runtime::Instance*, InstantiationError> instantiate(const LinkerState& linker, StoreState& store,
                                                                  const std::shared_ptr<ModuleState>& module,
                                                                  WasiThreads* threads);

class WasiThreads {
 public:
  // `first` is the store of the program's first thread, which owns this object.
  WasiThreads(const LinkerState& linker, StoreState& first, std::shared_ptr<ModuleState> module);
  // Ends the threads that run, and waits for them.
  ~WasiThreads();
  WasiThreads(const WasiThreads&) = delete;
  WasiThreads& operator=(const WasiThreads&) = delete;

  // thread-spawn, or a shared memory that the program is given; empty for other imports.
  Result<std::optional<runtime::External>> resolve(StoreState& store, const wasm::Import& import);

 private:
  struct Thread {
    std::thread thread;
    bool is_done = false;
  };

  static std::optional<Trap> thread_spawn(void* data, runtime::HostCall& call);
  std::int32_t spawn(StoreState& spawner, std::int32_t argument);
  void run(const std::shared_ptr<StoreState>& store, runtime::FuncRef& start, std::int32_t id, std::int32_t argument);
  void reap();

  LinkerState linker_;  // the definitions as they were
  std::shared_ptr<ModuleState> module_;
  std::shared_ptr<runtime::Program> program_;
  std::uint32_t max_threads_;

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<runtime::MemoryStorage>> memories_;
  std::list<Thread> threads_;
  std::uint32_t running_ = 0;
  std::int32_t last_id_ = 0;
};

}  // namespace wasi::detail
