// A program runs on files that exist in memory alone, and what it prints stays here.
//
// usage: in_memory wordcount.wasm
#include <wasi/wasi.h>

#include <cstdio>
#include <string>

namespace {

int fail(const std::string& what) {
  std::fprintf(stderr, "in_memory: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail("usage: in_memory wordcount.wasm");
  wasi::Engine engine;
  const auto module = wasi::Module::from_file(engine, argv[1]);
  if (!module) return fail(module.error().to_string());

  // Two files, which any number of guests may read at once.
  const wasi::MemoryDirectory texts;
  for (const auto& [path, text] : {std::pair("poems/first.txt", "Roses are red,\nviolets are blue\n"),
                                   std::pair("poems/second.txt", "so is the sky\n")}) {
    if (const auto added = texts.add_file(path, text); !added) return fail(added.error().to_string());
  }

  const wasi::OutputBuffer output(1 << 16);
  wasi::WasiConfig config;
  config.args({"wordcount", "/poems/first.txt", "/poems/second.txt", "-"})
      .preopen(texts, "/", wasi::Access::read_only)
      .scratch("/tmp", 1 << 20)  // empty, and this guest's own
      .limits({.descriptors = 32})
      .stdin_from(wasi::Stdio::bytes("and this comes from stdin\n"))
      .stdout_to(wasi::Stdio::buffer(output))
      .stderr_to(wasi::Stdio::buffer(output));

  wasi::Linker linker(engine);
  linker.define_wasi(config);
  wasi::Store store(engine);
  const auto instance = linker.instantiate(store, *module);
  if (!instance) return fail(instance.error().to_string());
  const auto start = instance->function<void()>("_start");
  if (!start) return fail(start.error().to_string());
  if (const auto ended = (*start)(); !ended && !ended.error().is_exit()) return fail(ended.error().to_string());

  std::printf("The guest wrote %zu bytes:\n%s", output.size(), output.text().c_str());
  return 0;
}
