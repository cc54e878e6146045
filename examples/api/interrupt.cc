// Another thread stops a guest that would run for ever; its store can be used again afterwards.
#include "need.h"

#include <future>
#include <thread>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "started" (func $started))
  (func (export "run") (call $started) (loop $for_ever (br $for_ever)))
  (func (export "answer") (result i32) (i32.const 42)))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  std::promise<void> runs;
  wasi::Linker linker(engine);
  linker.define("host", "started", [&runs] { runs.set_value(); });
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto run = need(instance.function<void()>("run"));

  // The interrupter alone is for any thread: all else of the store stays here.
  std::thread watcher([interrupter = store.interrupter(), started = runs.get_future()] {
    started.wait();
    interrupter.interrupt();
  });
  const auto ended = run();
  watcher.join();
  if (ended) fail("it runs for ever");
  std::printf("the guest was stopped: %s\n", ended.error().message.c_str());

  const auto answer = need(instance.function<std::int32_t()>("answer"));
  std::printf("afterwards: %d\n", need(answer()));
}
