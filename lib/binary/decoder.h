// Bytes -> wasm::Module: the binary format's sections. Bodies stay bytes.
// Source: https://webassembly.github.io/spec/core/binary/modules.html
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/module.h"

namespace wasi::binary {

// Waits until the bytes from `begin` to `end`, or those of them that there are, may be looked at, and says which around
// them may.
struct Arrived {
  std::size_t begin = 0;
  std::size_t end = 0;
};
using Arrival = std::function<Result<Arrived>(std::size_t begin, std::size_t end)>;

// What is known of a module from before, and not looked at.
struct Known {
  // Within the module; the code section is not looked at beyond its begin.
  std::optional<std::vector<wasm::FunctionBody>> bodies = {};
  // The data section is not looked at between its begin and the segment behind those that the image stands for. Whether
  // the module has such a memory is for others to see.
  std::shared_ptr<const wasm::MemoryImage> memory = nullptr;
};

// Decodes all sections but leaves bodies and the name section unread. Errors have the kind `malformed` and an
// offset (`invalid` where a type index outside of bodies is out of range, as the spec has it; `limit` beyond 4 GiB
// or a million types). Memory used is a small multiple of the input's size whatever its counts claim.
//
// Bytes that are still arriving are waited for before they are looked at, which bodies and what custom sections contain
// are not.
Result<std::shared_ptr<wasm::Module>> decode_module(wasm::ModuleBytes bytes,
                                                    std::shared_ptr<wasm::TypeRegistry> registry,
                                                    const Arrival& arrival = {}, Known known = {});

// A section as the spec calls it: "type", "code", "data count", ...
std::string_view section_name(std::uint8_t id);

// What the bytes are, for messages that help.
enum class FileKind { module, component, empty, text, unknown };
FileKind kind_of(std::span<const std::uint8_t> bytes);
// What bytes of no kind above are where they begin like something well known, and what to do with it: "a gzip archive:
// unpack it first". Empty for others.
std::string_view foreign_format(std::span<const std::uint8_t> bytes);
// So many bytes tell a module from all else.
inline constexpr std::size_t kHeaderBytes = 8;

}  // namespace wasi::binary
