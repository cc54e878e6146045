// Code that is kept from one engine to the next, as from one process to the next, and when it is not.
#include "engine/code_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/fixture.h"
#include "engine/state.h"
#include "os/file_identity.h"
#include "runtime/tier_policy.h"
#include "support/code_images.h"
#include "support/shared.h"
#include "support/temp_dir.h"

using namespace wasi;
using namespace wasi::test;
using wasi::detail::CodeCache;

namespace {

// Two programs in one: what one run compiles is not all that another one does.
constexpr const char* kModule = R"((module
  (func $step (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (call $step (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func $mix (param i64 i64) (result i64) (i64.xor (i64.mul (local.get 0) (i64.const 31)) (local.get 1)))
  (func (export "hash") (param $n i64) (result i64) (local $hash i64)
    (loop $again
      (local.set $hash (call $mix (local.get $hash) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $hash))))";

// Everything is compiled by the thread that runs it, at once, and looked for before.
EngineConfig config_with(const std::filesystem::path& directory, std::uint64_t limit = 1 << 30) {
  return {.tier_threshold = 1, .tier_threads = 0, .cache = CodeCacheConfig{.directory = directory, .limit = limit}};
}

struct Run {
  std::int64_t result = 0;
  std::uint64_t compiled = 0;
  std::vector<std::string> warnings;
};

Run run(EngineConfig config, const char* function, std::int64_t argument = 1000, std::string_view text = kModule) {
  Run done;
  config.on_warning = [&done](const std::string& message) { done.warnings.push_back(message); };
  const Engine engine = must(Engine::create(std::move(config)));
  {
    const Module module = load(engine, text);
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    done.result = must(must(instance.function<std::int64_t(std::int64_t)>(function))(argument));
  }
  const auto tiers = engine.tiers();
  done.compiled = tiers.at(1).functions;
  return done;
}

std::vector<CodeCache::File> files(const std::filesystem::path& directory) {
  return must(CodeCache(directory, 0).files());
}

void set_used(const std::filesystem::path& path, int minutes_ago) {
  std::filesystem::last_write_time(path,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::minutes(minutes_ago));
}

}  // namespace

TEST_CASE("A second run begins with the first one's code") {
  const TempDir folder;
  const auto directory = folder / "a" / "cache";
  const Run first = run(config_with(directory), "sum");
  CHECK(first.result == 500'500);
  CHECK(first.compiled == 2);
  CHECK(first.warnings.empty());
  REQUIRE(files(directory).size() == 1);
  CHECK((std::filesystem::status(directory).permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms::owner_all);

  const Run second = run(config_with(directory), "sum");
  CHECK(second.result == 500'500);
  CHECK(second.compiled == 0);
  // What is new joins what was there.
  const Run other = run(config_with(directory), "hash");
  CHECK(other.compiled == 2);
  CHECK(files(directory).size() == 1);
  CHECK(run(config_with(directory), "sum").compiled == 0);
  CHECK(run(config_with(directory), "hash").compiled == 0);
  CHECK(run(config_with(directory), "hash").result == other.result);
}

TEST_CASE("Code in the background and in a prepared module comes from the cache too") {
  const TempDir folder;
  EngineConfig config = config_with(folder / "cache");
  config.tier_threads = 2;
  run(config, "sum", 10'000'000);
  // The second one finds it while it runs.
  CHECK(run(config, "sum", 10'000'000).result == 50'000'005'000'000);
  config.tier = TierSelection::baseline;
  for (const std::uint64_t expected : {2U, 0U}) {
    const Engine engine = must(Engine::create(config));
    const Module module = load(engine, kModule);
    must(module.prepare());
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("hash"))(1)) == 1);
    CHECK(engine.tiers().at(1).functions == expected);
  }
}

TEST_CASE("What somebody optimised while a program ran is kept in the place of what the program compiled") {
  if (!optimising_compiler()) return;
  const TempDir folder;
  EngineConfig config = config_with(folder / "cache");
  config.tier = TierSelection::baseline;
  const auto compile = [&config](Module::Optimise optimise) {
    const Engine engine = must(Engine::create(config));
    must(load(engine, kModule).compile({.optimise = optimise}));
  };
  const auto code = [&] { return folder.read("cache/" + files(folder / "cache").at(0).name); };
  std::string optimised;
  SECTION("all of it") {
    const Engine engine = must(Engine::create(config));
    {
      const Module module = load(engine, kModule);
      must(module.prepare());
      CHECK_FALSE(folder.has("cache"));
      compile(Module::Optimise::everything);
      optimised = code();
    }
    CHECK(engine.tiers().at(1).functions == 4);
  }
  SECTION("in the place of what was there before") {
    compile(Module::Optimise::nothing);
    const std::string quick = code();
    compile(Module::Optimise::everything);
    optimised = code();
    CHECK((optimised != quick));
    CHECK(run(config, "sum").compiled == 0);
  }
  CHECK((code() == optimised));  // no bytes on the terminal
}

TEST_CASE("Of a large program what merely ran is kept as well, and a later run hardly interprets anything") {
  constexpr int kFunctions = 400;
  constexpr int kAdditions = 350;  // a body of a KiB
  std::string text = "(module (global $sum (mut i64) (i64.const 0))";
  std::string calls;
  for (int i = 0; i < kFunctions; ++i) {
    text += fmt::format("(func $f{} (param i64)", i);
    for (int addition = 0; addition < kAdditions; ++addition) {
      text += "(local.set 0 (i64.add (local.get 0) (local.get 0)))";
    }
    text += "(global.set $sum (i64.add (global.get $sum) (i64.add (local.get 0) (i64.const 1)))))";
    calls += fmt::format("(call $f{} (local.get 0))", i);
  }
  text += "(func (export \"run\") (param i64) (result i64) " + calls + "(global.get $sum)))";

  const TempDir folder;
  const auto interpreted = [&] {
    const Engine engine = must(Engine::create({.cache = CodeCacheConfig{.directory = folder / "cache"}}));
    const Module module = load(engine, text);
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("run"))(1)) == kFunctions);
    detail::Internals::state(engine)->policy->wait();
    return engine.tiers().at(0).functions;
  };
  CHECK(interpreted() == kFunctions + 1);
  CHECK(interpreted() < kFunctions / 2);
}

TEST_CASE("What nothing was compiled for leaves nothing") {
  const TempDir folder;
  EngineConfig config = config_with(folder / "cache");
  config.tier_threshold.reset();
  CHECK(run(config, "sum", 10).result == 55);
  CHECK_FALSE(folder.has("cache"));
  config.tier = TierSelection::interpreter;
  const Engine engine = must(Engine::create(config));
  instantiate(engine, kModule);
  CHECK_FALSE(folder.has("cache"));
}

TEST_CASE("Code is kept apart by module and by what it was compiled for") {
  const TempDir folder;
  const auto directory = folder / "cache";
  run(config_with(directory), "sum");
  EngineConfig checked = config_with(directory);
  checked.bounds_checks = BoundsChecks::explicit_checks;
  CHECK(run(checked, "sum").compiled == 2);
  EngineConfig fuelled = config_with(directory);
  fuelled.fuel = true;
  const Engine engine = must(Engine::create(fuelled));
  {
    const Module module = load(engine, kModule);
    must(module.prepare());
  }
  CHECK(run(config_with(directory), "sum", 5, std::string(kModule).insert(8, " (memory 1)")).compiled == 2);
  CHECK(files(directory).size() == 3);
}

TEST_CASE("A file of the right name is not enough: the module in it has to be the same") {
  const TempDir folder;
  const auto directory = folder / "cache";
  run(config_with(directory), "sum");
  const std::string name = files(directory).at(0).name;
  const std::string text = std::string(kModule).insert(8, " (memory 1)");
  run(config_with(folder / "other"), "sum", 1000, text);
  std::filesystem::copy_file(folder / "other" / files(folder / "other").at(0).name, directory / name,
                             std::filesystem::copy_options::overwrite_existing);
  const Run again = run(config_with(directory), "sum");
  CHECK(again.result == 500'500);
  CHECK(again.compiled == 2);
  // And it was replaced.
  CHECK(run(config_with(directory), "sum").compiled == 0);
}

TEST_CASE("Damaged files are made anew") {
  const TempDir folder;
  const auto directory = folder / "cache";
  run(config_with(directory), "sum");
  const std::string name = "cache/" + files(directory).at(0).name;
  const std::string good = folder.read(name);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    folder.write(name, good.substr(0, size));
    std::filesystem::permissions(folder / name,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const Run again = run(config_with(directory), "sum");
    CHECK(again.result == 500'500);
    CHECK(again.compiled == 2);
    CHECK(run(config_with(directory), "sum").compiled == 0);
  }
  // A bit, anywhere.
  for (std::size_t at = 0; at < good.size(); at += 37) {
    CAPTURE(at);
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    folder.write(name, bad);
    CHECK(run(config_with(directory), "sum").result == 500'500);
  }
}

TEST_CASE("What others could have written is not run") {
  const TempDir folder;
  const auto directory = folder / "cache";
  run(config_with(directory), "sum");
  const auto file = directory / files(directory).at(0).name;
  using std::filesystem::perms;
  SECTION("a file") {
    std::filesystem::permissions(file, perms::group_write, std::filesystem::perm_options::add);
    CHECK(run(config_with(directory), "sum").compiled == 2);
  }
  SECTION("a link") {
    std::filesystem::rename(file, folder / "elsewhere");
    std::filesystem::create_symlink(folder / "elsewhere", file);
    CHECK(run(config_with(directory), "sum").compiled == 2);
    // Which is replaced, not followed.
    CHECK_FALSE(std::filesystem::is_symlink(file));
  }
  SECTION("a directory") {
    std::filesystem::permissions(directory, perms::others_write, std::filesystem::perm_options::add);
    const Run refused = run(config_with(directory), "sum");
    CHECK(refused.compiled == 2);
    REQUIRE(refused.warnings.size() == 1);
    CHECK(refused.warnings[0] == "machine code is not kept for the next run: cannot use " + directory.string() +
                                     " for machine code: it is not this user's own, or others can write to it");
    EngineConfig quiet = config_with(directory);
    quiet.cache->tells_failures = false;
    CHECK(run(quiet, "sum").warnings.empty());
  }
  SECTION("somebody else's directory") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(directory.c_str(), 12345, 12345) == 0);
    CHECK(run(config_with(directory), "sum").compiled == 2);
  }
  SECTION("a link to a directory") {
    folder.link("cache", "link");
    CHECK(run(config_with(folder / "link"), "sum").compiled == 2);
  }
}

TEST_CASE("Beyond the limit, what was not used for the longest time goes") {
  const TempDir folder;
  const auto directory = folder / "cache";
  const auto text = [](int number) {
    return std::string(kModule).insert(8, " (memory 1) (data (i32.const " + std::to_string(number) + ") \"a\")");
  };
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) {
    run(config_with(directory), "sum", 1000, text(i));
    for (const CodeCache::File& file : files(directory)) {
      if (std::ranges::count(names, file.name) == 0) names.push_back(file.name);
    }
  }
  REQUIRE(names.size() == 4);
  for (int i = 0; i < 4; ++i) set_used(directory / names[i], 10 - i);
  // The first one is used again.
  CHECK(run(config_with(directory), "sum", 1000, text(0)).compiled == 0);
  CHECK(files(directory).front().name == names[0]);
  // Leftovers of processes that are gone, and other people's files.
  folder.write("cache/x.unfinished", "old");
  set_used(directory / "x.unfinished", 60);
  folder.write("cache/y.unfinished", "young");
  folder.write("cache/notes.txt", "mine");
  const std::uint64_t size = files(directory).front().bytes;
  run(config_with(directory, 3 * size + size / 2), "sum", 1000, text(4));
  CHECK(files(directory).size() == 3);
  CHECK(std::filesystem::exists(directory / names[0]));
  CHECK(std::filesystem::exists(directory / names[3]));
  CHECK_FALSE(folder.has("cache/x.unfinished"));
  CHECK(folder.has("cache/y.unfinished"));
  CHECK(folder.has("cache/notes.txt"));
  // What is larger than all that may be there is not written.
  const Run large = run(config_with(directory, 100), "sum", 1000, text(5));
  REQUIRE(large.warnings.size() == 1);
  CHECK(large.warnings[0].contains("more than the cache's limit of 100"));
  must(CodeCache(directory, 0).clear());
  CHECK(files(directory).empty());
  CHECK(folder.has("cache/notes.txt"));
}

TEST_CASE("There can be no directory") {
  const TempDir folder;
  folder.write("file", "no directory");
  for (const char* name : {"file", "file/below", "/proc/nowhere"}) {
    const auto path = *name == '/' ? std::filesystem::path(name) : folder / name;
    const Run done = run(config_with(path), "sum");
    CHECK(done.result == 500'500);
    REQUIRE(done.warnings.size() == 1);
    CHECK(done.warnings[0].starts_with("machine code is not kept for the next run: cannot "));
  }
  CHECK(must(CodeCache(folder / "nowhere", 0).files()).empty());
  CHECK(CodeCache(folder / "nowhere", 0).clear().has_value());
  CHECK_FALSE(CodeCache(folder / "file", 0).files().has_value());
}

TEST_CASE("Engines that share a directory do not disturb each other") {
  const TempDir folder;
  const auto directory = folder / "cache";
  const std::vector<std::uint8_t> bytes = wat(kModule);
  std::vector<std::int64_t> results(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 20; ++round) {
          const Engine engine = must(Engine::create(config_with(directory)));
          const Module module = must(Module::from_bytes(engine, std::span(bytes)));
          Store store(engine);
          const Instance instance = must(Linker(engine).instantiate(store, module));
          results[i] = must(must(instance.function<std::int64_t(std::int64_t)>(i % 2 == 0 ? "sum" : "hash"))(1000));
          if (static_cast<std::size_t>(round) % 7 == i % 7) must(CodeCache(directory, 0).clear());
        }
      });
    }
  }
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i] == results[i % 2]);
  CHECK(results[0] == 500'500);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    CHECK(entry.path().extension() == ".cwasm");
  }
}

namespace {

// A program in a file that is large enough, with data enough to be kept as pages; the file is written once for all.
class LargeProgram {
 public:
  LargeProgram() {
    std::string text(kModule, std::string_view(kModule).rfind(')'));
    text +=
        "(memory (export \"memory\") 32) (func (export \"load\") (param i64) (result i64)"
        " (i64.load8_u (i32.wrap_i64 (local.get 0))))\n";
    for (int i = 0; i < 1500; ++i) text += fmt::format("(data (i32.const {}) \"\\{:02x}\")\n", i * 600, i & 0xFF);
    // A twentieth of a MiB of code that runs once, where it is called.
    std::string calls;
    for (int i = 0; i < 50; ++i) {
      text += fmt::format("(func $once{} (param i64) (result i64) (local.get 0)", i);
      for (int addition = 0; addition < 350; ++addition) text += "(i64.add (i64.const 1))";
      text += ")";
      calls += fmt::format("(call $once{})", i);
    }
    text += "(func (export \"once\") (param i64) (result i64) (local.get 0)" + calls + ")";
    std::vector<std::uint8_t> bytes = wat(text + ")");
    // A custom section, since only large files are recognised.
    const std::size_t size = 2U << 20;
    bytes.push_back(0);
    for (std::size_t left = size; left != 0; left >>= 7) {
      bytes.push_back(static_cast<std::uint8_t>((left & 0x7F) | (left >= 0x80 ? 0x80 : 0)));
    }
    bytes.resize(bytes.size() + size);  // its name is empty
    write(bytes);
    bytes_ = std::move(bytes);
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "program.wasm"; }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  void write(const std::vector<std::uint8_t>& bytes) const {
    folder_.write("program.wasm", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  // Until the file system's clock has gone on.
  void settle() const {
    for (int i = 0; i < 100 && !os::is_settled(os::identity_of(path().string()).value()); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    REQUIRE(os::is_settled(os::identity_of(path().string()).value()));
  }

 private:
  TempDir folder_;
  std::vector<std::uint8_t> bytes_;
};

struct FileRun : Run {
  bool was_known = false;
  std::uint64_t interpreted = 0;
};

FileRun run_file(EngineConfig config, const LargeProgram& program, const char* function, std::int64_t argument = 1000) {
  FileRun done;
  config.on_warning = [&done](const std::string& message) { done.warnings.push_back(message); };
  const Engine engine = must(Engine::create(std::move(config)));
  {
    const Module module = must(Module::from_file(engine, program.path()));
    done.was_known = detail::Internals::state(module)->image != nullptr;
    CHECK(module.counts().data_segments == 1500);
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    done.result = must(must(instance.function<std::int64_t(std::int64_t)>(function))(argument));
    CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("load"))(600 * 7)) == 7);
    if (detail::Internals::state(engine)->policy != nullptr) detail::Internals::state(engine)->policy->wait();
  }
  const auto tiers = engine.tiers();
  done.interpreted = tiers.at(0).functions;
  done.compiled = tiers.at(1).functions;
  return done;
}

std::size_t count_files(const std::filesystem::path& directory, std::string_view extension) {
  const auto entries = std::filesystem::directory_iterator(directory);
  return static_cast<std::size_t>(
      std::ranges::count_if(entries, [&](const auto& entry) { return entry.path().extension() == extension; }));
}

std::size_t known_files(const std::filesystem::path& directory) { return count_files(directory, ".file"); }

std::string identity_text(const std::filesystem::path& path) {
  const os::FileIdentity file = os::identity_of(path.string()).value();
  return fmt::format("{:x}-{:x}-{:x}-{:x}-{:x} {}", file.device, file.inode, file.size, file.modified, file.changed,
                     os::boot_id());
}

}  // namespace

TEST_CASE("A large file that did not change is not read again") {
  const TempDir folder;
  const auto directory = folder / "cache";
  const LargeProgram program;
  // Just written: it may be written to once more without a trace.
  CHECK_FALSE(run_file(config_with(directory), program, "sum").was_known);
  CHECK(known_files(directory) == 0);
  program.settle();
  // Found by its contents, and noted.
  const FileRun second = run_file(config_with(directory), program, "sum");
  CHECK_FALSE(second.was_known);
  CHECK(second.compiled == 0);
  CHECK(known_files(directory) == 1);
  const FileRun third = run_file(config_with(directory), program, "sum");
  CHECK(third.was_known);
  CHECK(third.compiled == 0);
  CHECK(third.result == 500'500);
  CHECK(third.warnings.empty());
  // What is new joins what was there.
  const FileRun other = run_file(config_with(directory), program, "hash");
  CHECK(other.was_known);
  CHECK(other.compiled == 2);
  const FileRun again = run_file(config_with(directory), program, "hash");
  CHECK(again.was_known);
  CHECK(again.compiled == 0);
  CHECK(again.result == other.result);
  CHECK(run_file(config_with(directory), program, "sum").compiled == 0);
  CHECK(files(directory).size() == 1);

  SECTION("but one that looks the same is another") {
    // One byte of the code: the multiplication's 31.
    std::vector<std::uint8_t> changed = program.bytes();
    const std::uint8_t multiply[] = {0x42, 31, 0x7E};
    const auto found = std::ranges::search(changed, multiply);
    REQUIRE_FALSE(found.empty());
    found[1] = 30;
    const auto times = std::filesystem::last_write_time(program.path());
    program.write(changed);
    std::filesystem::last_write_time(program.path(), times);
    const FileRun run = run_file(config_with(directory), program, "hash");
    CHECK_FALSE(run.was_known);
    CHECK(run.result != other.result);
  }
  SECTION("for an engine of another configuration it is") {
    EngineConfig config = config_with(directory);
    config.strict_memory = true;
    CHECK_FALSE(run_file(config, program, "sum").was_known);
    config = config_with(directory);
    config.disabled_features = {"threads"};
    CHECK_FALSE(run_file(config, program, "sum").was_known);
    config = config_with(directory);
    config.validation = Validation::lazy;
    CHECK_FALSE(run_file(config, program, "sum").was_known);
    CHECK(run_file(config, program, "sum").was_known);
  }
  SECTION("unless its code has gone, or is damaged") {
    const auto entry = directory / files(directory).at(0).name;
    const auto good = read_file(entry);
    const auto header = image_header(good);
    REQUIRE(header.memory_pages.size != 0);
    const auto put = [&](std::vector<std::uint8_t> bytes) {
      folder.write("cache/new", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      std::filesystem::permissions(folder / "cache/new", std::filesystem::perms::owner_all);
      std::filesystem::rename(folder / "cache/new", entry);
    };
    for (const std::uint64_t at : {std::uint64_t{200}, header.module.offset, header.memory_pages.offset + 600}) {
      std::vector<std::uint8_t> bad = good;
      bad[at] ^= 1;
      put(bad);
      const FileRun run = run_file(config_with(directory), program, "sum");
      CHECK_FALSE(run.was_known);
      CHECK(run.result == 500'500);
    }
    put({good.begin(), good.end() - 1});
    CHECK_FALSE(run_file(config_with(directory), program, "sum").was_known);
    put(good);
    CHECK(run_file(config_with(directory), program, "sum").was_known);
    must(CodeCache(directory, 0).clear());
    CHECK(known_files(directory) == 0);
    CHECK_FALSE(run_file(config_with(directory), program, "sum").was_known);
    CHECK(run_file(config_with(directory), program, "sum").was_known);
  }
}

TEST_CASE("What a known program merely ran is kept where it is a part of the program that counts") {
  const TempDir folder;
  const LargeProgram program;
  program.settle();
  EngineConfig config = config_with(folder / "cache");
  config.tier_threads = 1;
  CHECK(run_file(config, program, "sum").interpreted > 0);
  const FileRun once = run_file(config, program, "once");
  CHECK(once.was_known);
  CHECK(once.interpreted > 50);
  CHECK(once.result == 1000 + 50 * 350);
  const FileRun again = run_file(config, program, "once");
  CHECK(again.was_known);
  CHECK(again.interpreted == 0);
  CHECK(again.compiled == 0);
  CHECK(again.result == once.result);
}

TEST_CASE("Code that was looked at once is not looked at again while its file stays as it is") {
  const TempDir folder;
  const auto directory = folder / "cache";
  const LargeProgram program;
  program.settle();
  run_file(config_with(directory), program, "sum");
  const auto entry = directory / files(directory).at(0).name;
  const auto note = entry.string() + ".sound";
  const auto settle = [&] { std::this_thread::sleep_for(std::chrono::milliseconds(150)); };
  // Who wrote it knows it.
  CHECK(std::filesystem::read_symlink(note) == identity_text(entry));
  // Without that it is looked at, and not while somebody might write at this very moment.
  std::filesystem::remove(note);
  const auto changed = std::filesystem::last_write_time(entry);
  settle();
  CHECK(run_file(config_with(directory), program, "sum").was_known);
  CHECK(std::filesystem::read_symlink(note) == identity_text(entry));
  CHECK(std::filesystem::last_write_time(entry) == changed);
  // It says when it was used, too.
  const auto used = files(directory).at(0).used;
  settle();
  CHECK(run_file(config_with(directory), program, "sum").compiled == 0);
  CHECK(files(directory).at(0).used > used);

  auto bytes = read_file(entry);
  const auto header = image_header(bytes);
  REQUIRE(header.memory_pages.size != 0);
  bytes[header.memory_pages.offset + 599] ^= 1;
  folder.write("cache/" + entry.filename().string(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  SECTION("another content of the file is found, and the module is read and compiled again") {
    const FileRun run = run_file(config_with(directory), program, "sum");
    CHECK_FALSE(run.was_known);
    CHECK(run.result == 500'500);
    CHECK(run_file(config_with(directory), program, "sum").compiled == 0);
  }
  SECTION("what the note says is believed") {
    std::filesystem::remove(note);
    std::filesystem::create_symlink(identity_text(entry), note);
    CHECK(run_file(config_with(directory), program, "sum").was_known);
  }
  SECTION("but not of a machine that was started anew") {
    std::filesystem::remove(note);
    std::string text = identity_text(entry);
    text.back() = text.back() == '0' ? '1' : '0';
    std::filesystem::create_symlink(text, note);
    CHECK_FALSE(run_file(config_with(directory), program, "sum").was_known);
  }
  SECTION("it goes with the code") {
    must(CodeCache(directory, 0).clear());
    CHECK(count_files(directory, ".sound") == 0);
  }
}
