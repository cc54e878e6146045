#include "tools/serve/spin_variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace wasirun::serve {

namespace {

// The latest first.
constexpr std::string_view kPrefixes[] = {"SPIN_VARIABLE_", "SPIN_CONFIG_", "SPIN_APP_"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<std::string> not_a_spin_key(std::string_view key) {
  if (key.empty()) return "it is empty";
  if (!is_lower(key.front())) return "it has to begin with a lower-case letter";
  if (!std::ranges::all_of(key, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; })) {
    return "it may have lower-case letters, digits and underscores alone";
  }
  if (key.back() == '_') return "it must not end with an underscore";
  if (key.contains("__")) return "it must not have two underscores in a row";
  return std::nullopt;
}

std::expected<SpinTemplate, std::string> SpinTemplate::parse(std::string_view text) {
  SpinTemplate parsed;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    if (open != 0) parsed.parts_.push_back({.is_variable = false, .text = std::string(text.substr(0, open))});
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find("}}", open + 2);
    if (close == std::string_view::npos) return std::unexpected("\"{{\" without \"}}\"");
    parsed.parts_.push_back(
        {.is_variable = true, .text = std::string(trimmed(text.substr(open + 2, close - open - 2)))});
    text.remove_prefix(close + 2);
  }
  return parsed;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::expected<std::string, std::string> resolve(const SpinTemplate& value, const SpinVariables& variables,
                                                const Environment& environment) {
  std::string out;
  for (const SpinTemplate::Part& part : value.parts()) {
    if (!part.is_variable) {
      out += part.text;
      continue;
    }
    std::string upper = part.text;
    for (char& c : upper) {
      if (is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
    }
    std::optional<std::string> found;
    for (const std::string_view prefix : kPrefixes) {
      if (!found) found = environment(std::string(prefix) + upper);
    }
    if (!found) {
      if (const auto variable = variables.find(part.text); variable != variables.end()) found = variable->second.value;
    }
    if (!found) {
      return std::unexpected(
          fmt::format("the variable {} is required and has no value: {}{} is not set", part.text, kPrefixes[0], upper));
    }
    out += *found;
  }
  return out;
}

}  // namespace wasirun::serve
