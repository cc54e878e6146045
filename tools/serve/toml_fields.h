// Tables of a TOML file whose members are asked for by name and type: what manifests are read with.
//
// The first thing that is wrong is kept, with its line and column, and everything that is asked for afterwards is empty
// or whatever: whoever reads a manifest looks at the problem once, at the end.
// Source: https://toml.io/en/v1.0.0
#pragma once

// toml++ asserts that keys begin as keys do before it looks whether they do, and in builds without assertions tells the
// compiler that it is so: a manifest with "[!]" would abort, or do anything. Here it claims nothing, and says what is
// wrong.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasirun::serve {

class TomlProblem {
 public:
  explicit TomlProblem(std::string file) : file_(std::move(file)) {}
  void report(const toml::source_region& place, const std::string& message);
  [[nodiscard]] const std::optional<wasi::Error>& first() const { return first_; }

 private:
  std::string file_;
  std::optional<wasi::Error> first_;
};

// Empty, with a problem, for what is no TOML.
std::optional<toml::table> parse_toml(std::string_view text, TomlProblem& problem);

// Lives no longer than the table and the problem.
class TomlFields {
 public:
  // `name` is what messages call the table: "[component.trigger]".
  TomlFields(const toml::table& table, std::string name, TomlProblem& problem)
      : table_(&table), name_(std::move(name)), problem_(&problem) {}

  // Members; wrong types are problems, missing ones only where they are required.
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::string required_text(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> text_table(std::string_view key) const;
  [[nodiscard]] std::optional<TomlFields> table(std::string_view key) const;
  // An array of tables; the members of an array that is none are problems too.
  [[nodiscard]] std::vector<TomlFields> tables(std::string_view key) const;
  // The members that are tables, with their keys.
  [[nodiscard]] std::vector<std::pair<std::string, TomlFields>> members() const;

  [[nodiscard]] const toml::node* node(std::string_view key) const { return table_->get(key); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // A problem with a member, or with the table where it has no such member.
  void fail(std::string_view key, const std::string& message) const;
  void fail(const toml::node& node, const std::string& message) const { problem_->report(node.source(), message); }
  void fail(const std::string& message) const { problem_->report(table_->source(), message); }
  // That a node is of another type than it has to be.
  void fail_type(const toml::node& node, std::string_view what, std::string_view expected) const;
  [[nodiscard]] TomlProblem& problem() const { return *problem_; }

 private:
  [[nodiscard]] std::string member(std::string_view key) const;
  const toml::table* table_;
  std::string name_;
  TomlProblem* problem_;
};

}  // namespace wasirun::serve
