// wasirun: the command line of the engine.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <span>
#include <variant>

#include "os/fault_handler.h"
#include "tools/wasirun/command_line.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/payload.h"
#include "tools/wasirun/report.h"

// Of a build that looks for leaks, which it else does at exit().
extern "C" void __lsan_do_leak_check() __attribute__((weak, visibility("hidden")));

namespace {

[[noreturn]] void end_process(int exit_code) {
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  ::_exit(exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace wasirun;
  // A reader that goes away is an error of the write that notices it, for guests (EPIPE) and for us.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that grows past what the shell allows (EFBIG).
  std::signal(SIGXFSZ, SIG_IGN);
  // Faults of guests must reach us, whatever the parent blocks or ignores.
  wasi::os::restore_fault_signals();
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  const auto payload = own_payload();
  if (!payload) return failure("{}", payload.error().message);
  Command command = *payload ? parse_own_program((*payload)->options, words)
                             : parse_command_line(words.subspan(std::min<std::size_t>(1, words.size())));
  if (auto* chosen = std::get_if<RunCommand>(&command); chosen != nullptr && *payload) {
    chosen->embedded.emplace((*payload)->offset, (*payload)->size);
  }
  if (const auto* done = std::get_if<Done>(&command)) return done->exit_code;
  if (const auto* chosen = std::get_if<RunCommand>(&command)) end_process(finish_stdout(run(*chosen)));
  if (const auto* chosen = std::get_if<ServeCommand>(&command)) return finish_stdout(serve_http(*chosen));
  if (const auto* chosen = std::get_if<CompileCommand>(&command)) return finish_stdout(compile(*chosen));
  if (const auto* chosen = std::get_if<CacheCommand>(&command)) return finish_stdout(cache(*chosen));
  if (const auto* chosen = std::get_if<ValidateCommand>(&command)) return finish_stdout(validate(*chosen));
  if (const auto* chosen = std::get_if<ExplainCapsCommand>(&command)) return finish_stdout(explain_caps(*chosen));
  if (const auto* chosen = std::get_if<WatCommand>(&command)) return finish_stdout(wat(*chosen));
  if (const auto* chosen = std::get_if<ObjdumpCommand>(&command)) return finish_stdout(objdump(*chosen));
  if (const auto* chosen = std::get_if<WasmCommand>(&command)) return finish_stdout(wasm(*chosen));
  if (const auto* chosen = std::get_if<WastCommand>(&command)) return finish_stdout(wast(*chosen));
  if (const auto* chosen = std::get_if<CompletionCommand>(&command)) return finish_stdout(completion(*chosen));
  if (const auto* chosen = std::get_if<ManCommand>(&command)) return finish_stdout(man(*chosen));
  return finish_stdout(inspect(std::get<InspectCommand>(command)));
}
