// Text to bytes, and what becomes of it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "binary/decoder.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::test {

inline std::vector<std::uint8_t> encode(std::string_view text) {
  INFO(text.substr(0, 1000));
  auto bytes = text::encode_module(text);
  if (!bytes) FAIL(bytes.error().to_string());
  return *std::move(bytes);
}

inline Error encode_error(std::string_view text) {
  INFO(text.substr(0, 1000));
  const auto bytes = text::encode_module(text);
  REQUIRE_FALSE(bytes);
  return bytes.error();
}

// Decodes and validates what was encoded.
inline Result<void> check(std::span<const std::uint8_t> bytes) {
  const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) return std::unexpected(module.error());
  if (auto valid = validate::validate_module(**module); !valid) return valid;
  return validate::validate_functions(**module, 1);
}

}  // namespace wasi::test
