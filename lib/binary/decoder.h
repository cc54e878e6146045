// Bytes -> wasm::Module: the binary format's sections. Bodies stay bytes.
// Source: https://webassembly.github.io/spec/core/binary/modules.html
#pragma once

#include <wasi/error.h>

#include <memory>
#include <string>
#include <string_view>

#include "wasm/module.h"

namespace wasi::binary {

// Decodes all sections but leaves bodies and the name section unread. Errors have the kind `malformed` and an
// offset (`invalid` where a type index outside of bodies is out of range, as the spec has it; `limit` beyond 4 GiB
// or a million types). Memory used is a small multiple of the input's size whatever its counts claim.
Result<std::shared_ptr<wasm::Module>> decode_module(wasm::ModuleBytes bytes,
                                                    std::shared_ptr<wasm::TypeRegistry> registry);

// A section as the spec calls it: "type", "code", "data count", ...
std::string_view section_name(std::uint8_t id);

// What the bytes are, for messages that help.
enum class FileKind { module, component, empty, text, unknown };
FileKind kind_of(std::span<const std::uint8_t> bytes);

}  // namespace wasi::binary
