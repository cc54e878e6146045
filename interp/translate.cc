#include "interp/translate.h"

#include "base/result.h"
#include "validate/function_walk.h"

namespace wasi::interp {

namespace {

template <bool kChecked>
Result<void> walk(Translator& translator, const wasm::Module& module, wasm::FuncIndex function) {
  validate::FunctionWalk<Translator, kChecked> walk(module, function, translator);
  return walk.run();
}

}  // namespace

Result<void> translate(Translator& translator, const wasm::Module& module, wasm::FuncIndex function, bool validated,
                       runtime::Preparation& preparation) {
  try {
    translator.start(module, function, preparation);
    WASI_TRY(validated ? walk<false>(translator, module, function) : walk<true>(translator, module, function));
    if (const std::uint32_t rethrow_slots = translator.rethrow_slots(); rethrow_slots != 0) {
      translator.restart(rethrow_slots);
      WASI_TRY(walk<false>(translator, module, function));
    }
    return translator.finish();
  } catch (Stopped& stopped) {
    return std::unexpected(std::move(stopped.error));
  }
}

}  // namespace wasi::interp
