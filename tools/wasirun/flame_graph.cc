// See guest_profile_output.h.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/wasirun/guest_profile_output.h"

namespace wasirun {

namespace {

using Json = nlohmann::json;
using wasi::detail::GuestProfile;

// A box of the graph: calls of one function, in code of one kind, from the box below.
struct Box {
  std::uint64_t total = 0;  // samples here and above
  std::uint64_t self = 0;
  std::map<std::pair<std::uint32_t, std::pair<GuestProfile::Code, bool>>, std::unique_ptr<Box>> callees;
};

Box tree_of(const GuestProfile& profile) {
  Box root;
  std::vector<std::uint32_t> frames;
  for (const GuestProfile::Sample& sample : profile.samples) {
    frames.clear();
    for (std::optional<std::uint32_t> node = sample.node; node; node = profile.nodes[*node].caller) {
      frames.push_back(profile.nodes[*node].frame);
    }
    Box* box = &root;
    ++box->total;
    for (auto number = frames.rbegin(); number != frames.rend(); ++number) {
      const GuestProfile::Frame& frame = profile.frames[*number];
      auto& callee = box->callees[{frame.function, {frame.code, frame.is_inlined}}];
      if (callee == nullptr) callee = std::make_unique<Box>();
      box = callee.get();
      ++box->total;
    }
    ++box->self;
  }
  return root;
}

// Rows [depth, begin, samples, self, name, kind of code, inlined], in the order of a walk; recursion of the host's is
// as deep as the guest's, of which the sampler keeps so much.
void add_rows(const Box& box, const GuestProfile& profile, std::uint64_t begin, int depth, Json& rows) {
  for (const auto& [key, callee] : box.callees) {
    const auto& [function, how] = key;
    rows.push_back({depth, begin, callee->total, callee->self, name_of(profile.functions[function]),
                    static_cast<int>(how.first), how.second ? 1 : 0});
    add_rows(*callee, profile, begin, depth + 1, rows);
    begin += callee->total;
  }
}

// In a script nothing may look like its end.
std::string for_script(const Json& json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; at += 6) text.replace(at, 1, "\\u003c");
  return text;
}

constexpr std::string_view kPage = R"HTML(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wasirun profile</title>
<style>
body { font: 13px system-ui, sans-serif; margin: 1em; background: #fff; color: #222 }
#graph { position: relative; overflow: hidden }
.box { position: absolute; height: 17px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; box-sizing: border-box;
  padding: 0 3px; font-size: 12px; line-height: 17px; border: 1px solid #fff; border-radius: 2px; cursor: pointer }
.code0 { background: #f6b26b } .code1 { background: #ffe08a } .code2 { background: #a9d18e } .inlined { opacity: .75; font-style: italic }
.found { outline: 2px solid #c00; outline-offset: -2px } .outside { opacity: .4 }
.key { padding: 0 .5em; border-radius: 2px; margin-right: .5em }
#bar > * { margin-right: 1em } input { font: inherit }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd } .box { color: #111; border-color: #1b1b1b } .key { color: #111 } }
</style>
<h1 id="title"></h1>
<p id="bar"><input id="search" type="search" placeholder="Search functions"><button id="reset">Whole graph</button><span id="what"></span></p>
<p><span class="key code0">interpreter</span><span class="key code1">baseline</span><span class="key code2">optimised</span><span class="key code2 inlined">inlined</span></p>
<div id="graph"></div>
<script>
"use strict";
const profile = )HTML";
constexpr std::string_view kScript = R"HTML(;
const rows = profile.rows.map(([depth, begin, total, self, name, code, inlined]) => ({depth, begin, total, self, name, code, inlined}));
const all = {depth: -1, begin: 0, total: profile.samples, name: "all"};
const graph = document.getElementById("graph"), what = document.getElementById("what");
let shown = all;
document.getElementById("title").textContent = profile.program + ": " + profile.samples + " samples, one each " + profile.period + " ms";
const share = row => (100 * row.total / Math.max(1, profile.samples)).toFixed(2) + " %";
const text = row => row.name + ": " + row.total + " samples, " + share(row) + (row.depth < 0 ? "" : ", " + row.self + " of them in itself");
function draw() {
  const width = graph.clientWidth, pattern = document.getElementById("search").value.toLowerCase();
  graph.textContent = "";
  let depth = 0, found = 0, end = -1;
  for (const row of rows) {
    const inside = row.begin >= shown.begin && row.begin + row.total <= shown.begin + shown.total;
    const below = row.depth <= shown.depth && row.begin <= shown.begin && row.begin + row.total >= shown.begin + shown.total;
    const matches = pattern && row.name.toLowerCase().includes(pattern);
    // Of a recursion the outermost call counts.
    if (matches && row.begin >= end) { found += row.total; end = row.begin + row.total; }
    if (!inside && !below) continue;
    const left = below ? 0 : (row.begin - shown.begin) / shown.total * width;
    const size = below ? width : row.total / shown.total * width;
    if (size < 1) continue;
    const box = document.createElement("div");
    box.className = "box code" + row.code + (row.inlined ? " inlined" : "") + (matches ? " found" : "") + (below && row !== shown ? " outside" : "");
    box.style.left = left + "px"; box.style.width = size + "px"; box.style.top = row.depth * 18 + "px";
    if (size > 20) box.textContent = row.name;
    box.title = text(row);
    box.onclick = () => { shown = row; draw(); };
    graph.append(box);
    depth = Math.max(depth, row.depth + 1);
  }
  graph.style.height = depth * 18 + "px";
  what.textContent = pattern ? "in functions that match: " + (100 * found / Math.max(1, profile.samples)).toFixed(2) + " %" : text(shown);
}
document.getElementById("search").oninput = draw;
document.getElementById("reset").onclick = () => { shown = all; draw(); };
window.onresize = draw;
draw();
</script>
)HTML";

}  // namespace

std::string flame_graph(const GuestProfile& profile, std::string_view program) {
  Json rows = Json::array();
  add_rows(tree_of(profile), profile, 0, 0, rows);
  const Json data = {{"program", program},
                     {"samples", profile.samples.size()},
                     {"period", std::chrono::duration<double, std::milli>(profile.period).count()},
                     {"rows", rows}};
  return fmt::format("{}{}{}", kPage, for_script(data), kScript);
}

}  // namespace wasirun
