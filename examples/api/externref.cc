// Pointers of the host in the hands of a guest, which keeps them in a table and can neither read nor make any.
// The host sees to it that they stay valid; host_objects.cc leaves that to the store.
#include "need.h"

#include <string>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (table $kept (export "kept") 4 externref)
  (func (export "keep") (param $index i32) (param $what externref)
    (table.set $kept (local.get $index) (local.get $what)))
  (func (export "give") (param $index i32) (result externref)
    (table.get $kept (local.get $index)))
  (func (export "is_free") (param $index i32) (result i32)
    (ref.is_null (table.get $kept (local.get $index)))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto keep = need(instance.function<void(std::uint32_t, wasi::ExternRef)>("keep"));
  const auto give = need(instance.function<wasi::ExternRef(std::uint32_t)>("give"));
  const auto is_free = need(instance.function<bool(std::uint32_t)>("is_free"));

  std::string text = "the host's";
  need(keep(1, wasi::ExternRef{&text}));
  std::printf("free: 0 %s, 1 %s\n", need(is_free(0)) ? "yes" : "no", need(is_free(1)) ? "yes" : "no");

  auto* const back = static_cast<std::string*>(need(give(1)).pointer);
  std::printf("the same object: %s, \"%s\"\n", back == &text ? "yes" : "no", back->c_str());
  std::printf("nothing at 0: %s\n", need(give(0)).pointer == nullptr ? "yes" : "no");

  // The table is seen from here as well.
  const wasi::Table table = need(instance.table("kept"));
  need(table.set(0, need(table.get(1), "there are four")));
  std::printf("copied: %s\n", need(give(0)).pointer == &text ? "yes" : "no");
}
