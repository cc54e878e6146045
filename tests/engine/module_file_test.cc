// Modules whose file changes after they were loaded, or is none: what was loaded is what is checked and what runs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/fixture.h"
#include "support/module_builder.h"
#include "support/temp_dir.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// Functions (i64) -> i64 that add their number, "f" is the last; data at 0 which "g" reads, and a name for it.
constexpr std::string_view kData = "what stood in the file";

Bytes make_functions(std::uint32_t count) {
  Bytes types;
  Bytes bodies;
  const Bytes begin = hex("00 20 00 42");
  const Bytes end = hex("7c 0b");
  for (std::uint32_t i = 0; i < count; ++i) {
    types.push_back(0);
    const Bytes number = signed_leb(i);
    bodies.push_back(static_cast<std::uint8_t>(begin.size() + number.size() + end.size()));
    for (const Bytes* part : {&begin, &number, &end}) bodies.insert(bodies.end(), part->begin(), part->end());
  }
  types.push_back(0);
  const Bytes reads = sized(hex("00 20 00 a7 31 00 00 0b"));  // i64.load8_u
  bodies.insert(bodies.end(), reads.begin(), reads.end());
  const Bytes names = join(hex("01"), sized(vec({join(leb(count), name("the_last"))})));
  return module({section(kTypeSection, vec({hex("60 01 7e 01 7e")})),
                 section(kFunctionSection, join(leb(count + 1), types)), section(kMemorySection, vec({hex("00 01")})),
                 section(kExportSection,
                         vec({join(name("f"), hex("00"), leb(count - 1)), join(name("g"), hex("00"), leb(count))})),
                 section(kCodeSection, join(leb(count + 1), bodies)),
                 section(kDataSection, vec({join(hex("00 41 00 0b"), name(kData))})),
                 section(kCustomSection, join(name("name"), names))});
}

// Large ones take long to make.
const Bytes& numbered_functions(std::uint32_t count) {
  static std::map<std::uint32_t, Bytes> made;
  const auto [entry, is_new] = made.try_emplace(count);
  if (is_new) entry->second = make_functions(count);
  return entry->second;
}

std::string_view view(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

TEST_CASE("A module is what its file was when it was loaded") {
  const auto validation = GENERATE(Validation::lazy, Validation::eager, Validation::parallel);
  // A small one, and one that is read by two threads.
  const std::uint32_t count = GENERATE(3U, 700'000U);
  CAPTURE(static_cast<int>(validation), count);
  const Engine engine = must(Engine::create({.validation = validation}));
  const TempDir folder;
  const std::string path = (folder / "module.wasm").string();
  const Bytes& bytes = numbered_functions(count);
  folder.write("module.wasm", view(bytes));
  const Module module = must(Module::from_file(engine, path));

  struct stat before{};
  REQUIRE(::stat(path.c_str(), &before) == 0);
  SECTION("it is cut to nothing") { REQUIRE(::truncate(path.c_str(), 0) == 0); }
  SECTION("it is cut in the middle") { REQUIRE(::truncate(path.c_str(), static_cast<off_t>(bytes.size() / 2)) == 0); }
  SECTION("code is changed in place") {
    // Local 100 does not exist.
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const auto body = view(bytes).rfind(view(join(hex("20 00 42"), signed_leb(count - 1), hex("7c 0b"))));
    REQUIRE(body != std::string_view::npos);
    const std::uint8_t wrong = 100;
    REQUIRE(::pwrite(fd, &wrong, 1, static_cast<off_t>(body + 1)) == 1);
    ::close(fd);
  }
  SECTION("another module is copied over it") {
    folder.write("module.wasm", view(numbered_functions(count + 1)));
    struct stat after{};
    REQUIRE(::stat(path.c_str(), &after) == 0);
    REQUIRE(after.st_ino == before.st_ino);
  }

  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("f"))(40)) == 40 + count - 1);
  const auto byte = must(instance.function<std::int64_t(std::int64_t)>("g"));
  for (std::size_t i = 0; i < kData.size(); ++i) {
    REQUIRE(must(byte(static_cast<std::int64_t>(i))) == static_cast<std::uint8_t>(kData[i]));
  }
  CHECK(module.function_names() == std::vector<std::pair<std::uint32_t, std::string>>{{count, "the_last"}});
}

TEST_CASE("A large module that is wrong says so, and one that is cut short, too") {
  const auto validation = GENERATE(Validation::lazy, Validation::eager);
  const Engine engine = must(Engine::create({.validation = validation}));
  const TempDir folder;
  const Bytes& bytes = numbered_functions(700'000);
  const auto error = [&](std::string_view content) {
    folder.write("module.wasm", content);
    const auto module = Module::from_file(engine, folder / "module.wasm");
    REQUIRE_FALSE(module.has_value());
    return module.error();
  };
  SECTION("at its beginning") {
    std::string wrong(view(bytes));
    wrong[8] = 99;
    CHECK(error(wrong).message == "malformed section id: found 99, expected at most 13");
  }
  SECTION("it is neither a module nor a text") {
    std::string wrong(view(bytes));
    wrong[0] = 1;
    CHECK_THAT(error(wrong).message, Catch::StartsWith("magic header not detected"));
  }
  SECTION("it ends too early") {
    const Error cut = error(view(bytes).substr(0, bytes.size() - 1));
    CHECK(cut.kind == ErrorKind::malformed);
    CHECK_THAT(cut.message, Catch::StartsWith("length out of bounds: the custom section claims"));
  }
}

TEST_CASE("A large text is read from a file") {
  const Engine engine;
  const TempDir folder;
  folder.write("module.wat", "(module (func (export \"f\") (result i32) (i32.const 7)))" + std::string(5'000'000, ' '));
  Store store(engine);
  const Instance instance =
      must(Linker(engine).instantiate(store, must(Module::from_file(engine, folder / "module.wat"))));
  CHECK(must(must(instance.function<std::int32_t()>("f"))()) == 7);
}
