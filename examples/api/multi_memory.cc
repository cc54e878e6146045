// A module with two memories: one for what comes in, one for what goes out.
#include "need.h"

#include <cstring>
#include <string_view>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (memory $in (export "in") 1)
  (memory $out (export "out") 1)
  ;; Copies from the one to the other, lower case letters as upper case ones.
  (func (export "shout") (param $size i32) (local $i i32) (local $byte i32)
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $size))
        (then
          (local.set $byte (i32.load8_u $in (local.get $i)))
          (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
            (then (local.set $byte (i32.sub (local.get $byte) (i32.const 32)))))
          (i32.store8 $out (local.get $i) (local.get $byte))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))))
  (func (export "copy") (param $size i32)
    (memory.copy $out $in (i32.const 0) (i32.const 0) (local.get $size))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const wasi::Memory in = need(instance.memory("in"));
  const wasi::Memory out = need(instance.memory("out"));

  constexpr std::string_view kText = "two memories, one module";
  std::memcpy(need(in.range(0, kText.size()), "a page is enough").data(), kText.data(), kText.size());
  for (const char* const name : {"shout", "copy"}) {
    const auto function = need(instance.function<void(std::uint32_t)>(name));
    need(function(static_cast<std::uint32_t>(kText.size())));
    std::printf("%s: %s\n", name, std::string(need(out.text(0, kText.size()), "a page is enough")).c_str());
  }
}
