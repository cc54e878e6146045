#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace wasi::spec {

namespace {

using Json = nlohmann::json;

bool is_assertion(text::CommandKind kind) {
  return kind >= text::CommandKind::assert_return && kind <= text::CommandKind::assert_malformed_custom;
}

Json to_json(const Tally& tally) { return {{"passed", tally[Status::passed]}, {"failed", tally[Status::failed]}}; }

// Text of an XML attribute or element; what XML cannot hold at all becomes a question mark.
std::string escape_xml(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result +=
            (static_cast<unsigned char>(c) < 0x20 && c != '\n') || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
    }
  }
  return result;
}

}  // namespace

void Report::Sums::add(const Sums& other) {
  files += other.files;
  assertions.add(other.assertions);
  others.add(other.others);
}

void Report::begin_script(const std::filesystem::path& script, std::string_view tier) {
  Script& entry = scripts_.emplace_back();
  entry.file = script.string();
  entry.folder = script.parent_path().string();
  entry.tier = tier;
  entry.sums.files = 1;
}

Observer Report::observer(std::optional<std::uint64_t> only_line) {
  return [this, only_line, last = std::chrono::steady_clock::now()](const text::ScriptCommand& command,
                                                                    const Outcome& outcome) mutable {
    if (only_line && *only_line != command.line) return;
    Script& script = scripts_.back();
    const auto now = std::chrono::steady_clock::now();
    script.seconds += std::chrono::duration<double>(now - last).count();
    last = now;
    (is_assertion(command.kind) ? script.sums.assertions : script.sums.others).add(outcome.status);
    if (outcome.status == Status::passed) return;
    failures_.push_back({scripts_.size() - 1, command.line, std::string(name_of(command.kind)), outcome.detail});
  };
}

bool Report::is_empty() const {
  return std::ranges::all_of(
      scripts_, [](const Script& script) { return script.sums.assertions.total() + script.sums.others.total() == 0; });
}

std::map<std::pair<std::string, std::string>, Report::Sums> Report::by_folder() const {
  std::map<std::pair<std::string, std::string>, Sums> folders;
  for (const Script& script : scripts_) folders[{script.folder, script.tier}].add(script.sums);
  return folders;
}

void Report::print() const {
  for (const Case& one : failures_) {
    const Script& script = scripts_[one.script];
    fmt::print("{}:{}: {} [{}]: {}\n", script.file, one.line, one.command, script.tier, one.detail);
  }
  fmt::print("{:<32} {:<8} {:>6} {:>19} {:>19}\n", "", "", "", "assertions", "other commands");
  fmt::print("{:<32} {:<8} {:>6} {:>10} {:>8} {:>10} {:>8}\n", "folder", "tier", "files", "passed", "failed", "passed",
             "failed");
  const auto row = [](std::string_view folder, std::string_view tier, const Sums& sums) {
    fmt::print("{:<32} {:<8} {:>6} {:>10} {:>8} {:>10} {:>8}\n", folder, tier, sums.files,
               sums.assertions[Status::passed], sums.assertions[Status::failed], sums.others[Status::passed],
               sums.others[Status::failed]);
  };
  std::map<std::string, Sums> totals;
  for (const auto& [key, sums] : by_folder()) {
    row(key.first, key.second, sums);
    totals[key.second].add(sums);
  }
  for (const auto& [tier, sums] : totals) row("total", tier, sums);
}

bool Report::write(const std::filesystem::path& path) const {
  std::ofstream file(path, std::ios::binary);
  file << (path.extension() == ".xml" ? to_junit() : to_json());
  return file.flush().good();
}

std::string Report::to_json() const {
  Json json = {{"folders", Json::array()}, {"failures", Json::array()}};
  for (const auto& [key, sums] : by_folder()) {
    json["folders"].push_back({{"folder", key.first},
                               {"tier", key.second},
                               {"files", sums.files},
                               {"assertions", spec::to_json(sums.assertions)},
                               {"others", spec::to_json(sums.others)}});
  }
  for (const Case& failure : failures_) {
    const Script& script = scripts_[failure.script];
    json["failures"].push_back({{"file", script.file},
                                {"tier", script.tier},
                                {"line", failure.line},
                                {"command", failure.command},
                                {"detail", failure.detail}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// One suite per script and tier; one case for all of its commands that went as they should, one for each other.
std::string Report::to_junit() const {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  auto out = std::back_inserter(xml);
  for (std::size_t i = 0; i < scripts_.size(); ++i) {
    const Script& script = scripts_[i];
    const auto count = [&](Status status) { return script.sums.assertions[status] + script.sums.others[status]; };
    const std::string name = escape_xml(script.file);
    fmt::format_to(out, "  <testsuite name=\"{} [{}]\" tests=\"{}\" failures=\"{}\" time=\"{:.3f}\">\n", name,
                   script.tier, count(Status::passed) + count(Status::failed), count(Status::failed), script.seconds);
    fmt::format_to(out, "    <testcase classname=\"{}\" name=\"{} commands passed\"/>\n", name, count(Status::passed));
    for (const Case& one : failures_) {
      if (one.script != i) continue;
      fmt::format_to(out, "    <testcase classname=\"{}\" name=\"line {}: {}\"><failure message=\"{}\"/></testcase>\n",
                     name, one.line, one.command, escape_xml(one.detail));
    }
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace wasi::spec
