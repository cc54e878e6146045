// wasm::Module -> text: the other direction of the text format.
//
// The module need only be decoded, not valid. It is printed from its bytes, so that type indices, recursion groups,
// segment forms and the places of custom sections come out as they are: text that is parsed, printed and parsed again
// gives the same bytes. What the text format cannot say (LEB128 numbers longer than they must be, empty sections) is
// lost. Expressions that fit into a line are folded; `fold` folds all of them, blocks included.
// Source: https://webassembly.github.io/spec/core/text/index.html
#pragma once

#include <wasi/error.h>

#include <functional>
#include <string>
#include <string_view>

#include "wasm/module.h"

namespace wasi::text {

struct PrintOptions {
  bool fold = false;
};

// Takes the text in pieces, in order. False: no more is wanted (a full disk, a reader that went away).
using PrintSink = std::function<bool(std::string_view)>;

// Errors are `malformed`, with the offset: a body whose instructions cannot be told apart; `limit`: a function with
// more locals than any engine takes. When the sink stops, printing ends early and that is no error.
// Memory used is a small multiple of the largest function body, besides the names.
Result<void> print_module(const wasm::Module& module, const PrintOptions& options, const PrintSink& sink);
Result<std::string> print_module(const wasm::Module& module, const PrintOptions& options = {});

}  // namespace wasi::text
