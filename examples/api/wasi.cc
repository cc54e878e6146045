// A WASI program gets one directory of the host, to read only, and what it prints is kept here.
#include "need.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "wasirun-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no folder for the guest");
  const std::filesystem::path note = std::filesystem::path(folder) / "note.txt";
  if (!(std::ofstream(note) << "Remember the milk.\n").flush()) fail("the file cannot be written");

  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_file(engine, GUESTS "/cat.wat"));
  const wasi::OutputBuffer output;
  wasi::WasiConfig config;
  config.args({"cat"}).preopen(folder, "/notes", wasi::Access::read_only).stdout_to(wasi::Stdio::buffer(output));
  wasi::Linker linker(engine);
  linker.define_wasi(config);

  // A program runs once in a store: the second gets one of its own, after the file has gone.
  for (int i = 0; i < 2; ++i) {
    wasi::Store store(engine);
    const wasi::Instance instance = need(linker.instantiate(store, module));
    const std::int32_t status = need(instance.run());
    std::printf("exit status %d, %zu bytes: %s\n", status, output.size(), output.take().c_str());
    std::filesystem::remove(note);
  }
  std::filesystem::remove_all(folder);
}
