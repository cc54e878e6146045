#include "disassembly.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <charconv>
#include <map>
#include <string>
#include <string_view>

#include "disas/field_names.h"
#include "disas/module_text.h"

namespace wasi::test {
namespace {

using jit::CpuFeatures;
using jit::baseline::CompileOptions;

// What machines of today have, and what the compiler asks for at least: whatever this machine is.
constexpr CpuFeatures kNewest = CpuFeatures::x86_64_v3();
constexpr CpuFeatures kOldest = CpuFeatures::least();

struct Settings {
  CompileOptions options;
  bool shows_ends = false;
  bool shows_oldest = false;
};

Settings settings_of(std::string_view text) {
  Settings settings;
  for_lines(text, [&](std::string_view line) {
    if (!line.starts_with(";;!")) return;
    INFO(line);
    const auto words = words_of(line.substr(3));
    REQUIRE(words.size() == 2);
    if (words[0] == "checks" && words[1] == "explicit") {
      settings.options.checks = runtime::BoundsChecks::explicit_checks;
    } else if (words[0] == "charge" && words[1] == "fuel") {
      settings.options.charges_fuel = true;
    } else if (words[0] == "show" && words[1] == "ends") {
      settings.shows_ends = true;
    } else if (words[0] == "show" && words[1] == "oldest") {
      settings.shows_oldest = true;
    } else {
      REQUIRE(words[0] == "without");
      bool is_known = false;
      for (std::size_t i = 0; i < jit::baseline::kOptimisationCount; ++i) {
        if (jit::baseline::kOptimisations[i].name != words[1]) continue;
        settings.options.without.add(static_cast<jit::baseline::Optimisation>(i));
        is_known = true;
      }
      REQUIRE(is_known);
    }
  });
  return settings;
}

bool is_trap(std::string_view heading) {
#define WASI_TRAP(name, message) \
  if (heading == (message)) return true;
#include <wasi/traps.def>
#undef WASI_TRAP
  return false;
}

// "L17" is the third label to be seen: L2. So that labels that nobody uses do not count.
class LabelNumbers {
 public:
  std::string rename(std::string_view line) {
    std::string result;
    while (!line.empty()) {
      const bool begins_word = result.empty() || !is_word(result.back());
      std::size_t digits = 1;
      while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
      const bool is_label =
          begins_word && line[0] == 'L' && digits > 1 && (digits == line.size() || !is_word(line[digits]));
      if (!is_label) {
        result += line[0];
        line.remove_prefix(1);
        continue;
      }
      const auto [at, is_new] = numbers_.try_emplace(std::string(line.substr(0, digits)), numbers_.size());
      result += 'L' + std::to_string(at->second);
      line.remove_prefix(digits);
    }
    return result;
  }

 private:
  static bool is_word(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }
  std::map<std::string, std::size_t> numbers_;
};

// The labels of traps, with their messages.
std::map<std::string, std::string, std::less<>> traps_of(std::string_view log) {
  std::map<std::string, std::string, std::less<>> traps;
  std::string_view heading;
  for_lines(log, [&](std::string_view line) {
    if (line.starts_with("; ")) {
      heading = line.substr(2);
    } else if (line.starts_with('L') && line.ends_with(':') && is_trap(heading)) {
      traps.emplace(line.substr(0, line.size() - 1), heading);
    }
  });
  return traps;
}

// The log of a function with the instructions' text; those that became nothing stand on one line with the next.
std::string arrange(std::string_view log, const std::map<std::uint64_t, std::string>& instructions, bool shows_ends) {
  const auto traps = traps_of(log);
  LabelNumbers labels;
  FieldNames fields;
  std::string result;
  std::string heading;
  bool is_hidden = false;
  bool is_table = false;  // distances are told as labels
  for_lines(log, [&](std::string_view line) {
    if (!line.starts_with("; ")) {
      if (is_hidden || (is_table && line.starts_with(".db"))) return;
      if (!heading.empty()) result += "  " + heading + '\n';
      heading.clear();
      if (const std::size_t jump = line.find("short "); jump != line.npos) {
        result += "    ";
        line.remove_prefix(jump + 6);
      }
      const auto trap = shows_ends ? traps.end() : traps.find(line.substr(line.rfind(' ') + 1));
      if (trap != traps.end()) {
        result += std::string(line.substr(0, line.rfind(' '))) + " (" + trap->second + ')';
      } else {
        if (line.starts_with('L')) fields.forget();
        result += labels.rename(fields.rename(line));
      }
      result += '\n';
      return;
    }
    line.remove_prefix(2);
    std::uint64_t offset = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), offset, 16);
    const bool is_instruction = error == std::errc() && *end == ':';
    is_hidden = !shows_ends && (is_trap(line) || line == "trap" || line == "from the interpreter to a loop");
    is_table = line == "jump tables";
    if (is_hidden) return;
    if (!is_instruction) {
      heading = '(' + std::string(line) + ')';
    } else {
      if (!heading.empty() && heading.front() == '(') heading.clear();
      heading += (heading.empty() ? "" : "; ") + instructions.at(offset);
    }
  });
  return result;
}

std::map<std::uint32_t, std::string> functions_of(const wasm::Module& module, const Settings& settings) {
  Bodies bodies(module);
  std::map<std::uint32_t, std::string> functions;
  for (std::uint32_t i = 0; i < module.bodies.size(); ++i) {
    const std::uint32_t function = module.imported_functions + i;
    runtime::Preparation preparation;
    INFO("function " << bodies.name_of(function));
    const auto code = jit::baseline::compile(module, wasm::FuncIndex(function), true, settings.options, preparation);
    if (!code) FAIL(code.error().to_string());
    // A listing is of the code that runs: without one, the commonest instructions are encoded in another way.
    CompileOptions unlisted = settings.options;
    unlisted.log = false;
    unlisted.counts = nullptr;
    runtime::Preparation second_preparation;
    const auto plain = jit::baseline::compile(module, wasm::FuncIndex(function), true, unlisted, second_preparation);
    if (!plain) FAIL(plain.error().to_string());
    REQUIRE(plain->bytes == code->bytes);
    functions[function] = arrange(code->log, bodies.instructions(function), settings.shows_ends);
  }
  return functions;
}

}  // namespace

std::string disassemble(std::string_view text) {
  return disassemble(text, [](CompileOptions&) {});
}

std::string disassemble(std::string_view text, const std::function<void(CompileOptions&)>& change_options) {
  const LoadedModule loaded = load(text);
  Settings settings = settings_of(text);
  settings.options.log = true;
  settings.options.cpu = kNewest;
  change_options(settings.options);
  const auto newest = functions_of(*loaded.module, settings);
  settings.options.cpu = kOldest;
  const auto oldest = settings.shows_oldest ? functions_of(*loaded.module, settings) : newest;
  const Bodies bodies(*loaded.module);
  std::string result;
  for (const auto& [function, code] : newest) {
    if (!result.empty()) result += '\n';
    result += bodies.name_of(function) + ":\n" + code;
    if (oldest.at(function) != code) {
      result += '\n' + bodies.name_of(function) + ", oldest machines:\n" + oldest.at(function);
    }
  }
  return result;
}

}  // namespace wasi::test
