// C++ objects in the hands of a guest, which live for as long as it has them, and are asked back by their type.
#include "need.h"

#include <memory>
#include <string>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "open" (func $open (result externref)))
  (import "host" "write" (func $write (param externref i32)))
  (global $log (export "log") (mut externref) (ref.null extern))
  (func (export "start") (global.set $log (call $open)))
  (func (export "work") (call $write (global.get $log) (i32.const 42)))
  (func (export "forge") (param externref) (call $write (local.get 0) (i32.const 1)))
  (func (export "end") (global.set $log (ref.null extern))))
)wat";

struct Log {
  std::string text;
  ~Log() { std::printf("the log is closed: \"%s\"\n", text.c_str()); }
};

struct Other {};

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define("host", "open", [] { return std::make_shared<Log>(); });
  // Who calls this has a Log: null, which the type allows, is for the function to refuse.
  linker.define("host", "write",
                [](const std::shared_ptr<Log>& log, std::int32_t number) -> std::expected<void, wasi::Trap> {
                  if (log == nullptr) return std::unexpected(wasi::Trap::host_error("no log is open"));
                  log->text += std::to_string(number) + ";";
                  return {};
                });
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto call = [&](const char* name) { return need(instance.func(name)).call({}); };

  const auto early = call("work");
  if (early) fail("no log is open yet");
  std::printf("before: %s\n", early.error().message.c_str());
  need(call("start"));
  need(call("work"));
  need(call("work"));
  {
    const wasi::Value value = need(instance.global("log")).get();
    const auto object = need(wasi::HostObject::from_value(store, value), "the guest has one");
    std::printf("so far: %s\n", object.get<Log>()->text.c_str());
    std::printf("asked for as another type: %s\n", object.get<Other>() == nullptr ? "null" : "a pointer");
  }
  const auto forge = need(instance.function<void(wasi::HostObject)>("forge"));
  const auto forged = forge(need(wasi::HostObject::create(store, Other())));
  std::printf("another object: %s\n", forged ? "taken for a log" : "refused");

  store.collect_garbage();
  std::printf("the guest lets go\n");
  need(call("end"));
  store.collect_garbage();
  std::printf("done\n");
}
