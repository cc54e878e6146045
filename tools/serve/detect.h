// Which contract a module keeps, by what it exports and imports.
#pragma once

#include <wasi/error.h>
#include <wasi/module.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace wasirun::serve {

enum class ContractKind : std::uint8_t {
  wagi,    // a program for each request, which speaks CGI
  spin,    // Spin's HTTP trigger
  slight,  // slight's HTTP capability
  server,  // the program is a server itself, on a listener that it is given
};

// "wagi".
std::string_view name_of(ContractKind kind);
std::optional<ContractKind> contract_named(std::string_view name);

// An `argument` error, which says what was looked for, where it keeps none.
wasi::Result<ContractKind> detect_contract(const wasi::Module& module);

}  // namespace wasirun::serve
