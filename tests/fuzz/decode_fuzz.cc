// libFuzzer target: any bytes through decoder, name section and validator. Built where WASIRUN_FUZZ is on;
// good corpora are the shared benchmark modules and the official suite's binary modules:
//   decode_fuzz -max_len=65536 corpus/
#include <cstddef>
#include <cstdint>
#include <memory>

#include "binary/decoder.h"
#include "binary/names.h"
#include "validate/validator.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wasi;
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  const auto module = binary::decode_module({{data, size}, nullptr}, registry);
  (void)binary::kind_of({data, size});
  if (!module) return 0;
  (void)binary::decode_names(**module);
  if (validate::validate_module(**module)) (void)validate::validate_functions(**module, 1);
  return 0;
}
