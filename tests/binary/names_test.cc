// The name section: found when asked for, and never a reason to refuse a module.
#include "binary/names.h"

#include "binary/support.h"
#include "support/wat.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::join;
using test::section;

// Names of a module of three functions whose name section has this payload.
Names names_of(const test::Bytes& payload) {
  const auto module = decode(test::module({
      section(test::kTypeSection, test::vec({hex("60 00 00")})),
      section(test::kFunctionSection, hex("03 00 00 00")),
      section(test::kCodeSection, hex("03 02 00 0b 02 00 0b 02 00 0b")),
      section(test::kCustomSection, join(test::name("name"), payload)),
  }));
  // The views must not outlive the module, so tests compare at once and keep the module alive.
  static std::shared_ptr<wasm::Module> alive;
  alive = module;
  return decode_names(*module);
}

test::Bytes subsection(std::uint8_t id, const test::Bytes& payload) {
  return join(test::Bytes{id}, test::sized(payload));
}

TEST_CASE("names that a compiler wrote") {
  const auto module = decode(test::wat(R"((module $app
    (import "env" "log" (func $log))
    (func $main) (func) (func $helper)))",
                                       "--debug-names"));
  const Names names = decode_names(*module);
  CHECK(names.module == "app");
  CHECK(names.function(wasm::FuncIndex(0)) == "log");
  CHECK(names.function(wasm::FuncIndex(1)) == "main");
  CHECK_FALSE(names.function(wasm::FuncIndex(2)).has_value());
  CHECK(names.function(wasm::FuncIndex(3)) == "helper");
  CHECK_FALSE(names.function(wasm::FuncIndex(4)).has_value());
}

TEST_CASE("a module without names") {
  const auto module = decode(test::module({}));
  const Names names = decode_names(*module);
  CHECK(names.module.empty());
  CHECK(names.functions.empty());
}

TEST_CASE("names out of order, twice, and of functions that do not exist") {
  const Names names =
      names_of(subsection(1, test::vec({join(hex("02"), test::name("two")), join(hex("00"), test::name("zero")),
                                        join(hex("02"), test::name("again")), join(hex("07"), test::name("seven"))})));
  CHECK(names.functions.size() == 3);
  CHECK(names.function(wasm::FuncIndex(0)) == "zero");
  CHECK_FALSE(names.function(wasm::FuncIndex(1)).has_value());
  CHECK(names.function(wasm::FuncIndex(2)) == "two");
}

TEST_CASE("what can be read of a broken name section is kept") {
  const test::Bytes good = subsection(0, test::name("app"));
  const test::Bytes first = join(hex("00"), test::name("zero"));
  SECTION("a count that claims too much") {
    const Names names = names_of(join(good, subsection(1, join(hex("ff ff ff ff 0f"), first))));
    CHECK(names.module == "app");
    CHECK(names.function(wasm::FuncIndex(0)) == "zero");
  }
  SECTION("a name that is no UTF-8") {
    const Names names = names_of(join(good, subsection(1, join(hex("02"), first, hex("01 01 ff")))));
    CHECK(names.function(wasm::FuncIndex(0)) == "zero");
    CHECK_FALSE(names.function(wasm::FuncIndex(1)).has_value());
  }
  SECTION("a subsection that reaches beyond the end") {
    const Names names = names_of(join(good, hex("01 7f 01 00")));
    CHECK(names.module == "app");
    CHECK(names.functions.empty());
  }
  SECTION("subsections that nobody knows") {
    const Names names = names_of(join(subsection(0x55, hex("01 02 03")), good));
    CHECK(names.module == "app");
  }
}

}  // namespace
}  // namespace wasi::binary
