// Whether what was found may stand for an import, and the words for when it may not.
// Source: https://webassembly.github.io/spec/core/valid/matching.html
#pragma once

#include <wasi/error.h>

#include <string>

#include "runtime/store.h"
#include "wasm/module.h"

namespace wasi::runtime {

// "function (i32) -> ()", "memory 1 2".
std::string describe(const wasm::Module& module, const wasm::Import& import);
std::string describe(const wasm::TypeRegistry& registry, const External& external);

// "unknown import: env.log was not provided, expected function (i32) -> ()"
Error unknown_import(const wasm::Module& module, const wasm::Import& import);

// `unlinkable`: "incompatible import type: env.log: expected function (i32) -> (), found global i32".
Result<void> match_import(const wasm::Module& module, const wasm::Import& import, const External& found);

}  // namespace wasi::runtime
