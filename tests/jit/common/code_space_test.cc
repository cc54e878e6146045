// An engine's code: the arena made when it is needed, listeners, what is said when there is no room.
#include "jit/common/code_space.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "jit/common/assembler_x64.h"
#include "support/machine_code.h"
#include "support/restricted.h"

namespace wasi::jit {
namespace {

// mov eax, value; ret
std::vector<std::uint8_t> constant(std::int32_t value, std::size_t padding = 0) {
  Assembler a;
  a.mov(x64::eax, value);
  a.ret();
  auto code = a.take().value();
  code.insert(code.end(), padding, 0xCC);
  return code;
}

struct Recorder : CodeListener {
  explicit Recorder(bool one_view = false) : wants_one(one_view) {}
  void code_added(const NamedCode& added) noexcept override {
    names[added.code.data()] = added.name;
    result = results[added.code.data()] = wasi::test::call(added.code.data());
    marks = added.marks.size();
  }
  void code_removed(std::span<const std::uint8_t> code) noexcept override {
    CHECK(names.erase(code.data()) == 1);
    // It is still there.
    CHECK(wasi::test::call(code.data()) == results.at(code.data()));
  }
  [[nodiscard]] bool wants_one_view() const override { return wants_one; }
  [[nodiscard]] std::optional<Error> failure() const override { return error; }

  bool wants_one;
  std::optional<Error> error;
  std::map<const std::uint8_t*, std::string> names;
  std::map<const std::uint8_t*, int> results;
  int result = 0;
  std::size_t marks = 0;
};

TEST_CASE("there is no arena before the first code") {
  CodeSpace space;
  CHECK(space.statistics().reserved == 0);
  {
    const PlacedCode code = space.place(constant(12), "twelve").value();
    CHECK(wasi::test::call(code.bytes().data()) == 12);
    CHECK(space.statistics().reserved >= runtime::kLeastReservedCodeBytes);
    CHECK(space.statistics().pieces == 1);
  }
  CHECK(space.statistics().pieces == 0);
}

TEST_CASE("listeners hear of code when it can be executed, and while it still can") {
  const auto recorder = std::make_shared<Recorder>(GENERATE(false, true));
  CodeSpace space({.listeners = {recorder}});
  CHECK(space.has_listeners());
  {
    const std::vector<runtime::OffsetEntry> marks = {{0, 5}, {1, 7}};
    PlacedCode code = space.place(constant(34), "").value();
    CHECK(recorder->names.empty());
    space.tell(code, {"thirty-four", code.bytes(), marks});
    CHECK(recorder->names.at(code.bytes().data()) == "thirty-four");
    CHECK(recorder->result == 34);
    CHECK(recorder->marks == 2);
    // One that moves is told once.
    const PlacedCode moved = std::move(code);
    CHECK(recorder->names.size() == 1);
    PlacedCode other = space.place(constant(34), "other").value();
    CHECK(recorder->names.size() == 2);
    other = PlacedCode();
    CHECK(recorder->names.size() == 1);
  }
  CHECK(recorder->names.empty());
}

TEST_CASE("a full space is told once, and has room again when code goes") {
  std::vector<std::string> warnings;
  CodeSpace space({.limit = 4096, .warn = [&](const std::string& message) { warnings.push_back(message); }});
  CHECK(space.check_room(4096));
  CHECK(warnings.empty());
  CHECK(space.check_room(4097).error().kind == ErrorKind::limit);
  {
    const PlacedCode large = space.place(constant(1, 4000), "large").value();
    CHECK(space.place(constant(1, 4000), "more").error().kind == ErrorKind::limit);
    CHECK_FALSE(space.check_room(1000));
  }
  CHECK(warnings == std::vector<std::string>{
                        "the limit of 4096 bytes for machine code is reached, the interpreter runs what has none yet"});
  CHECK(space.check_room(1000));
  CHECK(space.place(constant(1, 4000), "more"));
}

TEST_CASE("a host that refuses executable memory is told once, and asked once") {
  CHECK(wasi::test::in_child([] {
          if (!wasi::test::forbid(SYS_mmap, EPERM, 2, PROT_EXEC) ||
              !wasi::test::forbid(SYS_mprotect, EACCES, 2, PROT_EXEC)) {
            return wasi::test::kCannotTest;
          }
          std::vector<std::string> warnings;
          CodeSpace space({.warn = [&](const std::string& message) { warnings.push_back(message); }});
          for (int i = 0; i < 3; ++i) {
            const auto placed = space.place(constant(1), "one");
            const auto room = space.check_room(1);
            if (placed || room || placed.error().message != room.error().message) return 1;
            if (placed.error().kind != ErrorKind::io || space.statistics().reserved != 0) return 2;
          }
          if (warnings.size() != 1) return 3;
          const std::string_view begin =
              "the host refuses machine code, the interpreter runs all: no memory for machine code: ";
          return warnings[0].starts_with(begin) ? 0 : 4;
        }) == 0);
}

TEST_CASE("a processor that cannot run the code is a refusal, too") {
  std::vector<std::string> warnings;
  int asked = 0;
  CodeSpace space({.refusal = [&asked]() -> std::optional<Error> {
                     ++asked;
                     return Error{ErrorKind::unsupported, "this processor is too old", {}, {}};
                   },
                   .warn = [&](const std::string& message) { warnings.push_back(message); }});
  CHECK(warnings.empty());
  CHECK(asked == 0);
  CHECK(space.check_room(1).error().kind == ErrorKind::unsupported);
  CHECK(space.place(constant(1), "one").error().message == "this processor is too old");
  CHECK(asked == 1);
  CHECK(space.statistics().reserved == 0);
  CHECK(warnings ==
        std::vector<std::string>{"the host refuses machine code, the interpreter runs all: this processor is too old"});
}

TEST_CASE("what a listener could not tell its tool is told once") {
  std::vector<std::string> warnings;
  const auto recorder = std::make_shared<Recorder>();
  CodeSpace space({.listeners = {recorder}, .warn = [&](const std::string& message) { warnings.push_back(message); }});
  const PlacedCode first = space.place(constant(1), "first").value();
  CHECK(warnings.empty());
  recorder->error = Error{ErrorKind::io, "the disk is full", {}, {}};
  const PlacedCode second = space.place(constant(2), "second").value();
  const PlacedCode third = space.place(constant(3), "third").value();
  CHECK(warnings == std::vector<std::string>{"a tool was not told of all machine code: the disk is full"});
}

TEST_CASE("adapters are one per shape, of small ones for good") {
  CodeSpace space;
  AdapterCache& cache = space.adapters();
  const auto adapters = cache.of({{wasm::kI32, wasm::kF32}, {wasm::kFuncRef}});
  CHECK(cache.of({{wasm::kI64, wasm::kF64}, {wasm::kI32}}) == adapters);
  CHECK(cache.of({{wasm::kI64, wasm::kV128}, {wasm::kI32}}) != adapters);
  CHECK(cache.of({{wasm::kF64, wasm::kI64}, {wasm::kI32}}) != adapters);
  CHECK(cache.of({{wasm::kI64, wasm::kF64}, {}}) != adapters);
  CHECK(cache.size() == 4);
  CHECK(space.statistics().pieces == 0);
  const runtime::SlotEntry entry = adapters->slot_entry().value();
  CHECK(adapters->slot_entry().value() == entry);
  CHECK(adapters->native_entry().value() != adapters->host_entry().value());
  CHECK(adapters->loop_entry().has_value());
  CHECK(space.statistics().pieces == 4);

  // A large one goes with its last holder.
  wasm::FuncType large;
  large.params.assign(AdapterCache::kKeptShapeValues + 1, wasm::kI32);
  auto of_large = cache.of(large);
  CHECK(of_large->slot_entry().has_value());
  CHECK(cache.of(large) == of_large);
  CHECK(cache.size() == 5);
  CHECK(space.statistics().pieces == 5);
  of_large.reset();
  CHECK(cache.size() == 4);
  CHECK(space.statistics().pieces == 4);
}

TEST_CASE("an engine does not grow with the shapes that it has met") {
  CodeSpace space;
  AdapterCache& cache = space.adapters();
  // More small shapes than are kept: every list of up to 9 values of two kinds.
  std::size_t count = 0;
  for (unsigned values = 1; values < 1024; ++values) {
    wasm::FuncType type;
    for (unsigned rest = values; rest != 1; rest /= 2) type.params.push_back(rest % 2 == 0 ? wasm::kI32 : wasm::kF32);
    REQUIRE(cache.of(type)->slot_entry().has_value());
    ++count;
  }
  CHECK(count > AdapterCache::kKeptShapes);
  CHECK(cache.size() == AdapterCache::kKeptShapes);
  CHECK(space.statistics().pieces == AdapterCache::kKeptShapes);
}

}  // namespace
}  // namespace wasi::jit
