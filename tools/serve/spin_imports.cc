#include "tools/serve/spin_imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "tools/serve/wit_caller.h"
#include "tools/serve/wit_http.h"
#include "tools/serve/wit_memory.h"
#include "tools/serve/wit_result.h"

namespace wasirun::serve {

namespace {

using Done = std::expected<void, wasi::Trap>;

constexpr std::string_view kOutbound = "wasi-outbound-http";
constexpr std::string_view kConfig = "spin-config";
constexpr std::string_view kKeyValue = "key-value";
constexpr std::string_view kKeyValueFunctions[] = {"open", "get", "set", "delete", "exists", "get-keys", "close"};
// Of versions up to 1.x, for which there is nothing here.
constexpr std::string_view kElsewhere[] = {"outbound-redis", "outbound-pg", "outbound-mysql", "sqlite", "llm",
                                           "wasi-log",       "wasi-cache"};
constexpr std::string_view kWasi[] = {"wasi_snapshot_preview1", "wasi_unstable"};

// Open stores of one guest, as in Spin.
constexpr std::size_t kMostStores = 256;
constexpr std::string_view kDefaultStore = "default";

enum class ConfigError : std::uint8_t { provider, invalid_key, invalid_schema, other };
enum class KeyValueError : std::uint8_t {
  store_table_full,
  no_such_store,
  access_denied,
  invalid_store,
  no_such_key,
  io
};

bool has_function(std::string_view module, std::string_view name) {
  if (module == kOutbound) return name == "request";
  if (module == kConfig) return name == "get-config";
  return module == kKeyValue && std::ranges::find(kKeyValueFunctions, name) != std::end(kKeyValueFunctions);
}

using Guest = WitCaller<SpinCall>;

void log(const SpinCall& call, const std::string& line) {
  if (call.context.log) call.context.log(line + "\n");
}

// The server as guests may ask it themselves.
std::string own_origin(const HttpRequest& request) {
  if (request.local_address.empty() || request.local_port == 0) return {};
  const bool is_v6 = request.local_address.contains(':');
  return fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", request.local_address, is_v6 ? "]" : "", request.local_port);
}

Done send_request(wasi::Caller& caller, const std::array<std::uint32_t, 10>& flat, std::uint32_t place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto request = lift_request(guest->memory, flat, guest->budget);
  if (!request) return std::unexpected(host_trap("wasi-outbound-http request: " + request.error()));

  const SpinCall& call = guest->call;
  const OutboundLimits limits{.deadline = call.context.deadline,
                              .body_limit = call.context.response_limit,
                              .cancelled = call.context.cancelled};
  const auto response =
      guest->call.client.send(*request, call.component.allowed_hosts, own_origin(call.request), limits);
  const WitResult result(guest->memory, place);
  if (!response) {
    log(call, "wasi-outbound-http request: " + response.error().message);
    return result.error(static_cast<std::uint8_t>(response.error().error));
  }
  if (auto written = result.ok(); !written) return written;
  return lower_response(guest->memory, place + WitResult::kPayload, *response);
}

Done get_config(wasi::Caller& caller, std::uint32_t address, std::uint32_t length, std::uint32_t place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto key = guest->text({address, length}, "the key");
  if (!key) return std::unexpected(key.error());
  const WitResult result(guest->memory, place);
  const auto fail = [&](ConfigError error, const std::string& why) {
    return result.error(static_cast<std::uint8_t>(error), why);
  };
  if (const auto why = not_a_spin_key(*key)) {
    return fail(ConfigError::invalid_key, fmt::format("\"{}\" is no key: {}", wasi::printable(*key), *why));
  }
  const SpinCall& call = guest->call;
  const auto found = std::ranges::find(call.component.config, *key, [](const auto& entry) { return entry.first; });
  if (found == call.component.config.end()) {
    return fail(ConfigError::other, fmt::format("the component {} has no config \"{}\"", call.component.id, *key));
  }
  const auto value = resolve(found->second, call.variables, call.environment);
  if (!value) return fail(ConfigError::provider, value.error());
  return result.ok_list(guest->memory.lower_bytes(*value));
}

Done error_of(const WitResult& result, KeyValueError error) { return result.error(static_cast<std::uint8_t>(error)); }

Done open_store(wasi::Caller& caller, std::uint32_t address, std::uint32_t length, std::uint32_t place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto name = guest->text({address, length}, "the store's name");
  if (!name) return std::unexpected(name.error());
  SpinCall& call = guest->call;
  const WitResult result(guest->memory, place);
  const auto& allowed = call.component.key_value_stores;
  if (std::ranges::find(allowed, *name) == allowed.end()) return error_of(result, KeyValueError::access_denied);
  if (*name != kDefaultStore) return error_of(result, KeyValueError::no_such_store);
  auto free = std::ranges::find(call.open_stores, nullptr);
  if (free == call.open_stores.end()) {
    if (call.open_stores.size() == kMostStores) return error_of(result, KeyValueError::store_table_full);
    free = call.open_stores.insert(free, nullptr);
  }
  *free = &call.stores.store(*name);
  return result.ok_number(static_cast<std::uint32_t>(free - call.open_stores.begin()));
}

// Calls `use(guest, store, result)`, or answers that there is no such store.
template <class Use>
Done with_store(wasi::Caller& caller, std::uint32_t handle, std::uint32_t place, Use use) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const WitResult result(guest->memory, place);
  const auto& stores = guest->call.open_stores;
  if (handle >= stores.size() || stores[handle] == nullptr) return error_of(result, KeyValueError::invalid_store);
  return use(*guest, *stores[handle], result);
}

// The same with a key.
template <class Use>
Done with_key(wasi::Caller& caller, std::uint32_t handle, WitList key, std::uint32_t place, Use use) {
  return with_store(caller, handle, place, [&](Guest& guest, KeyValueStore& store, const WitResult& result) -> Done {
    const auto text = guest.text(key, "the key");
    if (!text) return std::unexpected(text.error());
    return use(guest, store, *text, result);
  });
}

void define_key_value(wasi::Linker& linker) {
  using U32 = std::uint32_t;
  linker.define(kKeyValue, "open", open_store);
  linker.define(kKeyValue, "get", [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) {
    return with_key(caller, handle, {key, length}, place,
                    [](Guest& guest, KeyValueStore& store, const std::string& name, const WitResult& result) {
                      const auto value = store.get(name);
                      if (!value) return error_of(result, KeyValueError::no_such_key);
                      return result.ok_list(guest.memory.lower_bytes(*value));
                    });
  });
  linker.define(
      kKeyValue, "set",
      [](wasi::Caller& caller, U32 handle, U32 key, U32 key_length, U32 value, U32 value_length, U32 place) {
        return with_key(
            caller, handle, {key, key_length}, place,
            [&](Guest& guest, KeyValueStore& store, const std::string& name, const WitResult& result) -> Done {
              const auto bytes = guest.memory.lift_bytes({value, value_length}, guest.budget, "the value");
              if (!bytes) return std::unexpected(host_trap(bytes.error()));
              if (store.set(name, *bytes)) return result.ok();
              return result.error(static_cast<std::uint8_t>(KeyValueError::io), "the store is full");
            });
      });
  linker.define(kKeyValue, "delete", [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) {
    return with_key(caller, handle, {key, length}, place,
                    [](Guest&, KeyValueStore& store, const std::string& name, const WitResult& result) {
                      store.remove(name);
                      return result.ok();
                    });
  });
  linker.define(kKeyValue, "exists", [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) {
    return with_key(caller, handle, {key, length}, place,
                    [](Guest&, KeyValueStore& store, const std::string& name, const WitResult& result) {
                      return result.ok_number(static_cast<std::uint8_t>(store.contains(name)));
                    });
  });
  linker.define(kKeyValue, "get-keys", [](wasi::Caller& caller, U32 handle, U32 place) {
    return with_store(caller, handle, place, [](Guest& guest, KeyValueStore& store, const WitResult& result) {
      return result.ok_list(guest.memory.lower_strings(store.keys()));
    });
  });
  linker.define(kKeyValue, "close", [](wasi::Caller& caller, U32 handle) -> Done {
    auto guest = Guest::of(caller);
    if (!guest) return std::unexpected(std::move(guest).error());
    auto& stores = guest->call.open_stores;
    if (handle < stores.size()) stores[handle] = nullptr;
    return {};
  });
}

}  // namespace

wasi::Result<void> check_spin_imports(const wasi::Module& module) {
  for (const wasi::ImportType& import : module.imports()) {
    const auto is_one_of = [&](const auto& names) {
      return std::ranges::find(names, import.module) != std::end(names);
    };
    if (is_one_of(kWasi) || is_one_of(kElsewhere) || has_function(import.module, import.name)) continue;
    return std::unexpected(
        wasi::Error{.kind = wasi::ErrorKind::unlinkable,
                    .message = fmt::format("it imports \"{}\" \"{}\", which components of Spin are not given",
                                           wasi::printable(import.module), wasi::printable(import.name))});
  }
  return {};
}

void define_spin_imports(wasi::Linker& linker, const wasi::Module& module) {
  using U32 = std::uint32_t;
  linker.define(
      kOutbound, "request",
      [](wasi::Caller& caller, U32 method, U32 uri, U32 uri_length, U32 headers, U32 header_count, U32 params,
         U32 param_count, U32 has_body, U32 body, U32 body_length, U32 place) {
        return send_request(
            caller, {method, uri, uri_length, headers, header_count, params, param_count, has_body, body, body_length},
            place);
      });
  linker.define(kConfig, "get-config", get_config);
  define_key_value(linker);
  // A module may import a name more than once.
  linker.allow_redefinition(true);
  for (const wasi::ImportType& import : module.imports()) {
    const auto* const type = std::get_if<wasi::FunctionType>(&import.type.type);
    if (type == nullptr || std::ranges::find(kElsewhere, import.module) == std::end(kElsewhere)) continue;
    linker.define_untyped(import.module, import.name, *type,
                          [name = import.module + " " + import.name](wasi::Caller&, std::span<const wasi::Value>,
                                                                     std::span<wasi::Value>) -> Done {
                            return std::unexpected(host_trap(
                                fmt::format("\"{}\" of Spin was called, which this server does not have", name)));
                          });
  }
}

}  // namespace wasirun::serve
