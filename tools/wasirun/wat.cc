// wasirun wat: a module as text.
#include "text/print.h"

#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/output_file.h"
#include "tools/wasirun/report.h"

namespace wasirun {

int wat(const WatCommand& command) {
  const auto module = decode_module(command.file);
  if (!module) return file_failure(command.file, module.error());
  auto output = OutputFile::open(command.output);
  if (!output) return failure("{}", output.error().message);
  const auto printed = wasi::text::print_module(**module, {.fold = command.fold},
                                                [&](std::string_view text) { return output->write(text); });
  if (!printed) return file_failure(command.file, printed.error());
  if (const auto finished = output->finish(); !finished) return failure("{}", finished.error().message);
  return kSuccess;
}

}  // namespace wasirun
