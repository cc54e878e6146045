// Behind InstancePre: what instantiation in any store has in common.
#pragma once

#include <wasi/linker.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/state.h"
#include "runtime/instance.h"
#include "wasm/type_registry.h"

namespace wasi::detail {

// Where an import comes from.
struct PreparedImport {
  enum class Source : std::uint8_t {
    host,      // `host`, of the type that is asked for
    wasi,      // `wasi`, the same
    in_store,  // `definition`: an object of a store, or a shared memory
    unknown,   // what is resolved at each instantiation: threads' functions and memories, what stands for unknown ones
  };
  Source source = Source::unknown;
  const HostDefinition* host = nullptr;
  const preview1::Function* wasi = nullptr;
  const LinkerState::Definition* definition = nullptr;
  wasm::TypeRef type = {};  // of a function
  std::uint32_t slot_count = 0;
  bool is_adapted = false;  // `host` stands for an import of another type than its own
};

struct PreparedInstance {
  LinkerState linker;  // the definitions as they were, into which imports point
  std::shared_ptr<ModuleState> module;
  std::vector<PreparedImport> imports;
  std::size_t functions = 0;  // of the host's and of WASI's among them
  bool imports_wasi = false;
  bool needs_threads = false;
};

// The functions that a prepared instance imports, in one store, which keeps them: made when it is first instantiated
// there.
struct BoundImports {
  std::shared_ptr<const PreparedInstance> prepared;
  std::shared_ptr<preview1::Context> context;  // null where it imports nothing of WASI
  std::vector<BoundFunction> bound;            // never changes its size: functions point into it
  std::vector<runtime::External> functions;    // by import; others are empty
};

}  // namespace wasi::detail
