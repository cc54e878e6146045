// Damaged compiled modules through all that loading does: errors, or modules of which all code can be bound. It is not
// run: what code does is its author's choice.
#include <wasi/wasi.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "mutation/mutate.h"
#include "support/code_images.h"
#include "support/wat.h"

using namespace wasi;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr const char* kModule = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "host" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\05\06\07")
  (table 2 funcref)
  (elem (i32.const 0) $square $twice)
  (tag $oops (param i32))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.load (i32.wrap_i64 (local.get $n)))))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "call") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "many") (param i32 i32 i32 i32 i32 i32 i32 f64 f32) (result i32)
    (i32.div_s (local.get 6) (call $square (local.get 0)))))
)";

int rounds(int usual) {
  const char* const asked = std::getenv("WASIRUN_IMAGE_MUTATIONS");
  return asked == nullptr ? usual : std::atoi(asked);
}

// Some bytes of what leads to the code: the header behind the build's name, tables, details of units.
Bytes damaged(const Bytes& good, test::Random& random) {
  constexpr std::uint64_t kNumbers[] = {0,      1,          7,          0x7F,       0x80,      0xFF,
                                        0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, UINT64_MAX};
  const jit::image::Header header = test::image_header(good);
  const std::size_t begin = offsetof(jit::image::Header, file_bytes);
  const std::size_t end = header.details.offset + header.details.size - sizeof(std::uint64_t);
  Bytes bytes = good;
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::size_t at = begin + random.below(end - begin);
    const std::uint64_t number =
        random.below(2) == 0 ? kNumbers[random.below(std::size(kNumbers))] : random.below(2 * good.size());
    switch (random.below(3)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(random.below(256));
        break;
      case 1:
        std::memcpy(bytes.data() + at / 4 * 4, &number, 4);
        break;
      default:
        std::memcpy(bytes.data() + at / 8 * 8, &number, 8);
    }
  }
  return bytes;
}

// The module with data enough for pages of its memory in the image, and a segment behind those.
std::string module_text() {
  std::string text(kModule, std::string_view(kModule).rfind(')'));
  for (int i = 0; i < 1100; ++i) {
    text += "(data (i32.const " + std::to_string(64 + i * 50) + ") \"" + std::string(30, 'a' + i % 20) + "\")\n";
  }
  return text + "(data \"passive\"))";
}

// Whether it was loaded, and then all of its code, as far as there is any, and its memory.
bool load(const Engine& engine, Bytes bytes) {
  const auto module = Module::deserialize(engine, std::move(bytes));
  if (!module) {
    REQUIRE_FALSE(module.error().message.empty());
    return false;
  }
  REQUIRE(module->prepare().has_value());
  static_cast<void>(module->imports());
  static_cast<void>(module->exports());
  static_cast<void>(module->function_names());
  static_cast<void>(module->serialize());
  Store store(engine);
  Linker linker(engine);
  linker.define("host", "twice", [](std::int32_t value) { return 2 * value; });
  static_cast<void>(linker.instantiate(store, *module));
  return true;
}

}  // namespace

TEST_CASE("damaged compiled modules end in an error or are loaded") {
  // With units of one function, and with one of several by the optimising compiler.
  const auto optimise = GENERATE(Module::Optimise::nothing, Module::Optimise::everything);
  EngineConfig config{.tier = TierSelection::baseline};
  int warnings = 0;
  config.on_warning = [&warnings](const std::string& message) {
    if (!message.empty()) ++warnings;
  };
  const Engine engine = Engine::create(config).value();
  const Module module = Module::from_bytes(engine, test::wat(module_text(), "--debug-names")).value();
  if (const auto compiled = module.compile({.optimise = optimise}); !compiled) {
    REQUIRE(compiled.error().kind == ErrorKind::unsupported);
    WARN("not tried with optimised code: " << compiled.error().message);
    return;
  }
  const Bytes good = module.serialize().value();
  REQUIRE(test::image_header(good).memory_pages.size != 0);
  REQUIRE(load(engine, good));
  int loaded = 0;
  const int count = rounds(4000);
  for (int round = 0; round < count; ++round) {
    INFO("seed " << round);
    test::Random random(static_cast<std::uint64_t>(round));
    // As it happens: the checksums find nearly everything. Then as if it had been written so.
    load(engine, test::mutate(good, random));
    Bytes bytes = damaged(good, random);
    load(engine, bytes);
    test::renew_checksums(bytes);
    loaded += load(engine, std::move(bytes)) ? 1 : 0;
  }
  WARN(count << " rounds of three: " << loaded << " with new checksums were loaded, " << warnings << " warnings");
  CHECK(loaded > count / 100);
  CHECK(warnings > 0);
}
