// The text format for embedders.
#include "text/text.h"

#include <wasi/text.h>

#include <memory>

#include "base/guard.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/format.h"
#include "text/print.h"
#include "wasm/type_registry.h"

namespace wasi {

Result<std::vector<std::uint8_t>> wat_to_wasm(std::string_view text) {
  return guarded([&] { return text::encode_module(text); });
}

Result<std::string> wasm_to_wat(std::span<const std::uint8_t> bytes, const WatOptions& options) {
  return guarded([&]() -> Result<std::string> {
    if (binary::kind_of(bytes) == binary::FileKind::component) {
      return fail(ErrorKind::unsupported, "this is {}", binary::format::kComponentAdvice);
    }
    const auto module = WASI_TRY(binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>()));
    return text::print_module(*module, {.fold = options.folded});
  });
}

}  // namespace wasi
