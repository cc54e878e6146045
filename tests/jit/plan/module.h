// A validated module from WAT, for tests of what is planned for it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "binary/decoder.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::test {

inline std::shared_ptr<wasm::Module> validated(std::string_view text) {
  auto bytes = text::encode_module(text);
  if (!bytes) FAIL(bytes.error().to_string());
  auto owner = std::make_shared<const std::vector<std::uint8_t>>(*std::move(bytes));
  const std::span<const std::uint8_t> view = *owner;
  auto module = binary::decode_module({view, std::move(owner)}, std::make_shared<wasm::TypeRegistry>());
  if (!module) FAIL(module.error().to_string());
  if (const auto done = validate::validate_module(**module); !done) FAIL(done.error().to_string());
  if (const auto done = validate::validate_functions(**module, 1); !done) FAIL(done.error().to_string());
  return *std::move(module);
}

}  // namespace wasi::test
