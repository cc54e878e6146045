// Structures of the collected heap: the host looks at the guest's types, makes objects of them and changes their
// fields.
#include "need.h"

#include <vector>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (type $point (sub (struct (field $x (mut i32)) (field $y (mut i32)))))
  (type $named (sub final $point (struct (field $x (mut i32)) (field $y (mut i32)) (field $id i64))))
  (func (export "sum") (param $p (ref $point)) (result i32)
    (i32.add (struct.get $point $x (local.get $p)) (struct.get $point $y (local.get $p))))
  (func (export "mirror") (param $p (ref $point))
    (struct.set $point $x (local.get $p) (i32.sub (i32.const 0) (struct.get $point $x (local.get $p)))))
  (func (export "make") (param $id i64) (result (ref $point))
    (struct.new $named (i32.const 1) (i32.const 2) (local.get $id))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  const std::vector<wasi::DefinedType> types = wasi::DefinedType::all_of(module);
  const wasi::DefinedType& point = types.at(0);
  const wasi::DefinedType& named = types.at(1);
  for (const wasi::DefinedType& type : {point, named}) {
    std::printf("a structure%s:", type.is_final() ? ", final" : "");
    for (const wasi::FieldType& field : type.fields()) std::printf(" %s", field.to_string().c_str());
    std::printf("\n");
  }
  std::printf("below the first: %s\n", named.is_subtype_of(point) ? "yes" : "no");

  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto sum = need(instance.function<std::int32_t(wasi::Struct)>("sum"));
  const auto mirror = need(instance.function<void(wasi::Struct)>("mirror"));
  const auto make = need(instance.function<wasi::Struct(std::int64_t)>("make"));

  const wasi::Struct ours = need(wasi::Struct::create(store, point, {3, 4}));
  std::printf("3 + 4 = %d\n", need(sum(ours)));
  need(ours.set(1, 40));
  need(mirror(ours));
  std::printf("now: %s, %s\n", need(ours.get(0)).to_string().c_str(), need(ours.get(1)).to_string().c_str());

  const wasi::Struct theirs = need(make(77));
  std::printf("the guest's has %zu fields, the third is %s\n", need(theirs.type()).fields().size(),
              need(theirs.get(2)).to_string().c_str());
  const auto refused = theirs.set(2, std::int64_t{78});
  if (refused) fail("the field is immutable");
  std::printf("to set it: %s error\n", std::string(wasi::name_of(refused.error().kind)).c_str());
}
