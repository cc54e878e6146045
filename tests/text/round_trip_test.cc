// Text -> binary -> text -> binary gives the same bytes: for every module of the official suite and of the
// benchmarks, and whatever damage a decodable module has.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "binary/decoder.h"
#include "support/shared.h"
#include "text/print.h"
#include "text/script.h"
#include "text/text.h"

namespace wasi::text {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Tally {
  int same = 0;
  int unprintable = 0;  // of modules that the suite means to be malformed
};

Result<std::string> print(const Bytes& binary, bool fold) {
  const auto module = binary::decode_module({binary, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) return std::unexpected(module.error());
  return print_module(**module, {.fold = fold});
}

// `binary` was made from text.
void check_round_trip(const Bytes& binary, Tally& tally) {
  for (const bool fold : {false, true}) {
    const auto text = print(binary, fold);
    if (!text) {
      ++tally.unprintable;
      return;
    }
    const auto again = encode_module(*text);
    INFO(*text);
    if (!again) FAIL(again.error().to_string());
    if (*again != binary) FAIL("other bytes");
  }
  ++tally.same;
}

void check_module(std::string_view script, const ScriptModule& module, Tally& tally) {
  if (module.part.empty() && module.bytes.empty()) return;
  const auto binary = encode(script, module);
  if (!binary) return;  // malformed text, as its command says
  if (module.form != ModuleForm::binary) return check_round_trip(*binary, tally);
  // What was binary from the start may be spelled in ways that text cannot say.
  const auto text = print(*binary, false);
  if (!text) {
    ++tally.unprintable;
    return;
  }
  const auto first = encode_module(*text);
  INFO(*text);
  if (!first) FAIL(first.error().to_string());
  check_round_trip(*first, tally);
}

void check_commands(std::string_view script, const std::vector<ScriptCommand>& commands, Tally& tally) {
  for (const ScriptCommand& command : commands) {
    INFO("line " << command.line);
    check_module(script, command.module, tally);
    check_module(script, command.action.module, tally);
    check_commands(script, command.commands, tally);
  }
}

TEST_CASE("round trips of the official suite's modules") {
  Tally tally;
  for (const char* folder : {"core", "custom", "legacy", "proposals/threads"}) {
    const auto path = test::shared_path(std::string("spec-testsuite/") + folder);
    if (!path) return;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*path)) {
      if (entry.path().extension() != ".wast") continue;
      const Bytes bytes = test::read_file(entry.path());
      const std::string script(bytes.begin(), bytes.end());
      INFO(entry.path());
      const auto commands = parse_script(script);
      if (!commands) FAIL(commands.error().to_string());
      check_commands(script, *commands, tally);
    }
  }
  WARN(tally.same << " modules are the same after a round trip, " << tally.unprintable << " are malformed");
  CHECK(tally.same > 5000);
}

TEST_CASE("round trips of real modules") {
  Tally tally;
  for (const auto& path : test::shared_modules()) {
    INFO(path);
    const auto text = print(test::read_file(path), false);
    if (!text) {
      CHECK(text.error().message.find("component") != std::string::npos);
      continue;
    }
    const auto binary = encode_module(*text);
    if (!binary) FAIL(binary.error().to_string());
    check_round_trip(*binary, tally);
    CHECK(tally.unprintable == 0);
  }
}

}  // namespace
}  // namespace wasi::text
