// What slight gives its applications beside WASI: routers and servers (`http`, since 0.3 `http-server`), key-value
// stores
// (`kv`, since 0.3 `keyvalue`), configuration (`configs`).
#pragma once

#include <wasi/error.h>
#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/wasi_config.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/serve/key_values.h"
#include "tools/serve/slight_manifest.h"
#include "tools/serve/slight_routes.h"

namespace wasirun::serve {

// Routes as routers have them: each router is one more route than the one that it was made from.
struct SlightRouter {
  SlightRoute route;
  std::shared_ptr<const SlightRouter> rest;  // null: the first one
};

// What a guest asked to be served.
struct SlightServer {
  std::string address;                         // where it would listen, if it were up to it
  std::shared_ptr<const SlightRouter> router;  // null: without routes
};

// Handles of one kind that a guest has.
template <class T>
class SlightHandles {
 public:
  static constexpr std::size_t kMost = 16384;

  // Empty: there are too many.
  std::optional<std::uint32_t> add(T value) {
    if (values_.size() == kMost) return std::nullopt;
    values_.push_back(std::move(value));
    return static_cast<std::uint32_t>(values_.size() - 1);
  }
  // Null: there is none.
  [[nodiscard]] T* find(std::uint32_t handle) {
    return handle < values_.size() && values_[handle] ? &*values_[handle] : nullptr;
  }
  void drop(std::uint32_t handle) {
    if (handle < values_.size()) values_[handle].reset();
  }

 private:
  std::vector<std::optional<T>> values_;
};

// One guest's side of them. Its store's data is a pointer to this.
struct SlightCall {
  const SlightManifest& manifest;
  const wasi::WasiConfig& wasi;  // its environment is the configuration of configs.envvars
  KeyValueStores& stores;
  bool begins = false;                      // at its start an application says what to serve; later that is an error
  std::optional<SlightServer> served = {};  // what it said
  SlightHandles<std::shared_ptr<const SlightRouter>> routers = {};
  SlightHandles<SlightServer> servers = {};
  SlightHandles<KeyValueStore*> key_values = {};
  SlightHandles<bool> configs = {};
};

// Names what the module imports and slight does not have, or slightfile.toml does not give; empty: nothing. What else
// slight has, such as queues and databases, can be imported, and traps when it is called.
wasi::Result<void> check_slight_imports(const wasi::Module& module, const SlightManifest& manifest);

// Whether the module is of version 0.3 or later, where its interfaces have several kinds of errors.
bool is_late_slight(const wasi::Module& module);

void define_slight_imports(wasi::Linker& linker, const wasi::Module& module);

}  // namespace wasirun::serve
