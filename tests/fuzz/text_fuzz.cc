// libFuzzer target: any bytes as a script and as a module in the text format; what becomes a module is decoded, printed
// and read again, which must give the same bytes. A good corpus is the official suite:
//   text_fuzz -max_len=65536 corpus/
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "binary/decoder.h"
#include "text/print.h"
#include "text/script.h"
#include "text/text.h"

namespace {

using namespace wasi;

void run_module(std::span<const std::uint8_t> bytes) {
  const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) return;
  const auto text = text::print_module(**module);
  if (!text || text->size() > 1'000'000) return;
  const auto again = text::encode_module(*text);
  if (!again || !std::ranges::equal(*again, bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = text::encode_module(text)) run_module(*bytes);
  const auto commands = text::parse_script(text);
  if (!commands) return 0;
  for (const text::ScriptCommand& command : *commands) {
    for (const text::ScriptModule* module : {&command.module, &command.action.module}) {
      const auto bytes = text::encode(text, *module);
      if (bytes && module->form != text::ModuleForm::binary) run_module(*bytes);
    }
  }
  return 0;
}
