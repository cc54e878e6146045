// Damaged texts: bytes and whole tokens of the official scripts, changed, moved and removed. Whatever the damage, a
// text becomes a module or an error that says where; and what it became can be decoded or is refused with a message.
#include "text/text.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "binary/decoder.h"
#include "mutation/mutate.h"
#include "support/shared.h"
#include "text/script.h"
#include "validate/validator.h"

using namespace wasi;

namespace {

struct Tally {
  int scripts_refused = 0;
  int modules_refused = 0;
  int undecodable = 0;
  int invalid = 0;
  int valid = 0;
};

void check_error(const Error& error) {
  REQUIRE_FALSE(error.message.empty());
  REQUIRE(error.text);
  REQUIRE(error.text->line >= 1);
  REQUIRE(error.text->column >= 1);
  REQUIRE(error.to_string().size() < 2000);
}

void run_module(std::span<const std::uint8_t> bytes, Tally& tally) {
  const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) {
    REQUIRE_FALSE(module.error().message.empty());
    ++tally.undecodable;
    return;
  }
  const bool is_valid = validate::validate_module(**module) && validate::validate_functions(**module, 1);
  ++(is_valid ? tally.valid : tally.invalid);
}

void run_commands(std::string_view script, std::span<const text::ScriptCommand> commands, Tally& tally) {
  for (const text::ScriptCommand& command : commands) {
    run_commands(script, command.commands, tally);
    for (const text::ScriptModule* module : {&command.module, &command.action.module}) {
      if (module->part.empty() && module->bytes.empty()) continue;
      const auto bytes = text::encode(script, *module);
      if (bytes) {
        run_module(*bytes, tally);
      } else {
        check_error(bytes.error());
        ++tally.modules_refused;
      }
    }
  }
}

void run_script(const std::string& script, Tally& tally) {
  const auto commands = text::parse_script(script);
  if (commands) return run_commands(script, *commands, tally);
  check_error(commands.error());
  ++tally.scripts_refused;
}

// Runs of characters that are not white space, and single parentheses.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = text.find_first_of(" \t\n()", i);
    if (end == std::string_view::npos) end = text.size();
    if (end == i) ++end;
    tokens.push_back(text.substr(i, end - i));
    i = end;
  }
  return tokens;
}

// One token removed, doubled, put elsewhere, or replaced by another of the same text.
std::string mutate_tokens(std::string_view text, test::Random& random) {
  std::vector<std::string_view> tokens = tokens_of(text);
  for (std::uint64_t count = 1 + random.below(3); count != 0 && !tokens.empty(); --count) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(tokens.size()));
    const std::string_view other = tokens[random.below(tokens.size())];
    switch (random.below(4)) {
      case 0:
        tokens.erase(tokens.begin() + at);
        break;
      case 1:
        tokens.insert(tokens.begin() + at, other);
        break;
      default:
        tokens[static_cast<std::size_t>(at)] = other;
    }
  }
  std::string result;
  for (const std::string_view token : tokens) result += token;
  return result;
}

std::string read_text(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = test::read_file(path);
  return {bytes.begin(), bytes.end()};
}

constexpr int kRounds = 12;

}  // namespace

TEST_CASE("damaged scripts become modules or errors that say where") {
  const auto scripts = test::official_scripts();
  if (scripts.empty()) return;
  Tally tally;
  for (const auto& path : scripts) {
    const std::string script = read_text(path);
    if (script.size() > 100'000) continue;
    for (int round = 0; round < kRounds; ++round) {
      INFO(path.string() << ", seed " << round);
      test::Random random(static_cast<std::uint64_t>(round) ^ script.size());
      if (round % 2 == 0) {
        run_script(mutate_tokens(script, random), tally);
      } else {
        const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(script.data()), script.size());
        const std::vector<std::uint8_t> damaged = test::mutate(bytes, random);
        run_script({damaged.begin(), damaged.end()}, tally);
      }
    }
  }
  WARN(tally.scripts_refused << " scripts and " << tally.modules_refused << " modules refused, " << tally.undecodable
                             << " undecodable, " << tally.invalid << " invalid, " << tally.valid << " valid");
  CHECK(tally.scripts_refused > 0);
  CHECK(tally.modules_refused > 0);
  CHECK(tally.invalid > 0);
  CHECK(tally.valid > 0);
}
