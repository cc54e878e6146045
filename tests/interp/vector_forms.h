// Modules in which every instruction on vectors stands in all the ways that compilers tell apart, and what their
// functions do: what has the same operands must agree, whoever runs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interp/machine.h"
#include "support/module_builder.h"
#include "wasm/opcodes.h"

namespace wasi::interp::test {

struct VectorCase {
  const wasm::OpInfo* row;
  Values arguments;
  std::vector<std::string> functions;  // that have to agree
  bool is_inside = true;               // the memory, if it accesses one
};

// One module with all the functions.
struct VectorForms {
  std::vector<VectorCase> cases;
  wasi::test::Bytes binary;
};

enum class VectorUses : std::uint8_t {
  once,  // each operand a local, the result of an instruction, a constant
  // The same, and each local used so often that it is worth a register, with the result in a local, of its own or an
  // operand's; and an i32 as what a branch looks at.
  often
};

// On memory 0 and on another one, with addresses of 32 or 64 bits.
VectorForms make_vector_forms(bool is_wide, VectorUses uses = VectorUses::once);

// What a call gives, or what it leaves in the memories.
std::string vector_outcome(Machine& machine, const std::string& function, const Values& arguments);

}  // namespace wasi::interp::test
