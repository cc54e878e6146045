// Short spellings for the decoder's tests.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "binary/decoder.h"
#include "support/module_builder.h"

namespace wasi::binary {

inline Result<std::shared_ptr<wasm::Module>> try_decode(const test::Bytes& bytes) {
  // The module keeps a copy: tests hand in temporaries.
  auto owner = std::make_shared<const test::Bytes>(bytes);
  return decode_module({*owner, owner}, std::make_shared<wasm::TypeRegistry>());
}

inline std::shared_ptr<wasm::Module> decode(const test::Bytes& bytes) {
  auto module = try_decode(bytes);
  if (!module) FAIL(module.error().to_string());
  return *module;
}

// The whole message, as people see it; "decoded" when there is none.
inline std::string error_of(const test::Bytes& bytes) {
  const auto module = try_decode(bytes);
  return module ? "decoded" : module.error().to_string();
}

}  // namespace wasi::binary
