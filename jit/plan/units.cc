#include "jit/plan/units.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace wasi::jit {

namespace {

struct Edge {
  std::uint32_t caller = 0;
  std::uint32_t callee = 0;
  double calls = 0;
};

// Sets of functions that grow together (union by size of bodies, found by their smallest member).
class Groups {
 public:
  Groups(const CallGraph& graph, std::span<const std::uint32_t> functions)
      : parent_(graph.bodies.size()), bytes_(graph.bodies.size()) {
    std::iota(parent_.begin(), parent_.end(), 0U);
    for (const std::uint32_t function : functions) bytes_[function] = graph.bodies[function].bytes;
  }
  std::uint32_t find(std::uint32_t function) {
    while (parent_[function] != function) function = parent_[function] = parent_[parent_[function]];
    return function;
  }
  [[nodiscard]] std::uint64_t bytes(std::uint32_t group) const { return bytes_[group]; }
  void join(std::uint32_t one, std::uint32_t other) {
    if (other < one) std::swap(one, other);
    parent_[other] = one;
    bytes_[one] += bytes_[other];
  }

 private:
  std::vector<std::uint32_t> parent_;
  std::vector<std::uint64_t> bytes_;
};

std::vector<Edge> edges_between(const CallGraph& graph, const std::vector<double>& calls,
                                std::span<const std::uint32_t> functions) {
  std::vector<bool> is_chosen(graph.bodies.size());
  for (const std::uint32_t function : functions) is_chosen[function] = true;
  std::vector<Edge> edges;
  for (const std::uint32_t caller : functions) {
    for (const CallSite& site : graph.bodies[caller].calls) {
      if (is_chosen[site.callee] && site.callee != caller) {
        edges.push_back({caller, site.callee, calls[caller] * site.times});
      }
    }
  }
  std::ranges::sort(edges, [](const Edge& a, const Edge& b) {
    return std::tuple(-a.calls, a.caller, a.callee) < std::tuple(-b.calls, b.caller, b.callee);
  });
  return edges;
}

}  // namespace

std::vector<std::vector<std::uint32_t>> plan_units(const CallGraph& graph, const std::vector<double>& calls,
                                                   std::span<const std::uint32_t> functions, std::uint64_t unit_bytes) {
  Groups groups(graph, functions);
  for (const Edge& edge : edges_between(graph, calls, functions)) {
    const std::uint32_t caller = groups.find(edge.caller);
    const std::uint32_t callee = groups.find(edge.callee);
    if (caller != callee && groups.bytes(caller) + groups.bytes(callee) <= unit_bytes) groups.join(caller, callee);
  }
  // What is left small joins its neighbours: groups in the order of their first functions.
  std::vector<std::uint32_t> unit_of(graph.bodies.size(), UINT32_MAX);
  std::vector<std::vector<std::uint32_t>> units;
  std::uint64_t bytes = 0;
  for (const std::uint32_t function : functions) {
    const std::uint32_t group = groups.find(function);
    if (unit_of[group] == UINT32_MAX) {
      if (units.empty() || bytes + groups.bytes(group) > unit_bytes) {
        units.emplace_back();
        bytes = 0;
      }
      bytes += groups.bytes(group);
      unit_of[group] = static_cast<std::uint32_t>(units.size() - 1);
    }
    units[unit_of[group]].push_back(function);
  }
  return units;
}

}  // namespace wasi::jit
