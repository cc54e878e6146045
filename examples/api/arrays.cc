// Arrays of the collected heap: text goes in and out as one, without a memory and without an allocator.
#include "need.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (type $text (array (mut i8)))
  (func (export "reversed") (param $in (ref $text)) (result (ref $text))
    (local $out (ref $text)) (local $i i32) (local $size i32)
    (local.set $size (array.len (local.get $in)))
    (local.set $out (array.new_default $text (local.get $size)))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $size))
        (then
          (array.set $text (local.get $out)
            (i32.sub (i32.sub (local.get $size) (i32.const 1)) (local.get $i))
            (array.get_u $text (local.get $in) (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $out)))
)wat";

std::string text_of(const wasi::Array& array) {
  const auto bytes = need(array.bytes());
  return {bytes.begin(), bytes.end()};
}

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto reversed = need(instance.function<wasi::Array(wasi::Array)>("reversed"));

  // The same type as the guest's, since it is defined in the same way.
  const auto type =
      need(wasi::DefinedType::array(engine, {.packing = wasi::FieldType::Packing::i8, .is_mutable = true}));
  std::printf("the same type: %s\n", type == wasi::DefinedType::all_of(module).at(0) ? "yes" : "no");

  constexpr std::string_view kText = "stressed";
  const std::vector<std::uint8_t> bytes(kText.begin(), kText.end());
  const wasi::Array array = need(wasi::Array::from_bytes(store, type, bytes));
  const wasi::Array result = need(reversed(array));
  std::printf("%s: %s\n", text_of(array).c_str(), text_of(result).c_str());

  need(result.set(0, int{'D'}));
  std::ranges::replace(need(result.mutable_bytes()), 's', 'z');
  std::printf("changed: %s, %u elements\n", text_of(result).c_str(), result.size());
  const auto beyond = result.get(8);
  if (beyond) fail("there are eight");
  std::printf("the ninth: %s error\n", std::string(wasi::name_of(beyond.error().kind)).c_str());
}
