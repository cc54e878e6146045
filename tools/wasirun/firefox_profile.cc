// See guest_profile_output.h.
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tools/wasirun/guest_profile_output.h"

namespace wasirun {

namespace {

using Json = nlohmann::json;
using wasi::detail::GuestProfile;
using Code = GuestProfile::Code;

constexpr int kFormat = 62;

double milliseconds(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

// A table is an object of columns, which all have `length` elements.
class Table {
 public:
  explicit Table(std::initializer_list<const char*> columns) {
    for (const char* column : columns) json_[column] = Json::array();
    json_["length"] = 0;
  }
  // Values in the order of the names, which are those of the constructor.
  void add(std::initializer_list<std::pair<const char*, Json>> row) {
    for (const auto& [column, value] : row) json_[column].push_back(value);
    json_["length"] = json_["length"].get<int>() + 1;
  }
  [[nodiscard]] int size() const { return json_["length"].get<int>(); }
  [[nodiscard]] const Json& json() const { return json_; }

 private:
  Json json_ = Json::object();
};

class Strings {
 public:
  int of(const std::string& text) {
    const auto [place, is_new] = numbers_.try_emplace(text, static_cast<int>(numbers_.size()));
    if (is_new) array_.push_back(text);
    return place->second;
  }
  [[nodiscard]] const Json& array() const { return array_; }

 private:
  std::map<std::string, int> numbers_;
  Json array_ = Json::array();
};

Json categories() {
  Json list = Json::array();
  const auto add = [&](std::string_view name, const char* color) {
    list.push_back({{"name", name}, {"color", color}, {"subcategories", {"Other"}}});
  };
  add(wasi::detail::name_of(Code::interpreted), "orange");
  add(wasi::detail::name_of(Code::baseline), "yellow");
  add(wasi::detail::name_of(Code::optimised), "green");
  return list;
}

Json functions(const GuestProfile& profile, Strings& strings) {
  Table table({"name", "isJS", "relevantForJS", "resource", "source", "lineNumber", "columnNumber"});
  for (const GuestProfile::Function& function : profile.functions) {
    table.add({{"name", strings.of(name_of(function))},
               {"isJS", false},
               {"relevantForJS", false},
               {"resource", -1},
               {"source", nullptr},
               {"lineNumber", nullptr},
               {"columnNumber", nullptr}});
  }
  return table.json();
}

// Frames that were inlined say how deep in the code of the function that stands for all of them: the deepest of the
// stacks that a frame is in.
std::vector<int> inline_depths(const GuestProfile& profile) {
  std::vector<int> of_nodes(profile.nodes.size(), 0);
  std::vector<int> of_frames(profile.frames.size(), 0);
  for (std::size_t i = 0; i < profile.nodes.size(); ++i) {
    const GuestProfile::Node& node = profile.nodes[i];
    if (!profile.frames[node.frame].is_inlined || !node.caller) continue;
    of_nodes[i] = of_nodes[*node.caller] + 1;
    of_frames[node.frame] = std::max(of_frames[node.frame], of_nodes[i]);
  }
  return of_frames;
}

Json frames(const GuestProfile& profile) {
  Table table(
      {"address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID", "line", "column"});
  const std::vector<int> depths = inline_depths(profile);
  for (std::size_t i = 0; i < profile.frames.size(); ++i) {
    const GuestProfile::Frame& frame = profile.frames[i];
    table.add({{"address", frame.offset ? Json(*frame.offset) : Json(-1)},
               {"inlineDepth", depths[i]},
               {"category", static_cast<int>(frame.code)},
               {"subcategory", 0},
               {"func", frame.function},
               {"nativeSymbol", nullptr},
               {"innerWindowID", 0},
               {"line", frame.line != 0 ? Json(frame.line) : Json(nullptr)},
               {"column", nullptr}});
  }
  return table.json();
}

Json stacks(const GuestProfile& profile) {
  Table table({"frame", "prefix"});
  for (const GuestProfile::Node& node : profile.nodes) {
    table.add({{"frame", node.frame}, {"prefix", node.caller ? Json(*node.caller) : Json(nullptr)}});
  }
  return table.json();
}

Json samples(const GuestProfile& profile, std::uint32_t thread) {
  Table table({"stack", "timeDeltas", "weight"});
  std::chrono::nanoseconds before{0};
  for (const GuestProfile::Sample& sample : profile.samples) {
    if (sample.thread != thread) continue;
    table.add({{"stack", sample.node}, {"timeDeltas", milliseconds(sample.at - before)}, {"weight", 1}});
    before = sample.at;
  }
  Json json = table.json();
  json["weightType"] = "samples";
  return json;
}

}  // namespace

std::string name_of(const GuestProfile::Function& function) {
  const std::string name = function.name.empty() ? fmt::format("function {}", function.index) : function.name;
  return function.module.empty() ? name : function.module + "!" + name;
}

std::string firefox_profile(const GuestProfile& profile, std::string_view program) {
  Strings strings;
  const Json empty_markers = Table({"category", "data", "endTime", "name", "phase", "startTime"}).json();
  Json shared = {
      {"frameTable", frames(profile)},
      {"funcTable", functions(profile, strings)},
      {"stackTable", stacks(profile)},
      {"nativeSymbols", Table({"address", "functionSize", "libIndex", "name"}).json()},
      {"resourceTable", Table({"host", "lib", "name", "type"}).json()},
      {"sources", Table({"filename", "id", "sourceMapURL", "startColumn", "startLine"}).json()},
  };
  shared["stringArray"] = strings.array();
  const std::string process = std::to_string(::getpid());
  std::uint32_t last_thread = 0;
  for (const GuestProfile::Sample& sample : profile.samples) last_thread = std::max(last_thread, sample.thread);
  Json threads = Json::array();
  for (std::uint32_t number = 0; number <= last_thread; ++number) {
    threads.push_back({{"name", number == 0 ? std::string(program) : fmt::format("thread {}", number)},
                       {"isMainThread", number == 0},
                       {"markers", empty_markers},
                       {"pausedRanges", Json::array()},
                       {"pid", process},
                       {"tid", number == 0 ? process : fmt::format("{}.{}", process, number)},
                       {"processName", program},
                       {"processType", "default"},
                       {"processStartupTime", 0.0},
                       {"processShutdownTime", milliseconds(profile.duration)},
                       {"registerTime", 0.0},
                       {"unregisterTime", milliseconds(profile.duration)},
                       {"showMarkersInTimeline", false},
                       {"samples", samples(profile, number)}});
  }
  const Json meta = {
      {"version", 24},
      {"preprocessedProfileVersion", kFormat},
      {"product", fmt::format("wasirun {}", program)},
      {"interval", milliseconds(profile.period)},
      {"startTime", milliseconds(profile.begin.time_since_epoch())},
      {"processType", 0},
      {"symbolicated", true},
      {"debug", false},
      {"categories", categories()},
      {"markerSchema", Json::array()},
      {"pausedRanges", Json::array()},
      {"extensions", {{"baseURL", Json::array()}, {"id", Json::array()}, {"length", 0}, {"name", Json::array()}}},
      {"sampleUnits", {{"time", "ms"}, {"eventDelay", "ms"}, {"threadCPUDelta", "µs"}}},
      {"sourceCodeIsNotOnSearchfox", true},
      {"usesOnlyOneStackType", true}};
  const Json whole = {{"meta", meta},
                      {"libs", Json::array()},
                      {"pages", Json::array()},
                      {"counters", Json::array()},
                      {"profilerOverhead", Json::array()},
                      {"shared", shared},
                      {"threads", std::move(threads)}};
  // A guest's names are what it likes; JSON is UTF-8.
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wasirun
