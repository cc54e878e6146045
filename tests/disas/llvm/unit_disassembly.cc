#include "disas/llvm/unit_disassembly.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "disas/field_names.h"
#include "disas/module_text.h"
#include "runtime/preparation.h"

namespace wasi::test {
namespace {

using jit::OptimisingOptions;
using jit::UnitRequest;

struct Settings {
  OptimisingOptions options;
  std::optional<std::string_view> only;
  std::optional<std::string_view> loop;
  std::optional<std::string_view> hot;
  std::vector<std::string_view> reached;  // by the first call by reference: functions and how often, in turns
};

jit::UnitOptimisation optimisation_named(std::string_view name) {
  const auto* const row = std::ranges::find(jit::kUnitOptimisations, name, &jit::OptimisationInfo::name);
  REQUIRE(row != std::end(jit::kUnitOptimisations));
  REQUIRE_FALSE(row->is_cost);
  return static_cast<jit::UnitOptimisation>(row - std::begin(jit::kUnitOptimisations));
}

Settings settings_of(std::string_view text) {
  Settings settings;
  settings.options.cpu = jit::CpuFeatures::x86_64_v3();
  for_lines(text, [&](std::string_view line) {
    if (!line.starts_with(";;!")) return;
    INFO(line);
    const auto words = words_of(line.substr(3));
    if (words[0] == "reached") {
      REQUIRE(words.size() % 2 == 1);
      settings.reached.assign(words.begin() + 1, words.end());
      return;
    }
    REQUIRE(words.size() == 2);
    if (words[0] == "checks" && words[1] == "explicit") {
      settings.options.checks = runtime::BoundsChecks::explicit_checks;
    } else if (words[0] == "charge" && words[1] == "fuel") {
      settings.options.charges_fuel = true;
    } else if (words[0] == "strict" && words[1] == "memory") {
      settings.options.strict = true;
    } else if (words[0] == "cpu" && words[1] == "oldest") {
      settings.options.cpu = jit::CpuFeatures::least();
    } else if (words[0] == "cpu" && words[1] == "newer") {
      settings.options.cpu.vaes = true;
    } else if (words[0] == "hot") {
      settings.hot = words[1];
    } else if (words[0] == "only") {
      settings.only = words[1];
    } else if (words[0] == "loop") {
      settings.loop = words[1];
    } else {
      REQUIRE(words[0] == "without");
      settings.options.without.add(optimisation_named(words[1]));
    }
  });
  return settings;
}

// What there is of a module to name.
class Names {
 public:
  explicit Names(const wasm::Module& module) : bodies_(module) {
    for (std::uint32_t i = 0; i < module.bodies.size(); ++i) {
      const std::uint32_t function = module.imported_functions + i;
      functions_[function] = bodies_.name_of(function);
      for (auto& [offset, line] : bodies_.instructions(function)) instructions_[offset] = std::move(line);
    }
  }

  [[nodiscard]] std::uint32_t function_named(std::string_view name) const {
    const auto found = std::ranges::find(functions_, name, [](const auto& row) { return row.second; });
    REQUIRE(found != functions_.end());
    return found->first;
  }
  [[nodiscard]] const std::string& name_of(std::uint32_t function) const { return functions_.at(function); }
  [[nodiscard]] std::string_view instruction(std::uint64_t offset) const {
    const auto found = instructions_.find(offset);
    return found != instructions_.end() ? std::string_view(found->second) : "(the function)";
  }
  // From this byte of the module on.
  [[nodiscard]] std::uint64_t first(std::initializer_list<std::string_view> instructions, std::uint64_t from) const {
    for (auto at = instructions_.lower_bound(from); at != instructions_.end(); ++at) {
      for (const std::string_view one : instructions) {
        if (at->second.starts_with(one)) return at->first;
      }
    }
    FAIL("there is no " << *instructions.begin());
    return 0;
  }

 private:
  Bodies bodies_;
  std::map<std::uint32_t, std::string> functions_;
  std::map<std::uint64_t, std::string> instructions_;
};

std::optional<std::uint64_t> number(std::string_view digits, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

// One function's, from LLVM's text.
class Arrangement {
 public:
  explicit Arrangement(const Names& names) : names_(names) {}

  void take(std::string_view line) {
    if (line.starts_with("; ")) return head(line.substr(2));
    line = line.substr(0, line.find(" #"));  // LLVM's own comments
    while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
    if (line.empty()) return;
    if (line.front() != '\t') return label(line.substr(0, line.find(':')));
    line.remove_prefix(1);
    if (line.front() == '.') return data(line);
    flush();
    if (fields_) append("    " + fields_->rename(spelled(line)));
  }

  // All functions, and what they read.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& [name, code] : functions_) {
      if (!all.empty()) all += '\n';
      all += name + ":\n" + code;
    }
    return all;
  }

 private:
  void append(const std::string& line) { functions_.back().second += line + '\n'; }

  void head(std::string_view mark) {
    const auto words = words_of(mark);
    REQUIRE(words.size() == 2);
    const auto function = number(words[0]);
    const auto offset = number(words[1].substr(2), 16);
    REQUIRE((function && offset));
    heading_ = "  " + std::string(names_.instruction(*offset));
    if (function != function_) heading_ += "  (in " + names_.name_of(static_cast<std::uint32_t>(*function)) + ")";
  }
  // Not before there is an instruction.
  void flush() {
    if (!heading_.empty() && heading_ != last_heading_) append(heading_);
    if (!heading_.empty()) last_heading_ = heading_;
    heading_.clear();
  }

  void label(std::string_view name) {
    if (name.starts_with(".Lfunc_") || name.starts_with(".Ltmp")) return;
    if (name.starts_with("f")) {
      const std::size_t end = std::min(name.find('_'), name.size());
      const auto index = number(name.substr(1, end - 1));
      REQUIRE(index);
      function_ = index;
      std::string title = names_.name_of(static_cast<std::uint32_t>(*index));
      if (const auto loop = number(name.substr(std::min(end + 1, name.size()))); loop && end != name.size()) {
        title += ", from its loop on";
      } else if (end != name.size()) {
        title += name.substr(end);
      }
      functions_.emplace_back(title, "");
      fields_.emplace(FieldNames::Follows::jumps);
      labels_.clear();
      last_heading_.clear();
      return;
    }
    if (functions_.empty()) functions_.emplace_back("(constants)", "");
    const std::string known = spelled(name);
    if (fields_) fields_->at_label(known);
    append(known + ':');
  }

  // Constants and tables; all else is for an assembler.
  void data(std::string_view line) {
    for (const std::string_view kind : {".byte", ".short", ".long", ".quad", ".zero", ".ascii"}) {
      if (!line.starts_with(kind)) continue;
      if (functions_.empty()) functions_.emplace_back("(constants)", "");
      append("    " + spelled(line));
    }
  }

  // ".LBB0_7" is L1 where it is the second label that is seen; "f3" is a function; one space between words.
  std::string spelled(std::string_view line) {
    std::string result;
    while (!line.empty()) {
      const bool begins_word = result.empty() || std::isalnum(static_cast<unsigned char>(result.back())) == 0;
      std::size_t length = 0;
      const auto is_word = [&](char c) {
        return c == '_' || c == '.' || std::isalnum(static_cast<unsigned char>(c)) != 0;
      };
      while (length < line.size() && is_word(line[length])) ++length;
      const std::string_view word = line.substr(0, length);
      if (length == 0 || !begins_word) {
        const char c = line.front() == '\t' ? ' ' : line.front();
        if (c == ' ' && result.ends_with(' ')) {
          line.remove_prefix(1);
          continue;
        }
        // "rdi + 8" as "rdi+8", as the baseline's listings have it.
        const bool is_sum =
            (c == '+' || c == '-' || c == '*') && result.ends_with(' ') && line.starts_with(std::string(1, c) + ' ');
        if (is_sum) result.pop_back();
        result += c;
        line.remove_prefix(is_sum ? 2 : 1);
        continue;
      }
      line.remove_prefix(length);
      if (word.starts_with(".L")) {
        const char* const kind = word.starts_with(".LCPI") ? "constant" : word.starts_with(".LJTI") ? "table" : "L";
        auto& numbers = labels_[kind];
        const auto [at, is_new] = numbers.try_emplace(std::string(word), numbers.size());
        result += kind + std::to_string(at->second);
      } else if (const auto index = word.starts_with("f") ? number(word.substr(1, word.find('_') - 1)) : std::nullopt) {
        result += names_.name_of(static_cast<std::uint32_t>(*index));
        result += word.substr(std::min(word.find('_'), word.size()));
      } else {
        result += word;
      }
    }
    return result;
  }

  const Names& names_;
  std::vector<std::pair<std::string, std::string>> functions_;  // names and code
  std::optional<std::uint64_t> function_;
  std::map<std::string_view, std::map<std::string, std::size_t>> labels_;
  std::optional<FieldNames> fields_;  // of the function
  std::string heading_;
  std::string last_heading_;
};

}  // namespace

std::string disassemble_unit(std::string_view text) {
  return disassemble_unit(text, [](OptimisingOptions&) {});
}

std::string disassemble_unit(std::string_view text, const std::function<void(OptimisingOptions&)>& change_options) {
  const LoadedModule loaded = load(text);
  const wasm::Module& module = *loaded.module;
  const Names names(module);
  Settings settings = settings_of(text);
  settings.options.log = true;
  change_options(settings.options);
  std::vector<UnitRequest> requests;
  if (settings.loop) {
    const wasm::FuncIndex function(names.function_named(*settings.loop));
    requests.push_back(
        {.index = function, .validated = true, .loop = names.first({"loop"}, module.body(function).offset)});
  } else if (settings.only) {
    requests.push_back({.index = wasm::FuncIndex(names.function_named(*settings.only)), .validated = true});
  } else {
    for (std::uint32_t i = module.imported_functions; i < module.functions.size(); ++i) {
      requests.push_back({.index = wasm::FuncIndex(i), .validated = true});
    }
  }
  std::vector<jit::HeldFunction> held = jit::held_functions(module);
  for (jit::HeldFunction& one : held) {
    one.heat = settings.hot && one.function.value == names.function_named(*settings.hot) ? 1 : 0;
  }
  settings.options.held = held;
  std::vector<runtime::SeenCall> seen;
  if (!settings.reached.empty()) {
    seen.push_back(
        {.offset = names.first({"call_indirect", "call_ref", "return_call_indirect", "return_call_ref"}, 0)});
    // What is no function's name is everything else.
    auto next = seen.front().callees.begin();
    for (std::size_t i = 0; i < settings.reached.size(); i += 2) {
      const auto calls = number(settings.reached[i + 1]);
      REQUIRE(calls);
      if (settings.reached[i] == "others") {
        seen.front().others = *calls;
      } else {
        *next++ = {names.function_named(settings.reached[i]), *calls};
      }
    }
  }
  settings.options.seen = seen;
  const auto compiler = jit::load_optimising_compiler();
  if (!compiler) FAIL(compiler.error().to_string());
  runtime::Preparation preparation;
  const auto unit = (*compiler)->compile(module, requests, settings.options, preparation);
  if (!unit) FAIL(unit.error().to_string());
  REQUIRE(unit->functions.size() >= requests.size());
  // A listing is of the code that runs.
  OptimisingOptions unlisted = settings.options;
  unlisted.log = false;
  unlisted.counts = nullptr;
  runtime::Preparation second_preparation;
  const auto plain = (*compiler)->compile(module, requests, unlisted, second_preparation);
  if (!plain) FAIL(plain.error().to_string());
  REQUIRE(plain->bytes == unit->bytes);
  Arrangement arrangement(names);
  for_lines(unit->log, [&](std::string_view line) { arrangement.take(line); });
  return arrangement.text();
}

}  // namespace wasi::test
