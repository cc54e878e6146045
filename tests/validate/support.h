// What the validator's tests share: judging modules in text or bytes, with the verdict as one line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/module_builder.h"
#include "wasm/module.h"

namespace wasi::test {

// The decoded module; fails the test when it does not decode.
std::shared_ptr<wasm::Module> decode(Bytes bytes);
// The same from the text format, without wabt's own checks, and validated but for its bodies.
std::shared_ptr<wasm::Module> module_of(std::string_view wat);

// "ok", or "invalid at <place>: <message>". The place is "body+N" inside of the first body (N counts from its
// first byte, the count of local declarations), else the offset in the module.
std::string verdict(Bytes bytes);
std::string verdict(std::string_view wat);

// A module of one function, or of `functions`, whose pieces are given in hex.
struct Pieces {
  std::string_view types = "01 60 00 00";  // the payload of the type section; function 0 has type 0
  std::string_view imports = "";
  std::string_view functions = "01 00";
  std::string_view tables = "";
  std::string_view memories = "";
  std::string_view tags = "";
  std::string_view globals = "";
  std::string_view exports = "";
  std::string_view elements = "";
  std::string_view data_count = "";
  std::string_view locals = "00";
  std::string_view body = "";  // without the final end
  std::string_view data = "";
};
Bytes build(const Pieces& pieces);

}  // namespace wasi::test
