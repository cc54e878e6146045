// Arguments of actions, and the patterns that their results are compared with.
#pragma once

#include <wasi/values.h>

#include <expected>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace wasi::spec {

using Json = nlohmann::json;

// An argument as a value; the error says what is wrong with the script.
std::expected<Value, std::string> argument_of(const Json& json);

// Compares all results; the error names the first that differs, what was expected and what came.
std::expected<void, std::string> match_results(const Json& patterns, std::span<const Value> results);

}  // namespace wasi::spec
