#include "jit/baseline/scan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/result.h"
#include "jit/baseline/inline_ops.h"
#include "jit/common/inline_limits.h"
#include "jit/common/stopped.h"
#include "validate/function_walk.h"

namespace wasi::jit::baseline {

namespace {

// Each loop around makes a use this many times as heavy, up to a depth.
constexpr std::uint32_t kLoopShift = 3;
constexpr std::uint32_t kDeepest = 6;
constexpr std::uint32_t kMostWeight = 1U << 30;
// There are fewer registers.
constexpr std::size_t kMostUses = 24;

class ScanSink {
 public:
  struct Label {};
  using Control = validate::Control<Label>;

  ScanSink(BodyScan& scan, runtime::Preparation& preparation) : scan_(scan), preparation_(preparation) {}

  template <class W>
  void poll(W& /*walk*/) {
    stop_unless(preparation_.poll());
  }
  template <class W>
  void begin(W& walk) {
    scan_.locals.assign(walk.local_types().begin(), walk.local_types().end());
    scan_.weights.assign(scan_.locals.size(), 0);
  }
  template <class W>
  [[gnu::always_inline]] void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    using wasm::Op;
    if (op == Op::local_get || op == Op::local_set || op == Op::local_tee) {
      add(scan_.weights[immediates.index]);
      if (depth_ != 0) use_in_loops(immediates.index, op != Op::local_get);
      return;
    }
    // Numbers, of which there are many.
    if (op >= Op::i32_eqz && op <= Op::f64_reinterpret_i64) return;
    if (op == Op::i32_const || op == Op::i64_const) {
      before_ = std::exchange(last_, {walk.offset(), op == Op::i32_const, immediates.bits});
      return;
    }
    if (op == Op::memory_copy || op == Op::memory_fill) {
      if (!has_few_bytes(op, walk.offset())) return call_something();
      if (immediates.index == 0) add(scan_.accesses);
      if (op == Op::memory_copy && immediates.index2 == 0) add(scan_.accesses);
      return want_registers();
    }
    if (wasm::info(op).access != 0 && immediates.memarg.memory.value == 0) add(scan_.accesses);
    if (!is_inline(op)) call_something();
    if (!is_frugal(op)) want_registers();
  }
  template <class W>
  void block(W& /*walk*/, Control& /*control*/) {}
  template <class W>
  void loop(W& /*walk*/, Control& /*control*/) {
    scan_.has_loops = true;
    const std::uint32_t parent = open_loops_.empty() ? 0 : open_loops_.back() + 1;
    open_loops_.push_back(static_cast<std::uint32_t>(scan_.loops.size()));
    scan_.loops.push_back({.parent = parent, .is_too_deep = depth_ >= kDeepest});
    if (depth_ < kDeepest && levels_[depth_].weights.size() != scan_.locals.size()) {
      levels_[depth_].weights.assign(scan_.locals.size(), 0);
    }
    ++depth_;
  }
  template <class W>
  void if_(W& /*walk*/, Control& /*control*/) {}
  template <class W>
  void else_(W& /*walk*/, Control& /*control*/, bool /*falls_in*/) {}
  template <class W>
  void end(W& /*walk*/, Control& control, bool /*falls_in*/) {
    if (control.kind != validate::ControlKind::loop) return;
    --depth_;
    if (depth_ < kDeepest) close_loop(levels_[depth_], scan_.loops[open_loops_.back()]);
    open_loops_.pop_back();
  }
  template <class W>
  void br(W& /*walk*/, Control& /*target*/) {}
  template <class W>
  void br_if(W& /*walk*/, Control& /*target*/) {}
  template <class W>
  void br_table(W& /*walk*/, std::span<Control* const> /*targets*/) {}
  template <class W>
  void br_on(W& /*walk*/, wasm::Op op, const validate::Immediates& /*immediates*/, Control& /*target*/) {
    if (!is_inline(op)) call_something();
    want_registers();
  }
  template <class W>
  void return_(W& /*walk*/) {}
  template <class W>
  void unreachable(W& /*walk*/) {}
  template <class W>
  void call(W& /*walk*/, wasm::Op /*op*/, wasm::FuncIndex /*function*/) {
    call_something();
  }
  template <class W>
  void call_indirect(W& /*walk*/, wasm::Op /*op*/, wasm::TypeIndex /*type*/, wasm::TableIndex /*table*/) {
    call_something();
  }
  template <class W>
  void call_ref(W& /*walk*/, wasm::Op /*op*/, wasm::TypeIndex /*type*/) {
    call_something();
  }
  template <class W>
  void try_table(W& walk, Control& /*control*/, std::span<const validate::CatchClause<Label>> clauses) {
    scan_.has_handlers = true;
    for (const auto& clause : clauses) {
      using Kind = validate::CatchClause<Label>::Kind;
      const bool has_tag = clause.kind == Kind::catch_ || clause.kind == Kind::catch_ref;
      add_caught(walk.module(), *clause.target, has_tag ? std::optional(clause.tag.value) : std::nullopt);
    }
  }
  template <class W>
  void throw_(W& /*walk*/, wasm::TagIndex /*tag*/) {
    call_something();
  }
  template <class W>
  void throw_ref(W& /*walk*/) {
    call_something();
  }
  template <class W>
  void legacy_try(W& walk, wasm::Op op, Control* control, std::uint32_t tag_or_depth) {
    scan_.has_handlers = true;
    call_something();
    // As many as there are in all is no less than how deep they are.
    if (op == wasm::Op::try_) scan_.kept_slots += 1;
    if (op == wasm::Op::rethrow) scan_.has_rethrow = true;
    if (op == wasm::Op::catch_) add_caught(walk.module(), *control, tag_or_depth);
  }

 private:
  // A label's slots, and those of the values that are caught there.
  void add_caught(const wasm::Module& module, const Control& target, std::optional<std::uint32_t> tag) {
    std::uint32_t slots = target.slot_height + 1;
    if (tag) slots += wasm::slot_count(module.registry->at(module.types[module.tags[*tag].value]).func.params);
    scan_.operand_slots = std::max(scan_.operand_slots, slots);
  }
  // What an open loop has seen, by local: weight, and whether any wrote it in the highest bit.
  struct Level {
    std::vector<std::uint32_t> weights;
    std::vector<std::uint32_t> touched;
    std::uint32_t calls = 0;
    bool is_frugal = true;
  };
  static constexpr std::uint32_t kWritten = 1U << 31;

  static void add(std::uint32_t& weight, std::uint32_t depth) {
    weight = std::min(weight + (1U << kLoopShift * std::min(depth, kDeepest)), kMostWeight);
  }
  void add(std::uint32_t& weight) const { add(weight, depth_); }

  // An instruction that gave a constant.
  struct Constant {
    std::uint64_t offset = 0;
    bool is_narrow = false;
    std::uint64_t bits = 0;

    // The offset behind it, in the shortest encoding. No other instruction ends there.
    [[nodiscard]] std::uint64_t end() const {
      auto rest = static_cast<std::int64_t>(bits);
      if (is_narrow) rest = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits));
      std::uint64_t at = offset + 2;
      for (; rest < -64 || rest > 63; rest >>= 7) ++at;
      return at;
    }
  };
  // What the compiler finds on its stack, too.
  [[nodiscard]] bool has_few_bytes(wasm::Op op, std::uint64_t offset) const {
    if (last_.bits == 0 || last_.bits > kMostInlineBytes || last_.end() != offset) return false;
    return op == wasm::Op::memory_copy || (before_.is_narrow && before_.end() == last_.offset);
  }

  void call_something() {
    add(scan_.calls);
    for (std::uint32_t level = 0; level < std::min(depth_, kDeepest); ++level) {
      add(levels_[level].calls, depth_ - level - 1);
    }
  }
  void want_registers() {
    scan_.is_frugal = false;
    for (std::uint32_t level = 0; level < std::min(depth_, kDeepest); ++level) levels_[level].is_frugal = false;
  }
  void use_in_loops(std::uint32_t local, bool is_written) {
    for (std::uint32_t level = 0; level < std::min(depth_, kDeepest); ++level) {
      std::uint32_t& entry = levels_[level].weights[local];
      if (entry == 0) levels_[level].touched.push_back(local);
      std::uint32_t weight = entry & ~kWritten;
      add(weight, depth_ - level - 1);
      entry = weight | (entry & kWritten) | (is_written ? kWritten : 0);
    }
  }
  void close_loop(Level& level, LoopScan& loop) const {
    loop.first_use = static_cast<std::uint32_t>(scan_.loop_uses.size());
    loop.calls = std::exchange(level.calls, 0);
    loop.is_frugal = std::exchange(level.is_frugal, true);
    for (const std::uint32_t local : level.touched) {
      const std::uint32_t entry = std::exchange(level.weights[local], 0);
      scan_.loop_uses.push_back({local, entry & ~kWritten, (entry & kWritten) != 0});
    }
    level.touched.clear();
    const auto begin = scan_.loop_uses.begin() + loop.first_use;
    const std::size_t count = std::min<std::size_t>(scan_.loop_uses.size() - loop.first_use, kMostUses);
    std::partial_sort(begin, begin + static_cast<std::ptrdiff_t>(count), scan_.loop_uses.end(),
                      [](const LocalUses& a, const LocalUses& b) {
                        return a.weight != b.weight ? a.weight > b.weight : a.local < b.local;
                      });
    scan_.loop_uses.resize(loop.first_use + count);
    loop.use_count = static_cast<std::uint32_t>(count);
  }

  BodyScan& scan_;
  runtime::Preparation& preparation_;
  std::uint32_t depth_ = 0;
  Constant last_;
  Constant before_;
  std::vector<std::uint32_t> open_loops_;
  std::array<Level, kDeepest> levels_;
};

template <bool kChecked>
Result<void> walk(BodyScan& into, const wasm::Module& module, wasm::FuncIndex function,
                  runtime::Preparation& preparation) {
  ScanSink sink(into, preparation);
  validate::FunctionWalk<ScanSink, kChecked> walk(module, function, sink);
  WASI_TRY(walk.run());
  into.operand_slots = std::max(into.operand_slots, walk.max_slot_height());
  if (!into.has_rethrow) into.kept_slots = 0;
  return {};
}

}  // namespace

void BodyScan::clear() {
  locals.clear();
  weights.clear();
  operand_slots = kept_slots = calls = accesses = 0;
  has_loops = has_handlers = has_rethrow = false;
  is_frugal = true;
  loops.clear();
  loop_uses.clear();
}

Result<void> scan(BodyScan& into, const wasm::Module& module, wasm::FuncIndex function, bool validated,
                  runtime::Preparation& preparation) {
  into.clear();
  return validated ? walk<false>(into, module, function, preparation) : walk<true>(into, module, function, preparation);
}

}  // namespace wasi::jit::baseline
