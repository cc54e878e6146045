// Every numeric instruction in all forms that its operands can have: locals, constants, results of the
// instruction before. All of them, fused or plain, must agree with each other bit by bit; the official
// suite says what is right.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "machine.h"
#include "support/wat.h"
#include "wasm/opcodes.h"

namespace wasi::interp::test {
namespace {

const char* type_name(char letter) {
  return letter == 'i' ? "i32" : letter == 'l' ? "i64" : letter == 'f' ? "f32" : "f64";
}

Values interesting(char letter) {
  switch (letter) {
    case 'i':
      return {0, 1, 2, 31, 32, 0x7FFF'FFFF, 0x8000'0000, 0xFFFF'FFFF, 0x1234'5678};
    case 'l':
      return {0,
              1,
              63,
              64,
              0x7FFF'FFFF,
              0x8000'0000,
              0xFFFF'FFFF,
              0x7FFF'FFFF'FFFF'FFFF,
              0x8000'0000'0000'0000,
              UINT64_MAX,
              0x0123'4567'89AB'CDEF};
    case 'f':
      return {0,           0x8000'0000, 0x3F80'0000, 0xBFC0'0000, 0x7F80'0000, 0xFF80'0000,
              0x7FC0'0000, 0x7FA0'0001, 0x4F00'0000, 0x0000'0001, 0xCF00'0001};
    default:
      return {0,
              0x8000'0000'0000'0000,
              0x3FF0'0000'0000'0000,
              0xBFF8'0000'0000'0000,
              0x7FF0'0000'0000'0000,
              0x7FF8'0000'0000'0000,
              0x7FF4'0000'0000'0001,
              0x41E0'0000'0000'0000,
              0xC1E0'0000'0020'0000,
              1};
  }
}

// A constant with these bits, NaNs included.
std::string constant(char letter, std::uint64_t bits) {
  switch (letter) {
    case 'i':
      return fmt::format("(i32.const {})", bits);
    case 'l':
      return fmt::format("(i64.const {})", static_cast<std::int64_t>(bits));
    case 'f': {
      const std::uint64_t fraction = bits & 0x7F'FFFF;
      const char* sign = (bits >> 31) != 0 ? "-" : "";
      if ((bits >> 23 & 0xFF) == 0xFF) {
        return fraction == 0 ? fmt::format("(f32.const {}inf)", sign)
                             : fmt::format("(f32.const {}nan:{:#x})", sign, fraction);
      }
      return fmt::format("(f32.const {:a})",
                         static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
    }
    default: {
      const std::uint64_t fraction = bits & 0xF'FFFF'FFFF'FFFF;
      const char* sign = (bits >> 63) != 0 ? "-" : "";
      if ((bits >> 52 & 0x7FF) == 0x7FF) {
        return fraction == 0 ? fmt::format("(f64.const {}inf)", sign)
                             : fmt::format("(f64.const {}nan:{:#x})", sign, fraction);
      }
      return fmt::format("(f64.const {:a})", std::bit_cast<double>(bits));
    }
  }
}

// A value that passed through an instruction of its own, and so is in the accumulator.
std::string computed(char letter, const std::string& value) {
  switch (letter) {
    case 'i':
      return "(i32.xor " + value + " (i32.const 0))";
    case 'l':
      return "(i64.xor " + value + " (i64.const 0))";
    case 'f':
      return "(f32.copysign " + value + " " + value + ")";
    default:
      return "(f64.copysign " + value + " " + value + ")";
  }
}

bool is_nan(char letter, std::uint64_t bits) {
  if (letter == 'f') return std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  return letter == 'd' && std::isnan(std::bit_cast<double>(bits));
}

std::string outcome(Machine& machine, const std::string& function, const Values& arguments) {
  const auto results = machine.call(function, arguments);
  return results ? fmt::format("{:#x}", results->front()) : results.error().message;
}

struct Instruction {
  std::string text;
  std::string operands;
  char result;
};

std::vector<Instruction> numeric_instructions() {
  std::vector<Instruction> list;
  for (const wasm::OpInfo& row : wasm::kOps) {
    const auto colon = row.signature.find(':');
    if (row.immediate != wasm::ImmediateKind::none || colon == std::string_view::npos || colon == 0 || colon > 2 ||
        row.signature.size() != colon + 2 || row.signature.find_first_of("va") != std::string_view::npos) {
      continue;
    }
    list.push_back({std::string(row.text), std::string(row.signature.substr(0, colon)), row.signature.back()});
  }
  return list;
}

TEST_CASE("the forms of an instruction agree", "[forms]") {
  const std::vector<Instruction> instructions = numeric_instructions();
  CHECK(instructions.size() > 120);
  for (std::size_t first = 0; first < instructions.size(); first += 20) {
    std::string wat = "(module";
    struct Case {
      std::string reference;
      std::vector<std::string> forms;
      Values arguments;
    };
    std::vector<Case> cases;
    int count = 0;
    const std::size_t last = std::min(first + 20, instructions.size());
    for (std::size_t i = first; i < last; ++i) {
      const auto& [text, operands, result] = instructions[i];
      std::string parameters;
      for (char operand : operands) parameters += fmt::format(" (param {})", type_name(operand));
      const auto add = [&](const std::string& a, const std::string& b) {
        const std::string name = fmt::format("f{}", count++);
        wat += fmt::format("\n(func (export \"{}\") {} (result {}) ({} {} {}))", name, parameters, type_name(result),
                           text, a, b);
        return name;
      };
      const Values lefts = interesting(operands[0]);
      if (operands.size() == 1) {
        const std::string reference = add("(local.get 0)", "");
        for (std::uint64_t a : lefts) {
          const std::string k = constant(operands[0], a);
          cases.push_back({reference, {add(k, ""), add(computed(operands[0], "(local.get 0)"), "")}, {a}});
        }
        continue;
      }
      const std::string reference = add("(local.get 0)", "(local.get 1)");
      const std::string a = "(local.get 0)";
      const std::string b = "(local.get 1)";
      const std::string ca = computed(operands[0], a);
      const std::string cb = computed(operands[1], b);
      const std::vector<std::string> always = {add(ca, b), add(a, cb), add(ca, cb)};
      const Values rights = interesting(operands[1]);
      for (std::uint64_t right : rights) {
        const std::string k = constant(operands[1], right);
        std::vector<std::string> forms = always;
        for (const std::string& left : {a, ca}) forms.push_back(add(left, k));
        for (std::uint64_t left : lefts) {
          // Of two NaNs either may come back, and compilers take operands in the order that they like.
          if (is_nan(operands[0], left) && is_nan(operands[1], right)) continue;
          std::vector<std::string> all = forms;
          all.push_back(add(constant(operands[0], left), k));
          if (right == rights[3]) all.push_back(add(constant(operands[0], left), b));
          if (right == rights[2]) all.push_back(add(constant(operands[0], left), cb));
          cases.push_back({reference, std::move(all), {left, right}});
        }
      }
    }
    Machine plain({.style = CodeStyle::plain});
    Machine fused({.style = CodeStyle::fused});
    const std::vector<std::uint8_t> binary = wasi::test::wat(wat + ")");
    plain.instantiate(binary);
    fused.instantiate(binary);
    for (const Case& c : cases) {
      const std::string expected = outcome(plain, c.reference, c.arguments);
      INFO("arguments " << c.arguments[0] << ", " << (c.arguments.size() > 1 ? c.arguments[1] : 0));
      for (const std::string& form : c.forms) {
        const std::size_t at = wat.find("\"" + form + "\"");
        INFO(wat.substr(at, wat.find('\n', at) - at));
        CHECK(outcome(fused, form, c.arguments) == expected);
        CHECK(outcome(plain, form, c.arguments) == expected);
      }
      CHECK(outcome(fused, c.reference, c.arguments) == expected);
    }
  }
}

}  // namespace
}  // namespace wasi::interp::test
