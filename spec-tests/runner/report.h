// What became of all commands: a table for people, JSON and JUnit for programs.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/wast/outcome.h"
#include "tools/wast/script.h"

namespace wasi::spec {

class Report {
 public:
  // What is observed from here on belongs to this script.
  void begin_script(const std::filesystem::path& script, std::string_view tier);
  // Counts commands; with a line only those on it.
  Observer observer(std::optional<std::uint64_t> only_line);

  // Failures, then a row per folder and tier.
  void print() const;
  // JSON or JUnit, by the name's extension. False when the file could not be written.
  [[nodiscard]] bool write(const std::filesystem::path& path) const;

  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] bool has_failures() const { return !failures_.empty(); }

 private:
  // Assertions, and the commands between them.
  struct Sums {
    std::uint64_t files = 0;
    Tally assertions;
    Tally others;
    void add(const Sums& other);
  };
  struct Script {
    std::string file;
    std::string folder;
    std::string tier;
    Sums sums;
    double seconds = 0;
  };
  struct Case {
    std::size_t script;
    std::uint64_t line;
    std::string command;
    std::string detail;
  };

  [[nodiscard]] std::map<std::pair<std::string, std::string>, Sums> by_folder() const;
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] std::string to_junit() const;

  std::vector<Script> scripts_;
  std::vector<Case> failures_;
};

}  // namespace wasi::spec
