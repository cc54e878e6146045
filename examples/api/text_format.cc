// Text to a binary module and back, without an engine; what is wrong with a text is told with its place.
#include "need.h"

#include <vector>

namespace {

constexpr const char* kText = R"wat((module $shapes
  (func $area (export "area") (param $a f64) (param $b f64) (result f64)
    (f64.mul (local.get $a) (local.get $b))))
)wat";

constexpr const char* kWrong = R"wat((module
  (func (result i32)
    i32.cosnt 1))
)wat";

}  // namespace

int main() {
  const std::vector<std::uint8_t> bytes = need(wasi::wat_to_wasm(kText));
  std::printf("begins with");
  for (std::size_t i = 0; i < 8; ++i) std::printf(" %02x", bytes.at(i));
  std::printf("\n");

  // Names survive, and the text that comes back makes the same module.
  const std::string text = need(wasi::wasm_to_wat(bytes));
  for (const char* const word : {"$shapes", "$area", "f64.mul"}) {
    std::printf("%s: %s\n", word, text.find(word) == std::string::npos ? "lost" : "there");
  }
  std::printf("back again: %s\n", need(wasi::wat_to_wasm(text)) == bytes ? "the same bytes" : "other bytes");

  const auto wrong = wasi::wat_to_wasm(kWrong);
  if (wrong || !wrong.error().text) fail("there is no such instruction");
  const wasi::TextPosition& place = *wrong.error().text;
  std::printf("%s at line %llu, column %llu\n%s\n", std::string(wasi::name_of(wrong.error().kind)).c_str(),
              static_cast<unsigned long long>(place.line), static_cast<unsigned long long>(place.column),
              place.excerpt.c_str());
}
