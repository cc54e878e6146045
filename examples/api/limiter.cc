// The host is asked before memories, tables and instances grow, and may refuse.
#include "need.h"

#include <algorithm>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (memory 1 10)
  (table $table 4 funcref)
  (func (export "grow_memory") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow $table (ref.null func) (local.get 0))))
)wat";

const char* name_of(wasi::Growth::Kind kind) {
  switch (kind) {
    case wasi::Growth::Kind::memory:
      return "memory";
    case wasi::Growth::Kind::table:
      return "table";
    case wasi::Growth::Kind::instance:
      return "instances";
  }
  return "";
}

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  const auto limiter = [](const wasi::Growth& growth) {
    const bool allowed = growth.kind == wasi::Growth::Kind::memory  ? growth.desired <= 3 * wasi::kPageSize
                         : growth.kind == wasi::Growth::Kind::table ? growth.desired <= 100
                                                                    : growth.desired <= 1;
    std::printf("  %s from %llu to %llu: %s\n", name_of(growth.kind), static_cast<unsigned long long>(growth.current),
                static_cast<unsigned long long>(growth.desired), allowed ? "yes" : "no");
    return allowed;
  };
  wasi::Store store(engine, {.limiter = limiter});
  wasi::Linker linker(engine);
  std::printf("an instance\n");
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto grow_memory = need(instance.function<std::int32_t(std::int32_t)>("grow_memory"));
  const auto grow_table = need(instance.function<std::int32_t(std::int32_t)>("grow_table"));

  std::printf("it had %d page\n", need(grow_memory(2)));
  std::printf("one more: %d\n", need(grow_memory(1)));
  std::printf("more than its type allows, of which nobody is asked: %d\n", need(grow_memory(50)));
  std::printf("it had %d elements\n", need(grow_table(96)));
  std::printf("one more: %d\n", need(grow_table(1)));
  std::printf("another instance: %s\n", linker.instantiate(store, module) ? "made" : "refused");
}
