// See detect.h.
#include "tools/serve/detect.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/result.h"

namespace wasirun::serve {

namespace {

struct Name {
  ContractKind kind;
  std::string_view name;
};
constexpr Name kNames[] = {{ContractKind::wagi, "wagi"},
                           {ContractKind::spin, "spin"},
                           {ContractKind::slight, "slight"},
                           {ContractKind::server, "server"}};

}  // namespace

std::string_view name_of(ContractKind kind) { return std::ranges::find(kNames, kind, &Name::kind)->name; }

std::optional<ContractKind> contract_named(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &Name::name);
  return found == std::end(kNames) ? std::nullopt : std::optional(found->kind);
}

wasi::Result<ContractKind> detect_contract(const wasi::Module& module) {
  const auto exports = module.exports();
  const auto imports = module.imports();
  const auto is_exported = [&](std::string_view name) {
    return std::ranges::any_of(exports, [&](const wasi::ExportType& exported) {
      return exported.name == name && exported.type.kind() == wasi::ExternKind::function;
    });
  };
  const auto is_imported = [&](std::string_view from, std::string_view name) {
    return std::ranges::any_of(
        imports, [&](const wasi::ImportType& import) { return import.module == from && import.name == name; });
  };
  // From the one that nothing else could have to the one that any program has.
  if (is_exported("handle-http-request") && is_exported("canonical_abi_realloc")) return ContractKind::spin;
  for (const std::string_view http : {"http", "http-server"}) {
    if (is_imported(http, "router::new") || is_imported(http, "router::new-with-base")) return ContractKind::slight;
  }
  if (is_imported("wasi_snapshot_preview1", "sock_accept") && is_exported("_start")) return ContractKind::server;
  if (is_exported("_start")) return ContractKind::wagi;
  return wasi::fail(
      wasi::ErrorKind::argument,
      "the module keeps none of the contracts for HTTP; looked for: the exports handle-http-request and "
      "canonical_abi_realloc (Spin), the import router::new of http or http-server (slight), the import "
      "sock_accept of wasi_snapshot_preview1 beside the export _start (a server of its own), the export _start (WAGI)");
}

}  // namespace wasirun::serve
