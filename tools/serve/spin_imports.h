// What Spin gives its components beside WASI: `wasi-outbound-http`, `spin-config`, `key-value`.
#pragma once

#include <wasi/error.h>
#include <wasi/linker.h>
#include <wasi/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tools/serve/contract.h"
#include "tools/serve/key_values.h"
#include "tools/serve/outbound_http.h"
#include "tools/serve/spin_manifest.h"
#include "tools/serve/spin_variables.h"

namespace wasirun::serve {

// One guest's side of them. Its store's data is a pointer to this.
struct SpinCall {
  const SpinComponent& component;
  const SpinVariables& variables;
  const Environment& environment;
  KeyValueStores& stores;
  const HttpRequest& request;
  const RequestContext& context;
  OutboundClient client = {};
  std::vector<KeyValueStore*> open_stores = {};  // by handle; null: closed
};

// Names what the module imports and no server of Spin has; empty: nothing. What Spin has and this server has not,
// databases above all, can be imported, and traps when it is called.
wasi::Result<void> check_spin_imports(const wasi::Module& module);

void define_spin_imports(wasi::Linker& linker, const wasi::Module& module);

}  // namespace wasirun::serve
