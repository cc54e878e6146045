// wasirun wasm: text to binary.
#include <wasi/wasi.h>

#include "binary/decoder.h"
#include "text/text.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/output_file.h"
#include "tools/wasirun/report.h"

namespace wasirun {

int wasm(const WasmCommand& command) {
  const auto file = open_file(command.file);
  if (!file) return file_failure(command.file, file.error());
  const std::span<const std::uint8_t> source = (*file)->bytes();
  if (wasi::binary::kind_of(source) == wasi::binary::FileKind::module) {
    return failure("{}: this is a binary module already", name_of(command.file));
  }
  const auto bytes = wasi::text::encode_module({reinterpret_cast<const char*>(source.data()), source.size()});
  if (!bytes) return file_failure(command.file, bytes.error());
  if (command.check) {
    const auto engine = wasi::Engine::create({.validation = wasi::Validation::parallel});
    if (!engine) return failure("{}", engine.error().to_string());
    // The text once more, not the bytes: so that an error says line and column.
    if (const auto valid = wasi::Module::validate(*engine, source); !valid) {
      return file_failure(command.file, valid.error());
    }
  }
  auto output = OutputFile::open(command.output);
  if (!output) return failure("{}", output.error().message);
  (void)output->write({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (const auto finished = output->finish(); !finished) return failure("{}", finished.error().message);
  return kSuccess;
}

}  // namespace wasirun
