#include "jit/plan/hotness.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace wasi::jit {

namespace {

// Numbers beyond this are all the same.
constexpr double kMostCalls = 1e30;
// Calls by reference come to those that make some, too.
constexpr int kIndirectRounds = 3;

// Groups of functions that call each other, round about: callers come before callees. (Tarjan, "Depth-first search and
// linear graph algorithms", 1972, without recursion.)
class Components {
 public:
  explicit Components(const CallGraph& graph) : graph_(graph), order_(graph.bodies.size()), low_(graph.bodies.size()) {
    component_of.assign(graph.bodies.size(), 0);
    for (std::uint32_t i = 0; i < graph.bodies.size(); ++i) {
      if (order_[i] == 0) visit(i);
    }
    // Each was finished behind all that it calls.
    std::ranges::reverse(members);
    const auto count = static_cast<std::uint32_t>(members.size());
    for (std::uint32_t& component : component_of) component = count - 1 - component;
  }

  std::vector<std::vector<std::uint32_t>> members;
  std::vector<std::uint32_t> component_of;

 private:
  struct Step {
    std::uint32_t function = 0;
    std::size_t next = 0;  // of its calls
  };

  void enter(std::uint32_t function) {
    order_[function] = low_[function] = ++entered_;
    open_.push_back(function);
    steps_.push_back({function, 0});
  }

  void visit(std::uint32_t root) {
    enter(root);
    while (!steps_.empty()) {
      Step& step = steps_.back();
      const std::uint32_t function = step.function;
      const auto& calls = graph_.bodies[function].calls;
      if (step.next < calls.size()) {
        const std::uint32_t callee = calls[step.next++].callee;
        if (order_[callee] == 0) {
          enter(callee);
        } else if (order_[callee] != kClosed) {
          low_[function] = std::min(low_[function], order_[callee]);
        }
        continue;
      }
      steps_.pop_back();
      if (!steps_.empty()) low_[steps_.back().function] = std::min(low_[steps_.back().function], low_[function]);
      if (low_[function] == order_[function]) close(function);
    }
  }

  void close(std::uint32_t root) {
    auto& component = members.emplace_back();
    for (;;) {
      const std::uint32_t function = open_.back();
      open_.pop_back();
      order_[function] = kClosed;
      component_of[function] = static_cast<std::uint32_t>(members.size() - 1);
      component.push_back(function);
      if (function == root) break;
    }
    std::ranges::sort(component);
  }

  static constexpr std::uint32_t kClosed = UINT32_MAX;
  const CallGraph& graph_;
  std::vector<std::uint32_t> order_;  // 0: not seen yet
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> open_;
  std::vector<Step> steps_;
  std::uint32_t entered_ = 0;
};

// `calls` has what comes from elsewhere, and gets what direct calls add.
void propagate(const CallGraph& graph, const Components& components, std::vector<double>& calls) {
  std::vector<double> within(calls.size());
  for (std::uint32_t number = 0; number < components.members.size(); ++number) {
    const auto& members = components.members[number];
    // How the calls inside of it are spread over its members.
    double from_outside = 0;
    double sum = 0;
    for (const std::uint32_t function : members) {
      from_outside += calls[function];
      for (const CallSite& site : graph.bodies[function].calls) {
        if (components.component_of[site.callee] != number) continue;
        within[site.callee] += site.times;
        sum += site.times;
      }
    }
    if (sum > 0) {
      for (const std::uint32_t function : members) {
        calls[function] = std::min(kMostCalls, calls[function] + from_outside * kLoopTurns * within[function] / sum);
      }
    }
    for (const std::uint32_t function : members) {
      for (const CallSite& site : graph.bodies[function].calls) {
        if (components.component_of[site.callee] == number) continue;
        calls[site.callee] = std::min(kMostCalls, calls[site.callee] + calls[function] * site.times);
      }
    }
  }
}

std::vector<std::uint32_t> by_number(std::vector<std::uint32_t> functions) {
  std::ranges::sort(functions);
  return functions;
}

std::vector<std::uint32_t> all_of(const std::vector<double>& heat) {
  std::vector<std::uint32_t> functions(heat.size());
  std::iota(functions.begin(), functions.end(), 0U);
  return functions;
}

}  // namespace

std::vector<double> estimate_calls(const CallGraph& graph) {
  const Components components(graph);
  std::vector<double> entries(graph.bodies.size());
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = graph.is_entry[i] ? 1 : 0;
  std::vector<double> calls = entries;
  propagate(graph, components, calls);
  for (int round = 0; round < kIndirectRounds; ++round) {
    std::unordered_map<std::uint32_t, double> of_type;
    std::unordered_map<std::uint32_t, std::size_t> candidates;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      for (const IndirectSite& site : graph.bodies[i].indirect) of_type[site.type.value] += calls[i] * site.times;
      if (graph.is_referred[i]) candidates[graph.bodies[i].type.value] += 1;
    }
    std::vector<double> next = entries;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const std::uint32_t type = graph.bodies[i].type.value;
      const auto found = graph.is_referred[i] ? of_type.find(type) : of_type.end();
      if (found == of_type.end()) continue;
      next[i] = std::min(kMostCalls, next[i] + found->second / static_cast<double>(candidates[type]));
    }
    propagate(graph, components, next);
    calls = std::move(next);
  }
  return calls;
}

std::vector<double> estimate_heat(const CallGraph& graph, const std::vector<double>& calls) {
  std::vector<double> heat(calls.size());
  for (std::size_t i = 0; i < heat.size(); ++i)
    heat[i] = calls[i] * (1 + graph.bodies[i].work);  // the call itself is something, too
  return heat;
}

double optimising_seconds(std::uint32_t bytes) {
  constexpr double kPerByte = 55e-6;
  constexpr double kPerByteSquared = 0.0005e-6;
  return bytes * (kPerByte + bytes * kPerByteSquared);
}

// Of a large body that is guessed to be hot, most is not: the larger it is, the dearer the guess.
double guessed_seconds(std::uint32_t bytes) {
  constexpr double kPerByteSquared = 0.02e-6;
  return optimising_seconds(bytes) + kPerByteSquared * bytes * bytes;
}

std::vector<std::uint32_t> choose_hot(const CallGraph& graph, const std::vector<double>& heat, double seconds) {
  std::vector<std::uint32_t> functions = all_of(heat);
  const auto density = [&](std::uint32_t i) { return heat[i] / guessed_seconds(graph.bodies[i].bytes); };
  std::ranges::sort(functions, {}, [&](std::uint32_t i) { return std::pair(-density(i), i); });
  std::vector<std::uint32_t> chosen;
  for (const std::uint32_t i : functions) {
    if (heat[i] <= 0) break;
    const double cost = guessed_seconds(graph.bodies[i].bytes);
    if (cost > seconds) continue;
    seconds -= cost;
    chosen.push_back(i);
  }
  return by_number(std::move(chosen));
}

std::vector<std::uint32_t> choose_covering(const CallGraph& graph, const std::vector<double>& heat, double part,
                                           double seconds) {
  std::vector<std::uint32_t> functions = all_of(heat);
  std::ranges::sort(functions, {}, [&](std::uint32_t i) { return std::pair(-heat[i], i); });
  double left = std::accumulate(heat.begin(), heat.end(), 0.0) * part;
  std::vector<std::uint32_t> chosen;
  for (const std::uint32_t i : functions) {
    if (heat[i] <= 0 || left <= 0) break;
    left -= heat[i];
    if (optimising_seconds(graph.bodies[i].bytes) <= seconds) chosen.push_back(i);
  }
  return by_number(std::move(chosen));
}

}  // namespace wasi::jit
