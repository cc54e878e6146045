#include "tools/serve/toml_fields.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace wasirun::serve {

namespace {

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

}  // namespace

void TomlProblem::report(const toml::source_region& place, const std::string& message) {
  if (first_) return;
  first_ = wasi::Error{
      .kind = wasi::ErrorKind::argument,
      .message = fmt::format("{}:{}:{}: {}", file_, place.begin.line, place.begin.column, wasi::printable(message))};
}

std::optional<toml::table> parse_toml(std::string_view text, TomlProblem& problem) {
  toml::parse_result result = toml::parse(text);
  if (result) return std::move(result).table();
  problem.report(result.error().source(), std::string(result.error().description()));
  return std::nullopt;
}

std::string TomlFields::member(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{} of {}", key, name_);
}

void TomlFields::fail(std::string_view key, const std::string& message) const {
  const toml::node* const found = node(key);
  problem_->report(found != nullptr ? found->source() : table_->source(), message);
}

void TomlFields::fail_type(const toml::node& node, std::string_view what, std::string_view expected) const {
  fail(node, fmt::format("{} is {}, expected {}", what, name_of(node.type()), expected));
}

std::optional<std::string> TomlFields::text(std::string_view key) const {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->as_string()) return text->get();
  fail_type(*found, member(key), "a string");
  return std::nullopt;
}

std::string TomlFields::required_text(std::string_view key) const {
  if (node(key) == nullptr) fail(fmt::format("{} is missing", member(key)));
  return text(key).value_or("");
}

bool TomlFields::flag(std::string_view key) const {
  const toml::node* const found = node(key);
  if (found == nullptr) return false;
  if (const auto* value = found->as_boolean()) return value->get();
  fail_type(*found, member(key), "a boolean");
  return false;
}

std::optional<std::int64_t> TomlFields::integer(std::string_view key) const {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_integer()) return value->get();
  fail_type(*found, member(key), "an integer");
  return std::nullopt;
}

std::vector<std::string> TomlFields::texts(std::string_view key) const {
  std::vector<std::string> texts;
  const toml::node* const found = node(key);
  if (found == nullptr) return texts;
  const toml::array* const array = found->as_array();
  if (array == nullptr) {
    fail_type(*found, member(key), "an array of strings");
    return texts;
  }
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string()) {
      texts.push_back(text->get());
    } else {
      fail_type(element, "an element of " + member(key), "a string");
    }
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> TomlFields::text_table(std::string_view key) const {
  std::vector<std::pair<std::string, std::string>> texts;
  const std::optional<TomlFields> inner = table(key);
  if (!inner) return texts;
  for (const auto& [name, value] : *inner->table_) {
    if (const auto* text = value.as_string()) {
      texts.emplace_back(name.str(), text->get());
    } else {
      inner->fail_type(value, inner->member(name.str()), "a string");
    }
  }
  return texts;
}

std::optional<TomlFields> TomlFields::table(std::string_view key) const {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const toml::table* table = found->as_table()) return TomlFields(*table, member(key), *problem_);
  fail_type(*found, member(key), "a table");
  return std::nullopt;
}

std::vector<TomlFields> TomlFields::tables(std::string_view key) const {
  std::vector<TomlFields> tables;
  const toml::node* const found = node(key);
  if (found == nullptr) return tables;
  const toml::array* const array = found->as_array();
  if (array == nullptr) {
    fail_type(*found, member(key), fmt::format("an array of tables: [[{}]]", key));
    return tables;
  }
  for (const toml::node& element : *array) {
    if (const toml::table* table = element.as_table()) {
      tables.emplace_back(*table, fmt::format("{} {}", key, tables.size() + 1), *problem_);
    } else {
      fail_type(element, "an element of " + member(key), "a table");
    }
  }
  return tables;
}

std::vector<std::pair<std::string, TomlFields>> TomlFields::members() const {
  std::vector<std::pair<std::string, TomlFields>> members;
  for (const auto& [key, value] : *table_) {
    if (const toml::table* table = value.as_table()) {
      members.emplace_back(key.str(), TomlFields(*table, member(key.str()), *problem_));
    } else {
      fail_type(value, member(key.str()), "a table");
    }
  }
  return members;
}

}  // namespace wasirun::serve
