// The name section: found when asked for, and never a reason to refuse a module.
#include "binary/names.h"

#include "binary/support.h"
#include "support/wat.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::join;
using test::section;

// A module of three functions whose name section has this payload. Kept alive: names are views into it.
const wasm::Module& module_with(const test::Bytes& payload) {
  const auto module = decode(test::module({
      section(test::kTypeSection, test::vec({hex("60 00 00")})),
      section(test::kFunctionSection, hex("03 00 00 00")),
      section(test::kCodeSection, hex("03 02 00 0b 02 00 0b 02 00 0b")),
      section(test::kCustomSection, join(test::name("name"), payload)),
  }));
  static std::shared_ptr<wasm::Module> alive;
  alive = module;
  return *alive;
}

Names names_of(const test::Bytes& payload) { return decode_names(module_with(payload)); }

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
  CHECK(names.functions.size() == 2);
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

TEST_CASE("names of all kinds") {
  const auto entry = [](std::string_view index, std::string_view name) { return join(hex(index), test::name(name)); };
  const auto module = decode(test::module({
      section(test::kTypeSection, test::vec({hex("60 00 00"), hex("5f 02 7f 00 7e 00")})),
      section(test::kFunctionSection, hex("01 00")),
      section(test::kTableSection, hex("01 70 00 00")),
      section(test::kMemorySection, hex("01 00 00")),
      section(test::kTagSection, hex("01 00 00")),
      section(test::kGlobalSection, hex("01 7f 00 41 00 0b")),
      section(test::kElementSection, hex("01 01 00 00")),
      section(test::kCodeSection, hex("01 02 00 0b")),
      section(test::kDataSection, hex("01 01 00")),
      section(test::kCustomSection,
              join(test::name("name"), subsection(0, test::name("all")), subsection(1, test::vec({entry("00", "f")})),
                   subsection(2, test::vec({join(hex("00"), test::vec({entry("00", "x"), entry("01", "y")}))})),
                   subsection(3, test::vec({join(hex("00"), test::vec({entry("00", "again")}))})),
                   subsection(4, test::vec({entry("00", "t"), entry("01", "pair")})),
                   subsection(5, test::vec({entry("00", "table")})), subsection(6, test::vec({entry("00", "memory")})),
                   subsection(7, test::vec({entry("00", "global")})), subsection(8, test::vec({entry("00", "elem")})),
                   subsection(9, test::vec({entry("00", "data")})),
                   subsection(10, test::vec({join(hex("01"), test::vec({entry("01", "second")}))})),
                   subsection(11, test::vec({entry("00", "tag")})))),
  }));
  const NameSection names(*module);
  CHECK(names.exists());
  CHECK(names.module_name() == "all");
  const auto first = [&](NameKind kind) { return find_name(names.names(kind), 0).value_or("none"); };
  CHECK(first(NameKind::function) == "f");
  CHECK(first(NameKind::type) == "t");
  CHECK(first(NameKind::table) == "table");
  CHECK(first(NameKind::memory) == "memory");
  CHECK(first(NameKind::global) == "global");
  CHECK(first(NameKind::element) == "elem");
  CHECK(first(NameKind::data) == "data");
  CHECK(first(NameKind::tag) == "tag");
  CHECK(names.indirect(NameKind::local).of(0) == NameMap{{0, "x"}, {1, "y"}});
  CHECK(names.indirect(NameKind::label).of(0) == NameMap{{0, "again"}});
  CHECK(names.indirect(NameKind::field).of(1) == NameMap{{1, "second"}});
  CHECK(names.indirect(NameKind::field).of(0).empty());
  CHECK(names.indirect(NameKind::field).outer_indices() == std::vector<std::uint32_t>{1});
}

TEST_CASE("names by function out of order, twice, and cut off") {
  const test::Bytes x = test::vec({join(hex("05"), test::name("x"))});
  const test::Bytes y = test::vec({join(hex("06"), test::name("y"))});
  SECTION("the first map of a function counts") {
    const NameSection names(
        module_with(subsection(2, join(hex("04"), hex("02"), x, hex("01"), y, hex("02"), y, hex("09"), x))));
    const IndirectNames locals = names.indirect(NameKind::local);
    CHECK(locals.outer_indices() == std::vector<std::uint32_t>{1, 2});
    CHECK(locals.of(2) == NameMap{{5, "x"}});
    CHECK(locals.of(1) == NameMap{{6, "y"}});
    CHECK(locals.of(9).empty());
  }
  SECTION("what stands before the end is kept") {
    const NameSection names(
        module_with(subsection(2, join(hex("02"), hex("00"), x, hex("01"), hex("02 06 01 79 07 7f")))));
    const IndirectNames locals = names.indirect(NameKind::local);
    CHECK(locals.of(0) == NameMap{{5, "x"}});
    CHECK(locals.of(1) == NameMap{{6, "y"}});
  }
}

}  // namespace
}  // namespace wasi::binary
