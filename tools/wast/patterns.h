// Arguments of actions, and the patterns that their results are compared with.
#pragma once

#include <wasi/values.h>

#include <expected>
#include <span>
#include <string>

#include "text/script.h"

namespace wasi::spec {

// An argument as a value; the error says what is wrong with the script.
std::expected<Value, std::string> argument_of(const text::ScriptValue& argument);

// Compares all results; the error names the first that differs, what was expected and what came.
std::expected<void, std::string> match_results(std::span<const text::ScriptValue> patterns,
                                               std::span<const Value> results);

}  // namespace wasi::spec
