// Tables, and functions as values.
#include "jit/baseline/compiler.h"
#include "runtime/code_entry.h"
#include "runtime/services.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::baseline {

using runtime::FuncRef;
using runtime::RuntimeCallId;
using runtime::TableView;
using runtime::VmContext;

// Where an element lies; the index is held. r11 is part of it.
x64::Mem Compiler::table_element(std::uint32_t table, Value& index) {
  constexpr std::uint64_t kMostConstant = 1U << 27;
  const std::uint64_t constant = index.type == Type::i64 ? index.bits : index.bits & UINT32_MAX;
  const bool is_constant = index.is_constant() && constant <= kMostConstant;
  const x64::Gp reg = is_constant ? x64::Gp() : in_gpr(index);
  const x64::Gp view = MacroAssembler::kScratch;
  load_context(view);
  asm_.mov(view, x64::qword_ptr(view, offsetof(VmContext, tables)));
  asm_.mov(view, x64::qword_ptr(view, static_cast<std::int32_t>(table * sizeof(TableView*))));
  const x64::Mem size = x64::qword_ptr(view, offsetof(TableView, size));
  const asmjit::Label out_of_bounds = trap_site(TrapCode::table_out_of_bounds);
  if (is_constant) {
    asm_.cmp(size, static_cast<std::int32_t>(constant));
    asm_.jbe(out_of_bounds);
  } else {
    // An i32 has a zero upper half: one comparison serves both address types.
    asm_.cmp(reg, size);
    asm_.jae(out_of_bounds);
  }
  asm_.mov(view, x64::qword_ptr(view, offsetof(TableView, elements)));
  if (is_constant) return x64::qword_ptr(view, static_cast<std::int32_t>(constant * sizeof(void*)));
  return x64::qword_ptr(view, reg, 3);
}

void Compiler::get_table(std::uint32_t table) {
  Value index = pop();
  const x64::Mem element = table_element(table, index);
  const x64::Gp dst = result_gpr(Type::ref, index);
  asm_.mov(dst, element);
  release(index, dst);
  push_register(Type::ref, dst);
}

void Compiler::set_table(std::uint32_t table) {
  Value value = pop();
  Value index = pop();
  if (!value.is_constant()) static_cast<void>(in_gpr(value));
  copy_to(table_element(table, index), value);
  release(index);
  release(value);
}

// The instance's own FuncRefs are made when they are first asked for.
void Compiler::reference_function(std::uint32_t function) {
  const x64::Gp dst = allocate_gpr();
  load_context(dst);
  if (module_.is_imported(wasm::FuncIndex(function))) {
    asm_.mov(dst, x64::qword_ptr(dst, offsetof(VmContext, imported_functions)));
    asm_.mov(dst, x64::qword_ptr(dst, static_cast<std::int32_t>(function * sizeof(FuncRef*))));
    return push_not_null(dst);
  }
  const std::uint32_t slot = next_slot_;
  const ColdCall& cold = call_seldom([this, dst, function, slot] {
    asm_.lea(x64::rsi, home(slot));
    asm_.mov(x64::edx, function);
    call_runtime(RuntimeCallId::ref_func);
    asm_.mov(dst, home(slot));
  });
  const std::uint32_t defined = function - module_.imported_functions;
  asm_.mov(dst, x64::qword_ptr(dst, offsetof(VmContext, func_refs)));
  if (defined != 0) asm_.add(dst, static_cast<std::int32_t>(defined * sizeof(FuncRef)));
  asm_.cmp(x64::qword_ptr(dst, offsetof(FuncRef, code)), 0);
  asm_.je(cold.label);
  asm_.bind(cold.back);
  push_not_null(dst);
}

}  // namespace wasi::jit::baseline
