// Compiled modules as bytes: what is written is read again, and what is damaged is found, whatever it is.
#include "jit/common/code_image.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "jit/common/code_arena.h"
#include "jit/common/code_image_format.h"
#include "support/code_images.h"
#include "support/temp_dir.h"

namespace wasi::jit {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kBuild = "a build";
constexpr std::uint64_t kNoCaller = runtime::InlinedCall::kNoCaller;

// A module of which the image knows no more than its bytes and where bodies are: three of them, behind an import.
struct Source {
  Source() {
    bytes.resize(200'000);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    module.bytes = {bytes, nullptr};
    module.imported_functions = 1;
    module.bodies = {{100, 50}, {150, 80}, {100'000, 70'000}};
    for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = static_cast<std::uint8_t>(i * 3 + i / 4096);
    auto memory = std::make_shared<wasm::MemoryImage>();
    memory->memory = wasm::MemoryIndex(1);
    memory->segments = 5;
    memory->data_end = 180'000;
    memory->runs = {{.address = 4096, .bytes = std::span(pages).first(4096)},
                    {.address = 1U << 20, .bytes = std::span(pages).subspan(4096)}};
    module.memory_image = std::move(memory);
    source = {
        .build = kBuild,
        .target = {.cpu = 5, .checks = runtime::BoundsChecks::explicit_checks, .charges_fuel = true, .strict = true},
        .features = {wasm::Feature::mvp, wasm::Feature::simd},
        .module = &module,
        .units = {}};
    // The first by itself, the others together.
    source.units = {
        {.code = std::span(code).first(40),
         .functions = {{.function = 1,
                        .size = 40,
                        .entry = 8,
                        .frame_bytes = 32,
                        .frame_slots = 3,
                        .loop_stub = 16,
                        .saved = {2, 3, 0, 0, 0},
                        .catches = true,
                        .loop_heads = {{1234, 20}, {5678, 24}},
                        .inlined_calls = {{77, 2}, {runtime::inlined_mark(0, 99), 3}, {kNoCaller, 1}},
                        .parts = {{0, 4, 8, tables[0], {}}, {4, 40, 32, tables[1], tables[2]}}}}},
        {.code = std::span(code).subspan(40, 60),
         .functions = {{.function = 2, .size = 20, .parts = {{0, 20, 0, tables[0], {}}}},
                       {.function = 3, .begin = 32, .size = 28, .entry = 1, .parts = {{0, 28, 0, {}, tables[2]}}}}}};
  }

  Bytes bytes;
  Bytes pages = Bytes(25 * 4096);
  wasm::Module module;
  Bytes code = Bytes(100, 0x90);
  std::vector<Bytes> tables = {{1, 2, 3}, {4, 5, 6, 7}, {8, 9}};
  ImageSource source;
};

std::shared_ptr<const CodeImage> read(const Bytes& bytes) {
  auto image = CodeImage::read(bytes, nullptr, kBuild);
  if (!image) FAIL(image.error().message);
  return *image;
}

// Looks at all that there is.
bool read_all(const Bytes& bytes) {
  const auto image = CodeImage::read(bytes, nullptr, kBuild);
  if (!image) {
    CHECK_FALSE(image.error().message.empty());
    return false;
  }
  bool is_whole = (*image)->checks().check(0, (*image)->module().size()).has_value();
  if (const auto memory = CodeImage::memory_of(*image)) {
    is_whole &= memory->check().has_value();
    std::uint64_t covered = 0;
    for (const wasm::MemoryImage::Run& run : memory->runs) {
      REQUIRE((run.address % 4096 == 0 && run.bytes.size() % 4096 == 0 && run.address >= covered));
      covered = run.address + run.bytes.size();
      REQUIRE(covered > run.address);
    }
  }
  std::size_t bodies = 0;
  for (const wasm::FunctionBody& body : (*image)->bodies())
    bodies += (*image)->module().subspan(body.offset, body.size).size();
  for (std::uint32_t number = 0; number < (*image)->unit_count(); ++number) {
    const auto unit = (*image)->unit(number);
    if (!unit) {
      CHECK_FALSE(unit.error().message.empty());
      is_whole = false;
      continue;
    }
    for (const FunctionImage& function : unit->functions) {
      const auto code = unit->code.subspan(function.begin, function.size);
      REQUIRE(function.entry < code.size());
      for (std::size_t i = 0; i < function.inlined_calls.size(); ++i) {
        const std::uint64_t caller = function.inlined_calls[i].caller;
        const auto within = runtime::inlined_call_of(caller);
        REQUIRE((caller == kNoCaller || !within || *within < i));
      }
      for (const PartImage& part : function.parts) {
        bodies += std::accumulate(part.marks.begin(), part.marks.end(), std::size_t{0}) +
                  std::accumulate(part.traps.begin(), part.traps.end(), std::size_t{0});
      }
    }
  }
  for (std::size_t defined = 0; defined < bodies % 8; ++defined) {
    const auto unit = (*image)->unit_of(defined);
    REQUIRE((!unit || *unit < (*image)->unit_count()));
  }
  if (is_whole) CHECK((*image)->check().has_value());
  return is_whole;
}

TEST_CASE("what was written into an image is read from it") {
  const Source source;
  const Bytes bytes = write_code_image(source.source);
  CHECK(CodeImage::is_image(bytes));
  CHECK(CodeImage::is_image(std::span(bytes).first(8)));
  CHECK_FALSE(CodeImage::is_image(std::span(bytes).first(7)));
  CHECK(bytes == write_code_image(source.source));

  const bool is_mapped = GENERATE(false, true);
  std::shared_ptr<const CodeImage> image;
  const test::TempDir folder;
  if (is_mapped) {
    // Behind something else, as in an executable.
    folder.write("image", std::string(8192, 'x') + std::string(bytes.begin(), bytes.end()) + "more");
    auto opened = CodeImage::open((folder / "image").string(), kBuild, 8192, bytes.size());
    REQUIRE(opened.has_value());
    image = *opened;
  } else {
    image = read(bytes);
  }
  CHECK(image->target() == source.source.target);
  CHECK(image->features() == source.source.features);
  CHECK(std::ranges::equal(image->module(), source.bytes));
  CHECK(image->checks().check(0, source.bytes.size()).has_value());
  REQUIRE(image->bodies().size() == 3);
  CHECK(image->bodies()[2].offset == 100'000);
  CHECK(image->bodies()[2].size == 70'000);
  const auto memory = CodeImage::memory_of(image);
  REQUIRE(memory != nullptr);
  CHECK(memory->check().has_value());
  CHECK(memory->memory == wasm::MemoryIndex(1));
  CHECK(memory->segments == 5);
  CHECK(memory->data_end == 180'000);
  REQUIRE(memory->runs.size() == 2);
  CHECK(memory->runs[0].address == 4096);
  CHECK(memory->runs[1].address == 1U << 20);
  CHECK(std::ranges::equal(memory->runs[0].bytes, std::span(source.pages).first(4096)));
  CHECK(std::ranges::equal(memory->runs[1].bytes, std::span(source.pages).subspan(4096)));
  CHECK((memory->file >= 0) == is_mapped);
  if (is_mapped) {
    Bytes page(4096);
    REQUIRE(::pread(memory->file, page.data(), page.size(), static_cast<off_t>(memory->runs[1].file_offset)) == 4096);
    CHECK(std::ranges::equal(page, std::span(source.pages).subspan(4096, 4096)));
    CHECK(memory->runs[1].file_offset % 4096 == 0);
  }
  CHECK(image->unit_of(0) == 0);
  CHECK(image->unit_of(1) == 1);
  CHECK(image->unit_of(2) == 1);
  CHECK_FALSE(image->unit_of(3).has_value());

  const UnitImage one = image->unit(0).value();
  CHECK(one.is_executable == is_mapped);
  CHECK(std::ranges::equal(one.code, std::span(source.code).first(40)));
  REQUIRE(one.functions.size() == 1);
  const FunctionImage& function = one.functions[0];
  CHECK(function.function == 1);
  CHECK(function.size == 40);
  CHECK(function.entry == 8);
  CHECK(function.frame_bytes == 32);
  CHECK(function.frame_slots == 3);
  CHECK(function.loop_stub == 16);
  CHECK(function.saved == SavedRegisters{2, 3, 0, 0, 0});
  CHECK(function.catches);
  REQUIRE(function.loop_heads.size() == 2);
  CHECK(function.loop_heads[1].wasm_offset == 5678);
  CHECK(function.loop_heads[1].code_offset == 24);
  CHECK(function.inlined_calls == source.source.units[0].functions[0].inlined_calls);
  REQUIRE(function.parts.size() == 2);
  CHECK(function.parts[0].frame_bytes == 8);
  CHECK(function.parts[1].begin == 4);
  CHECK(std::ranges::equal(function.parts[1].marks, source.tables[1]));
  CHECK(std::ranges::equal(function.parts[1].traps, source.tables[2]));

  const UnitImage two = image->unit(1).value();
  REQUIRE(two.functions.size() == 2);
  CHECK(two.code.size() == 60);
  CHECK(two.functions[1].function == 3);
  CHECK(two.functions[1].begin == 32);
  CHECK_FALSE(two.functions[1].loop_stub.has_value());
}

TEST_CASE("an image says what is wrong with it") {
  const Source source;
  const Bytes good = write_code_image(source.source);
  const auto error_of = [](const Bytes& bytes, std::string_view build = kBuild) {
    const auto image = CodeImage::read(bytes, nullptr, build);
    REQUIRE_FALSE(image.has_value());
    return image.error();
  };
  SECTION("something else") {
    CHECK(error_of({}).kind == ErrorKind::malformed);
    CHECK(error_of(source.bytes).message == "this is no compiled module");
  }
  SECTION("another build") {
    const Error error = error_of(good, "another build");
    CHECK(error.kind == ErrorKind::unsupported);
    CHECK(error.message.contains("compiled by another build of wasirun (a build, format 4), this is another build"));
  }
  SECTION("cut off, at any place") {
    for (std::size_t size = 8; size < good.size(); size += size < 1024 ? 1 : 997) {
      const Error error = error_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
      CHECK(error.kind == ErrorKind::malformed);
      CHECK(error.message.contains("cut off"));
    }
  }
  SECTION("a bit, at any place that means something") {
    image::Header header;
    std::memcpy(&header, good.data(), sizeof(header));
    for (std::size_t at = 0; at < header.details.offset; ++at) {
      Bytes bad = good;
      bad[at] ^= 4;
      const auto error = error_of(bad);
      CHECK_FALSE(error.message.empty());
    }
    std::size_t found = 0;
    for (std::size_t at = header.details.offset; at < good.size(); at += at < header.module.offset ? 1 : 101) {
      Bytes bad = good;
      bad[at] ^= 4;
      found += read_all(bad) ? 0 : 1;
    }
    // All but what lies between sections and units.
    CHECK(found > (header.module.size + header.memory_pages.size + header.code.size) / 101);
    Bytes bad = good;
    bad[header.code.offset + 41] ^= 1;  // between the units, who knows; in the second:
    bad[header.code.offset + kCodeAlignment + 2] ^= 1;
    const auto image = read(bad);
    CHECK(image->unit(0).has_value());
    CHECK(image->unit(1).error().message ==
          "the compiled module is damaged: the code of a function has another checksum");
    bad = good;
    bad[header.module.offset + 70'000] ^= 1;
    CHECK(read(bad)->checks().check(0, 60'000).has_value());
    CHECK_FALSE(read(bad)->checks().check(0, 66'000).has_value());
    CHECK_FALSE(read(bad)->checks().check(70'000, 70'001).has_value());
    CHECK(read(bad)->checks().check(131'072, 500'000).has_value());
    CHECK(CodeImage::memory_of(read(bad))->check().has_value());
    bad = good;
    bad[header.memory_pages.offset + 70'000] ^= 1;
    CHECK(CodeImage::memory_of(read(bad))->check().error().message ==
          "the compiled module is damaged: its memory has another checksum");
    CHECK(read(bad)->checks().check(0, 500'000).has_value());
    CHECK(read(bad)->check().error().message == "the compiled module is damaged: its memory has another checksum");
  }
}

TEST_CASE("of an image that is known to be sound, memory and code are not looked at") {
  const Source source;
  const Bytes good = write_code_image(source.source);
  image::Header header;
  std::memcpy(&header, good.data(), sizeof(header));
  Bytes bytes = good;
  for (const std::uint64_t at : {header.module.offset, header.memory_pages.offset, header.code.offset}) bytes[at] ^= 1;
  const test::TempDir folder;
  const auto open = [&](Soundness soundness) {
    folder.write("image", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const os::RegularFile file = os::open_regular((folder / "image").string()).value();
    return CodeImage::open(file, "image", kBuild, 0, {}, soundness);
  };
  for (const Soundness soundness : {Soundness::unknown, Soundness::known}) {
    const bool is_known = soundness == Soundness::known;
    const auto image = open(soundness).value();
    CHECK(image->check().has_value() == is_known);
    CHECK_FALSE(image->checks().check(0, 10).has_value());
    CHECK(CodeImage::memory_of(image)->check().has_value() == is_known);
    CHECK(image->unit(0).has_value() == is_known);
    CHECK(image->unit(1).has_value());
  }
  bytes[sizeof(header)] ^= 1;
  CHECK_FALSE(open(Soundness::known).has_value());
}

// With the right checksums, so that all that is read is looked at; here what is found is that nothing is read outside.
TEST_CASE("an image of any content is read within its bounds") {
  const Source source;
  const Bytes good = write_code_image(source.source);
  image::Header header;
  std::memcpy(&header, good.data(), sizeof(header));
  std::uint64_t state = 88172645463325252ULL;
  const auto random = [&state](std::uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
  };
  constexpr std::uint64_t kInteresting[] = {0,      1,          7,          0x7F,       0x80,      0xFF,
                                            0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, UINT64_MAX};
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bad = good;
    for (std::uint64_t changes = 1 + random(4); changes > 0; --changes) {
      // Behind what says whose it is.
      const std::size_t begin = offsetof(image::Header, file_bytes);
      const std::size_t at = begin + random(header.details.offset + header.details.size - begin - 8);
      switch (random(3)) {
        case 0:
          bad[at] = static_cast<std::uint8_t>(random(256));
          break;
        case 1:
          std::memcpy(bad.data() + at / 4 * 4, &kInteresting[random(std::size(kInteresting))], 4);
          break;
        default:
          std::memcpy(bad.data() + at / 8 * 8, &kInteresting[random(std::size(kInteresting))], 8);
      }
    }
    test::renew_checksums(bad);
    accepted += read_all(bad) ? 1 : 0;
  }
  CHECK(accepted > 0);
}

}  // namespace
}  // namespace wasi::jit
