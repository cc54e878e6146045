#include "tools/serve/slight_imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "tools/serve/wit_caller.h"
#include "tools/serve/wit_memory.h"
#include "tools/serve/wit_result.h"

namespace wasirun::serve {

namespace {

using U32 = std::uint32_t;
using Done = std::expected<void, wasi::Trap>;

// The only error of interfaces before 0.3, and the first of all later ones: that something is not there, or not well.
constexpr std::uint8_t kFirstError = 0;
// The last errors of later ones: anything else.
constexpr std::uint8_t kRouterError = 4;
constexpr std::uint8_t kKeyValueError = 7;
constexpr std::uint8_t kConfigError = 4;

// Interfaces of slight, and the kinds of capabilities by which slightfile.toml gives them. Functions of those that are
// not served trap.
struct Interface {
  std::string_view module;
  std::string_view kind;
  std::string_view former_kind;
};
constexpr Interface kInterfaces[] = {
    {"http", "http", "http"},
    {"http-server", "http", "http"},
    {"kv", "kv", "keyvalue"},
    {"keyvalue", "keyvalue", "kv"},
    {"configs", "configs", "configs"},
    {"http-client", "http-client", "http-client"},
    {"lockd", "lockd", "distributed_locking"},
    {"distributed-locking", "distributed_locking", "lockd"},
    {"mq", "mq", "messaging"},
    {"pubsub", "pubsub", "messaging"},
    {"messaging", "messaging", "pubsub"},
    {"events", "events", "events"},
    {"sql", "sql", "sql"},
    {"blob-store", "blobstore", "blob-store"},
};
constexpr std::string_view kResources = "canonical_abi";
constexpr std::string_view kWasi[] = {"wasi_snapshot_preview1", "wasi_unstable"};

const Interface* interface_of(std::string_view module) {
  const auto* const found = std::ranges::find(kInterfaces, module, &Interface::module);
  return found == std::end(kInterfaces) ? nullptr : found;
}

using Guest = WitCaller<SlightCall>;

wasi::Trap no_handle(std::string_view kind, U32 handle) {
  return host_trap(fmt::format("there is no {} {}", kind, handle));
}

// A new handle as a result.
template <class T>
Done ok_handle(const WitResult& result, SlightHandles<T>& handles, T value) {
  const auto handle = handles.add(std::move(value));
  if (!handle)
    return std::unexpected(host_trap(fmt::format("more than {} handles of one kind", SlightHandles<T>::kMost)));
  return result.ok_number(*handle);
}

// --- http, http-server

Done new_router(wasi::Caller& caller, U32 place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  return ok_handle(WitResult(guest->memory, place), guest->call.routers, std::shared_ptr<const SlightRouter>());
}

// The base is for nothing, in slight either.
Done new_router_with_base(wasi::Caller& caller, U32 base, U32 length, U32 place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  if (auto text = guest->text({base, length}, "the base"); !text) return std::unexpected(std::move(text).error());
  return ok_handle(WitResult(guest->memory, place), guest->call.routers, std::shared_ptr<const SlightRouter>());
}

Done add_route(wasi::Caller& caller, std::string_view method, U32 handle, WitList route, WitList handler, U32 place,
               std::uint8_t error) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto* const router = guest->call.routers.find(handle);
  if (router == nullptr) return std::unexpected(no_handle("router", handle));
  const auto path = guest->text(route, "the route");
  if (!path) return std::unexpected(path.error());
  const auto name = guest->text(handler, "the handler's name");
  if (!name) return std::unexpected(name.error());

  const WitResult result(guest->memory, place);
  auto pattern = SlightPattern::parse(*path);
  if (!pattern) {
    return result.error(error, fmt::format("the route \"{}\": {}", wasi::printable(*path), pattern.error()));
  }
  auto longer = std::make_shared<const SlightRouter>(SlightRouter{
      .route = {.method = std::string(method), .pattern = *std::move(pattern), .handler = *name}, .rest = *router});
  return ok_handle(result, guest->call.routers, std::shared_ptr<const SlightRouter>(std::move(longer)));
}

Done serve(wasi::Caller& caller, WitList address, U32 handle, U32 place, std::uint8_t error) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto* const router = guest->call.routers.find(handle);
  if (router == nullptr) return std::unexpected(no_handle("router", handle));
  const auto text = guest->text(address, "the address");
  if (!text) return std::unexpected(text.error());
  const WitResult result(guest->memory, place);
  if (!guest->call.begins) return result.error(error, "a server is begun at the application's start alone");
  if (guest->call.served) return result.error(error, "the application has a server already");
  guest->call.served = SlightServer{.address = *text, .router = *router};
  return ok_handle(result, guest->call.servers, *guest->call.served);
}

Done stop(wasi::Caller& caller, U32 handle, U32 place) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  if (guest->call.servers.find(handle) == nullptr) return std::unexpected(no_handle("server", handle));
  guest->call.served.reset();
  return WitResult(guest->memory, place).ok();
}

void define_http(wasi::Linker& linker, std::string_view module, std::uint8_t error) {
  linker.define(module, "router::new", new_router);
  linker.define(module, "router::new-with-base", new_router_with_base);
  constexpr std::pair<const char*, const char*> kMethods[] = {
      {"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"delete", "DELETE"}};
  for (const auto& [name, method] : kMethods) {
    linker.define(
        module, fmt::format("router::{}", name),
        [method = std::string_view(method), error](wasi::Caller& caller, U32 handle, U32 route, U32 route_length,
                                                   U32 handler, U32 handler_length, U32 place) {
          return add_route(caller, method, handle, {route, route_length}, {handler, handler_length}, place, error);
        });
  }
  linker.define(module, "server::serve", [error](wasi::Caller& caller, U32 address, U32 length, U32 handle, U32 place) {
    return serve(caller, {address, length}, handle, place, error);
  });
  linker.define(module, "server::stop", stop);
}

// --- kv, keyvalue

// Calls `use(guest, store, result)`.
template <class Use>
Done with_store(wasi::Caller& caller, U32 handle, U32 place, Use use) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  KeyValueStore** const store = guest->call.key_values.find(handle);
  if (store == nullptr) return std::unexpected(no_handle("key-value store", handle));
  return use(*guest, **store, WitResult(guest->memory, place));
}

// The same with a key.
template <class Use>
Done with_key(wasi::Caller& caller, U32 handle, WitList key, U32 place, Use use) {
  return with_store(caller, handle, place, [&](Guest& guest, KeyValueStore& store, const WitResult& result) -> Done {
    const auto text = guest.text(key, "the key");
    if (!text) return std::unexpected(text.error());
    return use(guest, store, *text, result);
  });
}

Done open_store(wasi::Caller& caller, const Interface& interface, WitList name, U32 place, std::uint8_t error) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const auto text = guest->text(name, "the store's name");
  if (!text) return std::unexpected(text.error());
  const WitResult result(guest->memory, place);
  const SlightManifest& manifest = guest->call.manifest;
  const SlightCapability* capability = manifest.find(interface.kind, *text);
  if (capability == nullptr) capability = manifest.find(interface.former_kind, *text);
  if (capability == nullptr || !capability->resource.ends_with(".filesystem")) {
    return result.error(error, fmt::format("{} is not served: key-value stores are in memory, for *.filesystem",
                                           capability == nullptr ? *text : capability->resource));
  }
  return ok_handle(result, guest->call.key_values, &guest->call.stores.store(*text));
}

void define_key_values(wasi::Linker& linker, const Interface& interface, std::uint8_t error) {
  const std::string prefix(interface.module);
  linker.define(prefix, prefix + "::open", [&interface, error](wasi::Caller& caller, U32 name, U32 length, U32 place) {
    return open_store(caller, interface, {name, length}, place, error);
  });
  linker.define(prefix, prefix + "::get", [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) {
    return with_key(caller, handle, {key, length}, place,
                    [](Guest& guest, KeyValueStore& store, const std::string& name, const WitResult& result) {
                      const auto value = store.get(name);
                      if (!value) return result.error(kFirstError, "there is no key " + name);
                      return result.ok_list(guest.memory.lower_bytes(*value));
                    });
  });
  linker.define(
      prefix, prefix + "::set",
      [error](wasi::Caller& caller, U32 handle, U32 key, U32 key_length, U32 value, U32 value_length, U32 place) {
        return with_key(
            caller, handle, {key, key_length}, place,
            [&](Guest& guest, KeyValueStore& store, const std::string& name, const WitResult& result) -> Done {
              const auto bytes = guest.memory.lift_bytes({value, value_length}, guest.budget, "the value");
              if (!bytes) return std::unexpected(host_trap(bytes.error()));
              return store.set(name, *bytes) ? result.ok() : result.error(error, "the store is full");
            });
      });
  linker.define(prefix, prefix + "::delete", [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) {
    return with_key(caller, handle, {key, length}, place,
                    [](Guest&, KeyValueStore& store, const std::string& name, const WitResult& result) {
                      store.remove(name);
                      return result.ok();
                    });
  });
  linker.define(prefix, prefix + "::keys", [](wasi::Caller& caller, U32 handle, U32 place) {
    return with_store(caller, handle, place, [](Guest& guest, KeyValueStore& store, const WitResult& result) {
      return result.ok_list(guest.memory.lower_strings(store.keys()));
    });
  });
}

// --- configs

Done open_configs(wasi::Caller& caller, U32 place, std::uint8_t error) {
  auto guest = Guest::of(caller);
  if (!guest) return std::unexpected(std::move(guest).error());
  const WitResult result(guest->memory, place);
  const SlightCapability* const capability = guest->call.manifest.find("configs");
  if (capability == nullptr || capability->resource != "configs.envvars") {
    return result.error(error, "configs is served from the environment alone, for configs.envvars");
  }
  return ok_handle(result, guest->call.configs, true);
}

void define_configs(wasi::Linker& linker, const wasi::Module& module, std::uint8_t error) {
  // 0.1 opens without a name.
  const auto imports = module.imports();
  const bool has_name = std::ranges::none_of(imports, [](const wasi::ImportType& import) {
    const auto* const type = std::get_if<wasi::FunctionType>(&import.type.type);
    return import.module == "configs" && import.name == "configs::open" && type != nullptr && type->params.size() == 1;
  });
  if (has_name) {
    linker.define("configs", "configs::open",
                  [error](wasi::Caller& caller, U32, U32, U32 place) { return open_configs(caller, place, error); });
  } else {
    linker.define("configs", "configs::open",
                  [error](wasi::Caller& caller, U32 place) { return open_configs(caller, place, error); });
  }
  linker.define("configs", "configs::get",
                [](wasi::Caller& caller, U32 handle, U32 key, U32 length, U32 place) -> Done {
                  auto guest = Guest::of(caller);
                  if (!guest) return std::unexpected(std::move(guest).error());
                  if (guest->call.configs.find(handle) == nullptr)
                    return std::unexpected(no_handle("configuration", handle));
                  const auto name = guest->text({key, length}, "the key");
                  if (!name) return std::unexpected(name.error());
                  const WitResult result(guest->memory, place);
                  const auto value = guest->call.wasi.env(*name);
                  if (!value) return result.error(kFirstError, fmt::format("{} is not set", *name));
                  return result.ok_list(guest->memory.lower_bytes(*value));
                });
  linker.define("configs", "configs::set",
                [error](wasi::Caller& caller, U32 handle, U32, U32, U32, U32, U32 place) -> Done {
                  auto guest = Guest::of(caller);
                  if (!guest) return std::unexpected(std::move(guest).error());
                  if (guest->call.configs.find(handle) == nullptr)
                    return std::unexpected(no_handle("configuration", handle));
                  return WitResult(guest->memory, place).error(error, "the environment cannot be changed");
                });
}

// --- canonical_abi

// Copies and ends of handles, by the name of the resource.
template <class T>
void define_handles(wasi::Linker& linker, std::string_view resource, SlightHandles<T> SlightCall::* handles) {
  linker.define(kResources, fmt::format("resource_drop_{}", resource),
                [handles](wasi::Caller& caller, U32 handle) -> Done {
                  auto guest = Guest::of(caller);
                  if (!guest) return std::unexpected(std::move(guest).error());
                  (guest->call.*handles).drop(handle);
                  return {};
                });
  linker.define(
      kResources, fmt::format("resource_clone_{}", resource),
      [handles, kind = std::string(resource)](wasi::Caller& caller, U32 handle) -> std::expected<U32, wasi::Trap> {
        auto guest = Guest::of(caller);
        if (!guest) return std::unexpected(std::move(guest).error());
        T* const found = (guest->call.*handles).find(handle);
        if (found == nullptr) return std::unexpected(no_handle(kind, handle));
        const auto copy = (guest->call.*handles).add(T(*found));
        if (!copy) return std::unexpected(host_trap("too many handles"));
        return *copy;
      });
}

bool is_function(const wasi::ImportType& import) {
  return std::holds_alternative<wasi::FunctionType>(import.type.type);
}

}  // namespace

wasi::Result<void> check_slight_imports(const wasi::Module& module, const SlightManifest& manifest) {
  for (const wasi::ImportType& import : module.imports()) {
    if (std::ranges::find(kWasi, import.module) != std::end(kWasi)) continue;
    const Interface* const interface = interface_of(import.module);
    if ((interface == nullptr && import.module != kResources) || !is_function(import)) {
      return std::unexpected(
          wasi::Error{.kind = wasi::ErrorKind::unlinkable,
                      .message = fmt::format("it imports \"{}\" \"{}\", which applications of slight are not given",
                                             wasi::printable(import.module), wasi::printable(import.name))});
    }
    if (interface != nullptr && manifest.find(interface->kind) == nullptr &&
        manifest.find(interface->former_kind) == nullptr) {
      return std::unexpected(wasi::Error{.kind = wasi::ErrorKind::unlinkable,
                                         .message = fmt::format("it imports \"{}\", and slightfile.toml has no "
                                                                "[[capability]] of the kind \"{}\"",
                                                                import.module, interface->kind)});
    }
  }
  return {};
}

bool is_late_slight(const wasi::Module& module) {
  const auto imports = module.imports();
  return std::ranges::find(imports, "http-server", &wasi::ImportType::module) != imports.end();
}

void define_slight_imports(wasi::Linker& linker, const wasi::Module& module) {
  // First what traps; what is served takes its place.
  linker.allow_redefinition(true);
  for (const wasi::ImportType& import : module.imports()) {
    if (!is_function(import) || (interface_of(import.module) == nullptr && import.module != kResources)) continue;
    linker.define_untyped(
        import.module, import.name, std::get<wasi::FunctionType>(import.type.type),
        [name = fmt::format("\"{}\" \"{}\"", wasi::printable(import.module), wasi::printable(import.name))](
            wasi::Caller&, std::span<const wasi::Value>, std::span<wasi::Value>) -> Done {
          return std::unexpected(
              host_trap(fmt::format("{} of slight was called, which this server does not have", name)));
        });
  }
  define_http(linker, "http", kFirstError);
  define_http(linker, "http-server", kRouterError);
  define_key_values(linker, *interface_of("kv"), kFirstError);
  define_key_values(linker, *interface_of("keyvalue"), kKeyValueError);
  define_configs(linker, module, is_late_slight(module) ? kConfigError : kFirstError);
  define_handles(linker, "router", &SlightCall::routers);
  define_handles(linker, "server", &SlightCall::servers);
  define_handles(linker, "kv", &SlightCall::key_values);
  define_handles(linker, "keyvalue", &SlightCall::key_values);
  define_handles(linker, "configs", &SlightCall::configs);
}

}  // namespace wasirun::serve
