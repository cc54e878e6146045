#include "jit/plan/call_graph.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/guard.h"
#include "base/on_threads.h"
#include "validate/function_walk.h"

namespace wasi::jit {

namespace {

constexpr double kArmOfIf = 0.5;
constexpr double kBeforeTrap = 1.0 / 1024;
// Loops within loops count as more up to this.
constexpr double kMostTimes = 1 << 20;

class Surveyor {
 public:
  struct Label {
    double times = 1;  // in front of the block
  };
  using Block = validate::Control<Label>;

  explicit Surveyor(BodyFacts& facts) : facts_(facts) {}

  void begin(auto&) {}
  void instruction(auto&, wasm::Op, const validate::Immediates&) { count(); }
  void block(auto&, Block& block) { open(block, times_); }
  void loop(auto&, Block& block) { open(block, std::min(kMostTimes, times_ * kLoopTurns)); }
  void if_(auto&, Block& block) {
    count();
    open(block, times_ * kArmOfIf);
  }
  void else_(auto&, Block& block, bool) {
    times_ = block.label.times * kArmOfIf;
    called_ = nullptr;
  }
  void end(auto&, Block& block, bool) {
    times_ = block.label.times;
    called_ = nullptr;
  }
  void br(auto&, Block&) { count(); }
  void br_if(auto&, Block&) { count(); }
  void br_table(auto&, std::span<Block* const>) { count(); }
  void br_on(auto&, wasm::Op, const validate::Immediates&, Block&) { count(); }
  void return_(auto&) { count(); }
  void unreachable(auto&) {
    if (called_ != nullptr) *called_ *= kBeforeTrap;
    called_ = nullptr;
  }
  void call(auto& walk, wasm::Op, wasm::FuncIndex callee) {
    count();
    const wasm::Module& module = walk.module();
    if (module.is_imported(callee)) return;
    const std::uint32_t defined = callee.value - module.imported_functions;
    called_ = add(facts_.calls, &CallSite::callee, defined);
  }
  void call_indirect(auto& walk, wasm::Op, wasm::TypeIndex type, wasm::TableIndex) { call_of(walk, type); }
  void call_ref(auto& walk, wasm::Op, wasm::TypeIndex type) { call_of(walk, type); }
  void try_table(auto&, Block& block, std::span<const validate::CatchClause<Label>>) { open(block, times_); }
  void throw_(auto&, wasm::TagIndex) { count(); }
  void throw_ref(auto&) { count(); }
  void legacy_try(auto&, wasm::Op op, Block* block, std::uint32_t) {
    if (op == wasm::Op::try_) return open(*block, times_);
    if (op == wasm::Op::catch_ || op == wasm::Op::catch_all) times_ = block->label.times * kBeforeTrap;
    called_ = nullptr;
  }

 private:
  void count() {
    facts_.work += times_;
    called_ = nullptr;
  }
  void open(Block& block, double times) {
    block.label.times = times_;
    times_ = times;
    called_ = nullptr;
  }
  void call_of(auto& walk, wasm::TypeIndex type) {
    count();
    called_ = add(facts_.indirect, &IndirectSite::type, walk.module().types[type.value]);
  }
  // Where the number is that this call was added to, until the next instruction.
  template <class Site, class Key>
  double* add(std::vector<Site>& sites, Key Site::* key, const Key& value) {
    Site& site = sites.emplace_back();
    site.*key = value;
    site.times = times_;
    return &site.times;
  }

  BodyFacts& facts_;
  double times_ = 1;
  double* called_ = nullptr;
};

// One for each callee or type.
template <class Site, class Key>
void merge(std::vector<Site>& sites, Key&& key) {
  std::ranges::sort(sites, {}, [&](const Site& site) { return std::pair(key(site), site.times); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (kept != 0 && key(sites[kept - 1]) == key(sites[i])) {
      sites[kept - 1].times += sites[i].times;
    } else {
      sites[kept++] = sites[i];
    }
  }
  sites.resize(kept);
  sites.shrink_to_fit();
}

template <bool kChecked>
bool survey(const wasm::Module& module, wasm::FuncIndex function, BodyFacts& facts) {
  Surveyor surveyor(facts);
  validate::FunctionWalk<Surveyor, kChecked> walk(module, function, surveyor);
  return walk.run().has_value();
}

void survey_body(const wasm::Module& module, std::uint32_t defined, bool validated, BodyFacts& facts) {
  const wasm::FuncIndex function(module.imported_functions + defined);
  const bool is_right = module.check_body(function) &&
                        (validated ? survey<false>(module, function, facts) : survey<true>(module, function, facts));
  if (!is_right) facts = {};
  facts.bytes = module.bodies[defined].size;
  facts.type = module.types[module.functions[function.value].value];
  merge(facts.calls, [](const CallSite& site) { return site.callee; });
  merge(facts.indirect, [](const IndirectSite& site) { return site.type.value; });
}

// Those that a table or a reference may hold. What is only exported is not: a host may call it, the module does not.
std::vector<bool> referred(const wasm::Module& module, const std::vector<bool>& exported) {
  const bool has_expressions =
      std::ranges::any_of(module.elements, [](const auto& segment) { return !segment.expressions.empty(); });
  std::vector<bool> is_referred(module.bodies.size());
  for (std::size_t i = 0; i < is_referred.size(); ++i) {
    const std::size_t index = i + module.imported_functions;
    const bool declared = index < module.declared_functions.size() && module.declared_functions[index];
    is_referred[i] = declared && (has_expressions || !exported[i]);
  }
  for (const wasm::ElementSegment& segment : module.elements) {
    for (const wasm::FuncIndex function : segment.functions) {
      if (!module.is_imported(function)) is_referred[function.value - module.imported_functions] = true;
    }
  }
  return is_referred;
}

}  // namespace

CallGraph survey_calls(const wasm::Module& module, bool validated, unsigned threads) {
  CallGraph graph;
  graph.bodies.resize(module.bodies.size());
  graph.is_entry.resize(module.bodies.size());
  const auto enter = [&](wasm::FuncIndex function) {
    if (!module.is_imported(function)) graph.is_entry[function.value - module.imported_functions] = true;
  };
  for (const wasm::Export& exported : module.exports) {
    if (exported.kind == wasm::ExternalKind::func) enter(wasm::FuncIndex(exported.index));
  }
  if (module.start) enter(*module.start);
  graph.is_referred = referred(module, graph.is_entry);

  constexpr std::size_t kAtOnce = 64;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> has_memory{true};
  const auto work = [&](std::size_t) {
    const auto done = guarded([&] {
      for (;;) {
        const std::size_t first = next.fetch_add(kAtOnce, std::memory_order_relaxed);
        if (first >= graph.bodies.size()) return;
        for (std::size_t i = first; i < std::min(first + kAtOnce, graph.bodies.size()); ++i) {
          survey_body(module, static_cast<std::uint32_t>(i), validated, graph.bodies[i]);
        }
      }
    });
    if (!done) has_memory = false;
  };
  const std::size_t portions = (graph.bodies.size() + kAtOnce - 1) / kAtOnce;
  base::on_threads(std::min<std::size_t>(threads, portions), work);
  if (!has_memory) throw std::bad_alloc();
  return graph;
}

}  // namespace wasi::jit
