// The text format (WAT): text -> the binary format, which the decoder reads then. So text and binary cannot
// disagree. Identifiers go into the name section, with all subsections of the extended name section; labels are
// numbered in the order of their blocks' opcodes in the body, from 0.
// Source: https://webassembly.github.io/spec/core/text/index.html
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wasi::text {

// Translates `part`, a "(module ...)" or the fields of one. Nothing is validated but what the text format itself
// asks for. Errors have the position in `text`, of which `part` is a piece, and the kind `malformed` (`invalid` for
// annotations on something that cannot have them, `limit` for a text beyond 4 GiB).
Result<std::vector<std::uint8_t>> encode_module(std::string_view text, std::string_view part);
inline Result<std::vector<std::uint8_t>> encode_module(std::string_view text) { return encode_module(text, text); }

// Where in `text` stands what became the byte at `offset` of the module. For messages: it translates the text again.
std::optional<TextPosition> locate(std::string_view text, std::string_view part, std::uint64_t offset);

}  // namespace wasi::text
