// What a server does: imports are looked up once, and each request gets a fresh instance with files of its own.
#include "need.h"

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_file(engine, GUESTS "/cat.wat"));
  wasi::Linker linker(engine);
  linker.define_wasi({});
  const wasi::InstancePre prepared = need(linker.prepare(module));

  for (const char* const request : {"first", "second", "third"}) {
    const wasi::MemoryDirectory files;
    need(files.add_file("note.txt", std::string("for the ") + request + " request"));
    const wasi::OutputBuffer output;
    wasi::WasiConfig config;
    config.preopen(files, "/", wasi::Access::read_only).stdout_to(wasi::Stdio::buffer(output));

    wasi::Store store(engine, {.memory_limit = 1 << 20});
    const wasi::Instance instance = need(prepared.instantiate(store, config));
    const std::int32_t status = need(instance.run());
    std::printf("%d: %s\n", status, output.text().c_str());
  }

  // With the configuration of the linker there is no directory: errno 8, no such descriptor.
  wasi::Store store(engine);
  std::printf("without files: %d\n", need(need(prepared.instantiate(store)).run()));
}
