// Every instruction on vectors with its operands as locals, as results of other instructions and as constants, on
// memory 0 and on another one, with addresses of 32 and of 64 bits: all of them, in all modes, must agree with plain
// code bit by bit. The official suite says what is right.
#include "vector_forms.h"

#include <catch2/catch.hpp>

namespace wasi::interp::test {
namespace {

TEST_CASE("the forms of an instruction on vectors agree", "[vector][forms]") {
  const VectorForms narrow = make_vector_forms(false);
  const VectorForms wide = make_vector_forms(true);
  CHECK(narrow.cases.size() > 256);
  Machine plain({.style = CodeStyle::plain});
  plain.instantiate(narrow.binary);
  std::vector<std::string> expected;
  for (const VectorCase& one : narrow.cases) {
    INFO(one.row->text);
    expected.push_back(vector_outcome(plain, one.functions.front(), one.arguments));
    CHECK((expected.back() == "out of bounds memory access") == !one.is_inside);
    CHECK_FALSE(expected.back().empty());
  }
  for (const Mode mode : kModes) {
    for (const VectorForms* forms : {&narrow, &wide}) {
      INFO(describe(mode) << (forms == &wide ? ", 64-bit addresses" : ""));
      Machine machine(mode);
      machine.instantiate(forms->binary);
      for (std::size_t i = 0; i < forms->cases.size(); ++i) {
        const VectorCase& one = forms->cases[i];
        INFO(one.row->text);
        for (const std::string& function : one.functions) {
          INFO(function << " of " << one.functions.front() << " ...");
          CHECK(vector_outcome(machine, function, one.arguments) == expected[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace wasi::interp::test
