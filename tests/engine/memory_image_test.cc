// What compiled modules have of their memories as pages: the same to be seen as if the data segments had been written,
// whichever way the pages get to an instance, and when there are none.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/fixture.h"
#include "support/code_images.h"
#include "support/temp_dir.h"

using namespace wasi;
using namespace wasi::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::string data(std::uint64_t address, std::size_t size, unsigned fill, std::string_view constant = "i32.const") {
  std::string text = fmt::format("(data ({} {}) \"", constant, address);
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("\\{:02x}", (fill + i * 7) & 0xFF);
  return text + "\")\n";
}

// Two thousand segments, as compilers write a memory with zeros in it. `stride` 600: enough to be mapped; 100: copied.
std::string many(std::uint64_t from, std::uint64_t stride, std::string_view constant = "i32.const") {
  std::string text;
  for (unsigned i = 0; i < 2000; ++i) {
    // Some overlap those before them.
    text += data(from + i * stride - (i % 50 == 0 ? 8 : 0), stride * 2 / 3, i, constant);
  }
  return text;
}

constexpr const char* kFunctions = R"(
  (func (export "init") (memory.init $last (i32.const 0) (i32.const 0) (i32.const 1)))
  (func (export "first") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)))
  (func (export "first nothing") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))
  (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))";

std::string module_with(std::string_view memory, std::string_view segments) {
  return fmt::format("(module (memory (export \"memory\") {})\n{}{}\n(data $last \"\\63\"))", memory, segments,
                     kFunctions);
}

std::uint64_t hash(std::span<const std::uint8_t> bytes) { return base::checksum(bytes); }

std::string text_of(const auto& done) { return done ? "done" : done.error().to_string(); }

// All that can be seen of an instance, which its memory is written to for.
std::string behaviour(const Engine& engine, const Module& module) {
  Store store(engine);
  const auto made = Linker(engine).instantiate(store, module);
  if (!made) return made.error().to_string();
  const Instance& instance = *made;
  Memory memory = must(instance.memory("memory"));
  std::string seen = fmt::format("{} {:x} ", memory.pages(), hash(memory.bytes()));
  for (const char* name : {"first", "first nothing", "init"}) {
    if (const auto function = instance.function<void()>(name)) seen += text_of((*function)()) + ", ";
  }
  const auto write = must(instance.function<void(std::int32_t, std::int32_t)>("write"));
  for (const std::int32_t at : {0, 5000, 65535, 70000}) seen += text_of(write(at, at)) + ' ';
  seen += fmt::format("{} ", must(must(instance.function<std::int32_t(std::int32_t)>("grow"))(3)));
  return seen + fmt::format("{} {:x}", memory.pages(), hash(memory.bytes()));
}

Bytes compiled(const Module& module) {
  must(module.prepare());
  return must(module.serialize());
}

std::uint64_t image_bytes(const Bytes& bytes) { return image_header(bytes).memory_pages.size; }

void write(const TempDir& folder, std::string_view name, const Bytes& bytes) {
  folder.write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Engine engine_with(BoundsChecks checks) {
  return must(Engine::create({.bounds_checks = checks, .tier = TierSelection::baseline}));
}

enum class Imaged { no, yes };

// The same of the module and of its compiled forms, and the same bytes whichever of them it is compiled from.
void check_alike(const std::string& text, Imaged imaged) {
  for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
    const Engine engine = engine_with(checks);
    const Module module = load(engine, text, "--no-check");
    const std::string expected = behaviour(engine, module);
    CAPTURE(expected);
    const Bytes bytes = compiled(module);
    CHECK((image_bytes(bytes) != 0) == (imaged == Imaged::yes));
    const TempDir folder;
    write(folder, "m.cwasm", bytes);
    for (const Module& loaded : {must(Module::deserialize(engine, std::span(bytes))),
                                 must(Module::deserialize_file(engine, folder / "m.cwasm"))}) {
      // The second one may get the first one's reservation.
      CHECK(behaviour(engine, loaded) == expected);
      CHECK(behaviour(engine, loaded) == expected);
      CHECK(must(loaded.serialize()) == bytes);
      CHECK(loaded.counts().data_segments == module.counts().data_segments);
      CHECK(behaviour(engine, module) == expected);
    }
  }
}

}  // namespace

TEST_CASE("Pages in the place of data segments are as those would have been written") {
  SECTION("enough to be mapped") { check_alike(module_with("100", many(70000, 600)), Imaged::yes); }
  SECTION("few pages, which are copied") { check_alike(module_with("100", many(70000, 300)), Imaged::yes); }
  SECTION("two pieces far from each other, and the end of the memory") {
    check_alike(module_with("1600", many(8, 600) + data((1600 << 16) - 5, 5, 1) + many(90 << 20, 500)), Imaged::yes);
  }
  SECTION("empty ones, also at the end") {
    check_alike(module_with("100", data(5, 0, 0) + many(70000, 600) + data(100 << 16, 0, 0)), Imaged::yes);
  }
  SECTION("passive ones, as long as they are empty") {
    check_alike(module_with("100", "(data \"\") (data \"\")" + many(70000, 600) + "(data \"\")"), Imaged::yes);
  }
  SECTION("memories that move when they grow") {
    check_alike(module_with("100 60000", many(70000, 600)), Imaged::yes);
    check_alike(module_with("100 120", many(70000, 600)), Imaged::yes);
  }
  SECTION("64-bit addresses") {
    std::string text = module_with("i64 100", many(70000, 600, "i64.const"));
    for (const auto& [from, to] :
         {std::pair("(memory.init 0 (i32.const 0)", "(memory.init 0 (i64.const 0)"),
          std::pair("(memory.init 0 (i32.const 0)", "(memory.init 0 (i64.const 0)"),
          std::pair("(memory.init $last (i32.const 0)", "(memory.init $last (i64.const 0)"),
          std::pair("(i32.store8 (local.get 0)", "(i32.store8 (i64.extend_i32_u (local.get 0))"),
          std::pair("(memory.grow (local.get 0))", "(i32.wrap_i64 (memory.grow (i64.extend_i32_u (local.get 0))))")}) {
      text.replace(text.find(from), std::string_view(from).size(), to);
    }
    check_alike(text, Imaged::yes);
  }
}

TEST_CASE("Where pages stand for some of the segments, the others are written behind them") {
  SECTION("such as trap: what is before them was written") {
    // Into a memory that outlives the instance which cannot be made: what it exports nobody gets.
    check_alike(module_with("100", many(70000, 600) + data((100 << 16) - 1, 2, 0) + data(0, 4, 9)), Imaged::yes);
  }
  SECTION("such as write over what the pages have") {
    check_alike(module_with("100", many(70000, 600) + "(data (global.get $g) \"\\ff\\fe\")\n" +
                                       "(global $g i32 (i32.const 70001))\n" + data(70010, 30, 3)),
                Imaged::yes);
  }
  SECTION("passive ones") {
    check_alike(module_with("100", many(70000, 600) + "(data \"abc\")\n" + data(70010, 30, 3)), Imaged::yes);
  }
}

TEST_CASE("Segments stay segments where that is better, or all there is") {
  SECTION("few small ones") { check_alike(module_with("100", data(70000, 600, 1)), Imaged::no); }
  SECTION("far from each other") {
    std::string text;
    for (unsigned i = 0; i < 1500; ++i) text += data(i * 65536, 1, i);
    check_alike(module_with("1500", text), Imaged::no);
  }
  SECTION("behind one that is not certain") {
    check_alike(module_with("100", "(global $g i32 (i32.const 7)) (data (global.get $g) \"x\")" + many(70000, 600)),
                Imaged::no);
    check_alike(module_with("100", data(100 << 16, 1, 0) + many(70000, 600)), Imaged::no);
    check_alike(module_with("100", "(data \"x\")" + many(70000, 600)), Imaged::no);
  }
  SECTION("shared memories") { check_alike(module_with("100 200 shared", many(70000, 600)), Imaged::no); }
  SECTION("elements that may trap, before data is written") {
    check_alike(module_with("100", "(table 1 funcref) (elem (i32.const 1) func 0)" + many(70000, 600)), Imaged::no);
    check_alike(module_with("100", "(table 2 funcref) (elem (i32.const 1) func 0)" + many(70000, 600)), Imaged::yes);
  }
}

TEST_CASE("An imported memory is written to by segments") {
  const Engine engine = engine_with(BoundsChecks::guard_pages);
  const Module module = load(engine, fmt::format("(module (import \"\" \"m\" (memory 100)) {})", many(70000, 600)));
  const Bytes bytes = compiled(module);
  CHECK(image_bytes(bytes) == 0);
  std::vector<std::uint64_t> seen;
  for (const Module& one : {module, must(Module::deserialize(engine, std::span(bytes)))}) {
    Store store(engine);
    Linker linker(engine);
    Memory memory = must(Memory::create(store, {.limits = {.min = 100}}));
    linker.define("", "m", memory);
    must(linker.instantiate(store, one));
    seen.push_back(hash(memory.bytes()));
  }
  CHECK(seen[0] == seen[1]);
}

TEST_CASE("Instances on the same pages are independent of each other, of the file's name and of the module's handle") {
  const Engine engine = engine_with(BoundsChecks::guard_pages);
  const Bytes bytes = compiled(load(engine, module_with("100", many(70000, 600))));
  const TempDir folder;
  write(folder, "m.cwasm", bytes);
  std::optional<Module> module = must(Module::deserialize_file(engine, folder / "m.cwasm"));
  Store store(engine);
  Linker linker(engine);
  const Instance one = must(linker.instantiate(store, *module));
  const Memory first = must(one.memory("memory"));
  const std::uint64_t fresh = hash(first.bytes());
  first.bytes()[70001] ^= 1;
  // Replaced by another of its name.
  write(folder, "other", Bytes(bytes.size(), 0xEE));
  std::filesystem::rename(folder / "other", folder / "m.cwasm");
  const Instance two = must(linker.instantiate(store, *module));
  module.reset();
  const Memory second = must(two.memory("memory"));
  CHECK(hash(second.bytes()) == fresh);
  second.bytes()[70002] ^= 1;
  second.bytes()[70001] ^= 1;
  first.bytes()[70002] ^= 1;
  CHECK(hash(first.bytes()) == hash(second.bytes()));
  CHECK(hash(first.bytes()) != fresh);
}

TEST_CASE("A file whose module has gone may be cut off: nobody's memory is a part of it") {
  const Engine engine = engine_with(BoundsChecks::guard_pages);
  const Module plain = load(engine, module_with("100", data(70000, 4, 1)));
  const std::string expected = behaviour(engine, plain);
  const Bytes bytes = compiled(load(engine, module_with("100", many(70000, 600))));
  const TempDir folder;
  for (int round = 0; round < 5; ++round) {
    write(folder, "m.cwasm", bytes);
    CHECK_FALSE(behaviour(engine, must(Module::deserialize_file(engine, folder / "m.cwasm"))).empty());
    std::filesystem::resize_file(folder / "m.cwasm", 0);
    CHECK(behaviour(engine, plain) == expected);
  }
}

TEST_CASE("Damaged pages are told when a module is instantiated") {
  const Engine engine = engine_with(BoundsChecks::guard_pages);
  Bytes bytes = compiled(load(engine, module_with("100", many(70000, 600))));
  const auto header = image_header(bytes);
  for (const std::uint64_t at : {std::uint64_t{0}, header.memory_pages.size / 2, header.memory_pages.size - 1}) {
    Bytes bad = bytes;
    bad[header.memory_pages.offset + at] ^= 1;
    const TempDir folder;
    write(folder, "m.cwasm", bad);
    for (const Module& module : {must(Module::deserialize(engine, std::span(bad))),
                                 must(Module::deserialize_file(engine, folder / "m.cwasm"))}) {
      CHECK(behaviour(engine, module) ==
            "malformed module: the compiled module is damaged: its memory has another checksum");
      CHECK_FALSE(module.serialize().has_value());
    }
  }
  SECTION("pages that the module has no memory for") {
    // As if they had been written so.
    for (const std::uint64_t address : {std::uint64_t{100} << 16, std::uint64_t{1} << 40, UINT64_MAX - 4095}) {
      Bytes bad = bytes;
      jit::image::Run run{.address = address, .bytes = header.memory_pages.size};
      std::memcpy(bad.data() + header.memory_runs.offset, &run, sizeof(run));
      renew_checksums(bad);
      const auto module = Module::deserialize(engine, std::span(bad));
      REQUIRE_FALSE(module.has_value());
      CHECK(module.error().kind == ErrorKind::malformed);
    }
    Bytes bad = bytes;
    auto wrong = header;
    wrong.memory = 1;
    std::memcpy(bad.data(), &wrong, sizeof(wrong));
    renew_checksums(bad);
    CHECK(Module::deserialize(engine, std::span(bad)).error().message ==
          "the compiled module is damaged: it has pages for a memory that the module lacks");
    wrong = header;
    wrong.memory_segments += 10;
    std::memcpy(bad.data(), &wrong, sizeof(wrong));
    renew_checksums(bad);
    CHECK(Module::deserialize(engine, std::span(bad)).error().message.contains("data section"));
  }
}
