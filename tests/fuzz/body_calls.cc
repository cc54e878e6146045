// Calls: direct, through tables and references, and those that end the function.
#include "fuzz/body.h"

namespace wasi::test::fuzz {

using wasm::Op;

void BodyGenerator::finish_call(std::uint32_t type, std::size_t more, bool is_tail) {
  const wasm::FuncType callee = types_.at(type).func;
  consume(callee.params.size() + more);
  if (is_tail) return mark_unreachable();
  push(callee.results);
}

void BodyGenerator::call() { call_any(e_.below(module_.functions.size()), false); }

// In one of the ways that there are.
void BodyGenerator::call_any(std::uint32_t function, bool is_tail) {
  const std::uint32_t type = module_.functions[function].type;
  if (e_.chance(90) && call_indirect(type, is_tail)) return;
  if (g_.features.has_references && e_.chance(70)) return call_ref(function, is_tail);
  need(TypeList(types_.at(type).func.params));
  op(is_tail ? Op::return_call : Op::call, function);
  finish_call(type, 0, is_tail);
}

bool BodyGenerator::call_indirect(std::uint32_t type, bool is_tail) {
  struct Candidate {
    std::uint32_t table;
    std::size_t slot;
  };
  std::vector<Candidate> candidates;
  for (std::uint32_t table = 0; table < module_.tables.size(); ++table) {
    const TablePlan& plan = module_.tables[table];
    if (types_.top_of(plan.type.element.heap()) != AbstractHeap::func) continue;
    if (e_.chance(4)) candidates.push_back({table, e_.byte()});  // whatever is there
    for (std::size_t slot = 0; slot < plan.contents.size(); ++slot) {
      if (plan.contents[slot] && types_.matches(concrete(*plan.contents[slot]), concrete(type))) {
        candidates.push_back({table, slot});
      }
    }
  }
  if (candidates.empty()) return false;
  const Candidate chosen = e_.pick(candidates);
  need(TypeList(types_.at(type).func.params));
  const ValType index = module_.tables[chosen.table].type.address == wasm::AddressType::i64 ? wasm::kI64 : wasm::kI32;
  if (e_.chance(50)) {
    // Not a constant.
    push_value(index);
    number(0, index);
    combine(index == wasm::kI64 ? Op::i64_and : Op::i32_and, index);
    number(chosen.slot, index);
    combine(index == wasm::kI64 ? Op::i64_or : Op::i32_or, index);
  } else if (e_.chance(10)) {
    push_value(index);
  } else {
    number(chosen.slot, index);
  }
  op(is_tail ? Op::return_call_indirect : Op::call_indirect, type);
  out_.u32(chosen.table);
  finish_call(type, 1, is_tail);
  return true;
}

void BodyGenerator::call_ref(std::uint32_t function, bool is_tail) {
  // Through the function's own type or one above it.
  std::uint32_t type = module_.functions[function].type;
  while (types_.at(type).super && e_.chance(128)) type = index_of(*types_.at(type).super);
  need(TypeList(types_.at(type).func.params));
  if (e_.chance(200)) {
    op(Op::ref_func, function);
    push(reference(concrete(module_.functions[function].type), false));
  } else {
    push_value(reference(concrete(type)));
  }
  op(is_tail ? Op::return_call_ref : Op::call_ref, type);
  finish_call(type, 1, is_tail);
}

bool BodyGenerator::call_giving(ValType type) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < module_.functions.size(); ++i) {
    const wasm::FuncType& callee = types_.at(module_.functions[i].type).func;
    if (callee.results.size() == 1 && types_.matches(callee.results[0], type)) found.push_back(i);
  }
  if (found.empty()) return false;
  call_any(e_.pick(found), false);
  return true;
}

bool BodyGenerator::tail_call() {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < module_.functions.size(); ++i) {
    if (types_.match(types_.at(module_.functions[i].type).func.results, type_.results)) found.push_back(i);
  }
  if (found.empty()) return false;
  call_any(e_.pick(found), true);
  return true;
}

}  // namespace wasi::test::fuzz
