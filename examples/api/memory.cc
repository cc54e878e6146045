// The host reads, writes and grows a guest's memory, and cannot reach beyond it.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (memory (export "memory") 2 3)
  (data (i32.const 0x1000) "\01\02\03\04")
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))
)wat";

struct Point {
  float x;
  float y;
};

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto load = need(instance.function<std::uint32_t(std::uint32_t)>("load"));
  wasi::Memory memory = need(instance.memory("memory"));

  std::printf("%llu pages, %llu bytes\n", static_cast<unsigned long long>(memory.pages()),
              static_cast<unsigned long long>(memory.size()));
  std::printf("at 0x1000: %08x\n", need(memory.read<std::uint32_t>(0x1000), "the segment is there"));

  if (!memory.write<std::uint8_t>(0x1003, 5)) fail("the address is inside");
  std::printf("the guest finds %u at 0x1003\n", need(load(0x1003)));
  if (!memory.write(0x2001, Point{1.5F, -2.0F})) fail("the address is inside");
  const auto point = need(memory.read<Point>(0x2001), "the address is inside");
  std::printf("a point: %g, %g\n", point.x, point.y);

  if (memory.write<std::uint32_t>(0x1fffd, 7)) fail("its last byte is outside");
  const auto outside = load(0x20000);
  if (outside) fail("the address is outside");
  std::printf("load(0x20000): %s\n", std::string(wasi::message_of(outside.error().code)).c_str());

  // A span is taken again after the memory has grown.
  if (!memory.grow(1)) fail("there may be three pages");
  std::printf("grown: load(0x20000) = %u, %zu bytes\n", need(load(0x20000)), memory.bytes().size());
  if (memory.grow(1)) fail("there may be three pages only");
  std::printf("no fourth page\n");
}
