// Every instruction on vectors with its operands as locals, as results of other instructions and as constants, on
// memory 0 and on another one, with addresses of 32 and of 64 bits: all of them, in all modes, must agree with plain
// code bit by bit. The official suite says what is right.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <iterator>

#include "machine.h"
#include "runtime/memory.h"
#include "support/module_builder.h"
#include "wasm/opcodes.h"

namespace wasi::interp::test {
namespace {

using wasi::test::Bytes;
using wasi::test::join;
using wasi::test::leb;
using wasi::test::section;
using wasi::test::sized;

enum class Source : std::uint8_t { local, computed, constant };
constexpr Source kSources[] = {Source::local, Source::computed, Source::constant};

constexpr std::uint8_t kLane = 1;
constexpr std::uint8_t kOffset = 3;
constexpr std::uint32_t kMemoryBytes = 65536;
// Where the memories hold something, and what is compared after a store.
constexpr std::uint32_t kPatternBytes = 64;

std::uint8_t byte_of_type(char letter) {
  return letter == 'v' ? 0x7B : letter == 'd' ? 0x7C : letter == 'f' ? 0x7D : letter == 'l' ? 0x7E : 0x7F;
}

template <class T>
Bytes bytes_of(const T& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// A value of the `index`-th operand, in slots. Addresses and counts are small.
Values value_of(char letter, std::size_t index, std::uint32_t small) {
  const std::uint64_t vectors[][2] = {{0x8F00'7F80'01FF'1234, 0x7FC0'0000'BF80'0000},
                                      {0x0011'2233'4455'6677, 0x8010'0F1F'FFFF'0001},
                                      {0xFFFF'FFFF'0000'0000, 0x5A5A'A5A5'0F0F'F0F0}};
  switch (letter) {
    case 'v':
      return {vectors[index][0], vectors[index][1]};
    case 'l':
      return {0xFEDC'BA98'7654'3210};
    case 'd':
      return {0xC008'0000'0000'0000};
    case 'f':
      return {0xC040'0000};
    default:
      return {small};
  }
}

Bytes constant_of(char letter, const Values& value) {
  switch (letter) {
    case 'v':
      return join(Bytes{0xFD, 0x0C}, bytes_of(value[0]), bytes_of(value[1]));
    case 'l':
      return join(Bytes{0x42}, wasi::test::signed_leb(static_cast<std::int64_t>(value[0])));
    case 'd':
      return join(Bytes{0x44}, bytes_of(value[0]));
    case 'f':
      return join(Bytes{0x43}, bytes_of(static_cast<std::uint32_t>(value[0])));
    default:
      return join(Bytes{0x41}, wasi::test::signed_leb(static_cast<std::int32_t>(value[0])));
  }
}

// An address of 64 bits; the parameter has 32.
Bytes wide_address(Source source, std::uint32_t small) {
  if (source == Source::constant) return join(Bytes{0x42}, wasi::test::signed_leb(small));
  const Bytes extended = {0x20, 0, 0xAD};
  return source == Source::local ? extended : join(extended, Bytes{0x42, 0, 0x7C});
}

Bytes operand_of(char letter, std::size_t index, Source source, std::uint32_t small) {
  if (source == Source::constant) return constant_of(letter, value_of(letter, index, small));
  Bytes get = {0x20, static_cast<std::uint8_t>(index)};
  if (source == Source::local) return get;
  switch (letter) {
    case 'v':
      return join(get, Bytes{0xFD, 0x4D, 0xFD, 0x4D});  // not, not
    case 'l':
      return join(get, Bytes{0x42, 0, 0x7C});  // plus 0
    case 'd':
      return join(get, get, Bytes{0xA6});  // with its own sign
    case 'f':
      return join(get, get, Bytes{0x98});
    default:
      return join(get, Bytes{0x41, 0, 0x6A});
  }
}

Bytes instruction(const wasm::OpInfo& row, std::uint8_t memory) {
  Bytes code = join(Bytes{row.prefix}, leb(row.code));
  const Bytes memarg = memory == 0 ? Bytes{0, kOffset} : Bytes{0x40, memory, kOffset};
  switch (row.immediate) {
    case wasm::ImmediateKind::memarg:
      return join(code, memarg);
    case wasm::ImmediateKind::memarg_lane:
      return join(code, memarg, Bytes{kLane});
    case wasm::ImmediateKind::lane:
      return join(code, Bytes{kLane});
    case wasm::ImmediateKind::shuffle:
      return join(code, Bytes{31, 0, 16, 15, 3, 4, 5, 20, 21, 22, 9, 9, 9, 1, 30, 2});
    case wasm::ImmediateKind::v128:
      return join(code, Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255});
    default:
      return code;
  }
}

Bytes list(const std::vector<Bytes>& entries) {
  Bytes bytes = leb(entries.size());
  for (const Bytes& entry : entries) bytes.insert(bytes.end(), entry.begin(), entry.end());
  return bytes;
}

struct Case {
  const wasm::OpInfo* row;
  Values arguments;
  std::vector<std::string> functions;  // that have to agree
};

// One module with all the functions.
struct Forms {
  std::vector<Case> cases;
  Bytes binary;
};

Forms make_forms(bool is_wide) {
  Forms forms;
  const std::uint8_t limits = is_wide ? 4 : 0;
  std::vector<Bytes> types;
  std::vector<Bytes> functions;
  std::vector<Bytes> exports;
  std::vector<Bytes> bodies;
  for (const wasm::OpInfo& row : wasm::kOps) {
    if (row.prefix != wasm::kPrefixSimd) continue;
    const auto colon = row.signature.find(':');
    const std::string_view operands = row.signature.substr(0, colon);
    const std::string_view results = row.signature.substr(colon + 1);
    const bool has_small = operands.find_first_of("ai") != std::string_view::npos;
    const std::vector<std::uint32_t> smalls =
        row.access != 0 ? std::vector<std::uint32_t>{0, 5, kMemoryBytes - row.access - kOffset,
                                                     kMemoryBytes - row.access - kOffset + 1, 0xFFFF'FFFF}
        : has_small     ? std::vector<std::uint32_t>{0, 5, 0xFFFF'FFFF}
                        : std::vector<std::uint32_t>{0};
    for (const std::uint32_t small : smalls) {
      Case one{&row, {}, {}};
      Bytes parameters = leb(operands.size());
      for (std::size_t i = 0; i < operands.size(); ++i) {
        parameters.push_back(byte_of_type(operands[i]));
        const Values value = value_of(operands[i], i, small);
        one.arguments.insert(one.arguments.end(), value.begin(), value.end());
      }
      Bytes result = leb(results.size());
      for (const char letter : results) result.push_back(byte_of_type(letter));
      for (const Source source : kSources) {
        for (std::uint8_t memory = 0; memory < (row.access != 0 ? 2 : 1); ++memory) {
          Bytes body = {0};
          for (std::size_t i = 0; i < operands.size(); ++i) {
            body = join(body, is_wide && operands[i] == 'a' ? wide_address(source, small)
                                                            : operand_of(operands[i], i, source, small));
          }
          bodies.push_back(sized(join(body, instruction(row, memory), Bytes{0x0B})));
          const std::string name = fmt::format("f{}", functions.size());
          exports.push_back(join(wasi::test::name(name), Bytes{0}, leb(functions.size())));
          functions.push_back(leb(types.size()));
          one.functions.push_back(name);
        }
      }
      types.push_back(join(Bytes{0x60}, parameters, result));
      forms.cases.push_back(std::move(one));
    }
  }
  forms.binary = wasi::test::module(
      {section(wasi::test::kTypeSection, list(types)), section(wasi::test::kFunctionSection, list(functions)),
       section(wasi::test::kMemorySection, list({{limits, 1}, {limits, 1}})),
       section(wasi::test::kExportSection, list(exports)), section(wasi::test::kCodeSection, list(bodies))});
  return forms;
}

// What a call gives, and what it leaves in the memory that is not all zero.
std::string outcome(Machine& machine, const std::string& function, const Values& arguments) {
  std::uint8_t* memories[2];
  for (std::uint32_t i = 0; i < 2; ++i) {
    memories[i] = machine.newest().memory(i)->view()->base;
    for (std::uint32_t k = 0; k < kPatternBytes; ++k) {
      memories[i][k] = static_cast<std::uint8_t>(k * 37 + 129);
      memories[i][kMemoryBytes - 1 - k] = static_cast<std::uint8_t>(k * 59 + 7);
    }
  }
  const auto results = machine.call(function, arguments);
  if (!results) return results.error().message;
  std::string text;
  for (const std::uint64_t value : *results) fmt::format_to(std::back_inserter(text), "{:016x} ", value);
  if (!results->empty()) return text;
  // One of the two memories is as it was.
  for (std::uint32_t k = 0; k < kPatternBytes; ++k) {
    for (const std::uint32_t at : {k, kMemoryBytes - 1 - k}) {
      const unsigned was = at == k ? (k * 37 + 129) & 255 : (k * 59 + 7) & 255;
      for (const std::uint8_t* memory : memories) {
        if (memory[at] != was) fmt::format_to(std::back_inserter(text), "{}:{:02x} ", at, memory[at]);
      }
    }
  }
  return text;
}

TEST_CASE("the forms of an instruction on vectors agree", "[vector][forms]") {
  const Forms narrow = make_forms(false);
  const Forms wide = make_forms(true);
  CHECK(narrow.cases.size() > 256);
  Machine plain({.style = CodeStyle::plain});
  plain.instantiate(narrow.binary);
  std::vector<std::string> expected;
  for (const Case& one : narrow.cases) {
    INFO(one.row->text);
    expected.push_back(outcome(plain, one.functions.front(), one.arguments));
    const bool is_inside = one.row->access == 0 || one.arguments[0] + kOffset + one.row->access <= kMemoryBytes;
    CHECK((expected.back() == "out of bounds memory access") == !is_inside);
    CHECK_FALSE(expected.back().empty());
  }
  for (const Mode mode : kModes) {
    for (const Forms* forms : {&narrow, &wide}) {
      INFO(describe(mode) << (forms == &wide ? ", 64-bit addresses" : ""));
      Machine machine(mode);
      machine.instantiate(forms->binary);
      for (std::size_t i = 0; i < forms->cases.size(); ++i) {
        const Case& one = forms->cases[i];
        INFO(one.row->text);
        for (const std::string& function : one.functions) {
          INFO(function << " of " << one.functions.front() << " ...");
          CHECK(outcome(machine, function, one.arguments) == expected[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace wasi::interp::test
