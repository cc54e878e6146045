// The official preview1 programs of WebAssembly/wasi-testsuite, in the interpreter, with both ways of resolving paths
// and in a directory in memory.
// They are other people's data, found beside the project; where they are missing, that is said.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "binary/decoder.h"
#include "interp/interpreter.h"
#include "os/unique_fd.h"
#include "runtime/instance.h"
#include "runtime/store.h"
#include "support/shared.h"
#include "support/temp_dir.h"
#include "validate/validator.h"
#include "wasi/context.h"
#include "wasi/memory_files.h"
#include "world.h"

namespace wasi::preview1 {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTimeLimit{60};

// What NAME.json asks for, in the words of the suite's doc/specification.md.
struct Expectation {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<fs::path> root;
  int exit_code = 0;
  std::string out;  // what stdout begins with
  std::string err;
};

// One object of the older form, or one operation of the newer one, each of whose keys has to be known.
void read_keys(Expectation& expectation, const nlohmann::json& json, const fs::path& folder) {
  for (const auto& [key, value] : json.items()) {
    if (key == "args") {
      expectation.args = value.get<std::vector<std::string>>();
    } else if (key == "env") {
      for (const auto& [name, text] : value.items()) expectation.env.push_back(name + "=" + text.get<std::string>());
    } else if (key == "root") {
      if (!value.is_null()) expectation.root = folder / value.get<std::string>();
    } else if (key == "exit_code") {
      expectation.exit_code = value.get<int>();
    } else if (key == "stdout" || key == "stderr") {
      (key == "stdout" ? expectation.out : expectation.err) = value.get<std::string>();
    } else if (key != "type") {
      FAIL("a test asks for \"" << key << "\", which this runner does not know");
    }
  }
}

Expectation read_expectation(const fs::path& program) {
  Expectation expectation;
  fs::path path = program;
  path.replace_extension(".json");
  std::ifstream file(path);
  if (!file) return expectation;
  const nlohmann::json json = nlohmann::json::parse(file);
  if (!json.contains("operations")) {
    read_keys(expectation, json, program.parent_path());
    return expectation;
  }
  for (const nlohmann::json& operation : json["operations"]) {
    const std::string type = operation.value("type", "");
    if (type == "run" || type == "wait") {
      read_keys(expectation, operation, program.parent_path());
    } else if (type == "read") {
      (operation.value("id", "stdout") == "stdout" ? expectation.out : expectation.err) +=
          operation.value("payload", "");
    } else {
      FAIL("a test has the operation \"" << type << "\", which this runner does not know");
    }
  }
  return expectation;
}

struct Ending {
  std::string trap;  // empty: the program ended by itself
  int exit_code = 0;
};

Ending run(const fs::path& program, Config config) {
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  const auto tier = interp::make_interpreter();
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(wasi::test::read_file(program));
  auto module = binary::decode_module({*bytes, bytes}, registry);
  if (!module) return {module.error().to_string(), 0};
  if (auto valid = validate::validate_module(**module); !valid) return {valid.error().to_string(), 0};
  const std::shared_ptr<runtime::ModuleCode> code[] = {
      std::make_shared<runtime::ModuleCode>(*module, *tier, runtime::BoundsChecks::guard_pages, false),
      std::make_shared<runtime::ModuleCode>(*module, *tier, runtime::BoundsChecks::explicit_checks, false)};
  runtime::Store store(registry, {});
  auto context = Context::create(std::move(config));
  if (!context) return {context.error().to_string(), 0};
  std::vector<runtime::External> imports;
  for (const wasm::Import& import : (*module)->imports) {
    const auto all = functions();
    const auto function = std::ranges::find(all, import.name, &Function::name);
    if (import.module != kModuleName || function == all.end()) return {"unknown import " + std::string(import.name), 0};
    imports.emplace_back(
        &store.add_host_function(registry->add_func(function->type)->id(), function->body, *context)->ref);
  }
  auto instance = store.instantiate(code, imports);
  if (!instance) {
    return {instance.error().error ? instance.error().error->to_string() : instance.error().trap->to_string(), 0};
  }
  const auto start = (*instance)->find_export("_start");
  if (!start) return {"no _start", 0};
  store.keep_deadline(std::chrono::steady_clock::now() + kTimeLimit);
  if (auto done = store.call(*start->func, {}); !done) {
    if (!done.error().is_exit()) return {done.error().to_string(), 0};
    return {"", done.error().exit_status};
  }
  return {};
}

// A copy of a directory of the host in memory.
std::shared_ptr<memory::Tree> in_memory(const fs::path& root) {
  constexpr std::uint64_t kLimit = std::uint64_t{64} << 20;
  const auto tree = memory::make_tree(kLimit);
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = fs::relative(entry.path(), root).string();
    if (entry.is_symlink()) {
      REQUIRE(memory::add_symlink(*tree, path, fs::read_symlink(entry.path()).string()) == Errno::success);
    } else if (entry.is_directory()) {
      REQUIRE(memory::add_directory(*tree, path) == Errno::success);
    } else {
      const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(wasi::test::read_file(entry.path()));
      REQUIRE(memory::add_file(*tree, path, {*bytes, bytes}) == Errno::success);
    }
  }
  return tree;
}

// Runs one program in a fresh copy of its directory; what is wrong with the result, or nothing.
std::string complaint(const fs::path& program, test::Backing backing) {
  const Expectation expected = read_expectation(program);
  const wasi::test::TempDir dir;
  dir.make_directory("root");
  if (expected.root) fs::copy(*expected.root, dir / "root", fs::copy_options::recursive);
  // The originals are read-only, and so would be the copies.
  for (const auto& entry : fs::recursive_directory_iterator(dir / "root")) {
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
  }
  fs::permissions(dir / "root", fs::perms::owner_write, fs::perm_options::add);
  const os::UniqueFd out(::open((dir / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const os::UniqueFd err(::open((dir / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Config config;
  config.args = {program.filename().string()};
  config.args.insert(config.args.end(), expected.args.begin(), expected.args.end());
  config.env = expected.env;
  if (expected.root) {
    config.preopens.push_back({(dir / "root").string(), "/", Access::read_write});
    if (backing == test::Backing::memory) config.preopens.back().tree = in_memory(dir / "root");
  }
  config.out = {.kind = Stdio::Kind::fd, .fd = out.get()};
  config.err = {.kind = Stdio::Kind::fd, .fd = err.get()};
  config.force_path_walk = backing == test::Backing::host_walk;

  const Ending ending = run(program, std::move(config));
  std::string wrong;
  if (!ending.trap.empty()) wrong += "stopped: " + ending.trap + "\n";
  if (ending.trap.empty() && ending.exit_code != expected.exit_code) {
    wrong +=
        "exit code " + std::to_string(ending.exit_code) + " instead of " + std::to_string(expected.exit_code) + "\n";
  }
  if (!dir.read("out").starts_with(expected.out)) wrong += "stdout is \"" + dir.read("out") + "\"\n";
  if (!dir.read("err").starts_with(expected.err)) wrong += "stderr is \"" + dir.read("err") + "\"\n";
  if (!wrong.empty()) wrong += dir.read("err");
  return wrong;
}

void run_suite(const char* language, std::size_t programs) {
  const auto folder = wasi::test::shared_path(std::string("wasi-testsuite/") + language + "/wasm32-wasip1");
  if (!folder) return;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(*folder)) {
    if (entry.path().extension() == ".wasm") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  CHECK(paths.size() >= programs);
  for (const fs::path& path : paths) {
    for (const auto& [backing, name] :
         {std::pair{test::Backing::host, "openat2"}, std::pair{test::Backing::host_walk, "walking paths"},
          std::pair{test::Backing::memory, "in memory"}}) {
      INFO(path.filename().string() << ", " << name);
      CHECK(complaint(path, backing) == "");
    }
  }
}

TEST_CASE("official programs in C", "[suite]") { run_suite("c", 14); }
TEST_CASE("official programs in Rust", "[suite]") { run_suite("rust", 46); }
TEST_CASE("official programs in AssemblyScript", "[suite]") { run_suite("assemblyscript", 12); }

}  // namespace
}  // namespace wasi::preview1
