// A module is compiled once, kept as a file, and loaded by another engine without compiling anything.
#include "need.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (func $factorial (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1))))))))
)wat";

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "wasirun-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no folder for the file");
  const std::filesystem::path file = std::filesystem::path(folder) / "factorial.compiled";

  std::vector<std::uint8_t> bytes;
  {
    const wasi::Engine engine = need(wasi::Engine::create({.tier = wasi::TierSelection::baseline}));
    const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
    need(module.prepare());
    bytes = need(module.serialize());
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) fail("the file cannot be written");
  }
  std::printf("compiled: %s\n", wasi::Module::is_serialized(bytes) ? "yes" : "no");

  wasi::Engine engine;
  // Only who is trusted may make such files, so they have to be asked for by name.
  const auto untrusted = wasi::Module::from_file(engine, file);
  if (untrusted) fail("from_file takes what can be checked only");
  std::printf("from_file: %s\n", std::string(wasi::name_of(untrusted.error().kind)).c_str());
  {
    const wasi::Module module = need(wasi::Module::deserialize_file(engine, file));
    wasi::Store store(engine);
    const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
    const auto factorial = need(instance.function<std::int64_t(std::int64_t)>("factorial"));
    std::printf("factorial(20) = %lld\n", static_cast<long long>(need(factorial(20))));
  }
  bytes.resize(bytes.size() / 2);
  const auto damaged = wasi::Module::deserialize(engine, bytes);
  if (damaged) fail("half of it is not there");
  std::printf("half of it: %s\n", std::string(wasi::name_of(damaged.error().kind)).c_str());
  std::filesystem::remove_all(folder);
}
