// Instructions on vectors in whole functions, compiled for machines with more and with less: wherever operands come
// from and results go, they give what the interpreter gives.
#include "interp/vector_forms.h"

#include <catch2/catch.hpp>

#include "jit/baseline/baseline_tier.h"
#include "jit/baseline/compile.h"
#include "jit/common/code_space.h"
#include "snippet.h"

namespace wasi::jit::baseline {
namespace {

using interp::test::Machine;
using interp::test::make_vector_forms;
using interp::test::vector_outcome;
using interp::test::VectorCase;
using interp::test::VectorForms;
using interp::test::VectorUses;
using runtime::BoundsChecks;

// What `compile_for_cpu` compiles for; a tier's compiler is a plain function.
CpuFeatures cpu;

Result<MachineCode> compile_for_cpu(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                                    const CompileOptions& options, runtime::Preparation& preparation) {
  CompileOptions changed = options;
  changed.cpu = cpu;
  auto code = compile(module, function, validated, changed, preparation);
  // Otherwise the interpreter would take its place.
  CHECK(code.has_value());
  return code;
}

TEST_CASE("instructions on vectors in whole functions", "[simd]") {
  std::vector<std::string> expected;
  {
    Machine interpreter;
    const VectorForms forms = make_vector_forms(false);
    interpreter.instantiate(forms.binary);
    for (const VectorCase& one : forms.cases) {
      expected.push_back(vector_outcome(interpreter, one.functions.front(), one.arguments));
    }
  }
  for (const bool is_wide : {false, true}) {
    const VectorForms forms = make_vector_forms(is_wide, VectorUses::often);
    REQUIRE(forms.cases.size() == expected.size());
    for (const CpuFeatures& features : test::machines()) {
      cpu = features;
      for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
        INFO(test::describe(features) << (is_wide ? ", 64-bit addresses" : "")
                                      << (checks == BoundsChecks::guard_pages ? "" : ", explicit checks"));
        CodeSpace space;
        Machine machine(std::make_unique<BaselineTier>(space, interp::make_interpreter(), compile_for_cpu), nullptr,
                        {.checks = checks});
        machine.instantiate(forms.binary);
        for (std::size_t i = 0; i < forms.cases.size(); ++i) {
          const VectorCase& one = forms.cases[i];
          INFO(one.row->text);
          for (const std::string& function : one.functions) {
            INFO(function << " of " << one.functions.front() << " ...");
            CHECK(vector_outcome(machine, function, one.arguments) == expected[i]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace wasi::jit::baseline
