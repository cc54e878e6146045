// Loops that count in large steps, as compilers unroll them, in optimised code: where the steps meet the end, and where
// they never do.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// run(begin, end) adds up words of memory while it counts from begin to end, and writes what it has on the way.
std::string counting(std::string_view type, std::int64_t step, bool counts_first, bool is_equal) {
  const std::string add = fmt::format("({0}.add (local.get $i) ({0}.const {1}))", type, step);
  const std::string counter = counts_first ? fmt::format("(local.tee $i {})", add) : "(local.get $i)";
  const std::string count_last = counts_first ? "" : fmt::format("(local.set $i {})", add);
  const std::string comparison = is_equal ? fmt::format("(i32.eqz ({}.eq", type) : fmt::format("({}.ne", type);
  return fmt::format(R"((module
    (memory 1)
    (data (i32.const 0) "some text that is more than nothing, for sums")
    (func (export "run") (param $begin i64) (param $end i64) (result i64)
        (local $i {0}) (local $last {0}) (local $at i32) (local $sum i64) (local $more i32)
      (local.set $i {1})
      (local.set $last {2})
      (loop $again
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (i64.load (i32.and (local.get $at) (i32.const 31)))))
        (i64.store offset=1024 (local.get $at) (local.get $sum))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $more {3} {4} (local.get $last)){5})
        {6}
        (br_if $again (local.get $more)))
      (i64.add (local.get $sum) (i64.load offset=1024 (i32.const 40)))))
  )",
                     type, type == "i64" ? "(local.get $begin)" : "(i32.wrap_i64 (local.get $begin))",
                     type == "i64" ? "(local.get $end)" : "(i32.wrap_i64 (local.get $end))", comparison, counter,
                     is_equal ? ")" : "", count_last);
}

}  // namespace

TEST_CASE("Loops that count in steps give what they gave, and those whose steps miss the end go on until they trap") {
  const auto& known = tiers();
  if (std::ranges::find(known, TierSelection::optimising) == known.end()) return;
  const Engine interpreter = must(Engine::create({.tier = TierSelection::interpreter}));
  const Engine optimising = must(Engine::create({.tier = TierSelection::optimising}));
  int trapped = 0;
  for (const std::string_view type : {"i32", "i64"}) {
    for (const std::int64_t step : {1, 2, 4, 8, -2, -4, -16, 3, 6}) {
      for (const int way : {0, 1, 2, 3}) {
        const std::string text = counting(type, step, (way & 1) != 0, (way & 2) != 0);
        CAPTURE(text);
        const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
        const std::pair<Engine, Module> both[] = {{interpreter, must(Module::from_bytes(interpreter, bytes))},
                                                  {optimising, must(Module::from_bytes(optimising, bytes))}};
        // The turns, and by how much the steps miss the end.
        for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{7}, std::int64_t{-5}, std::int64_t{1} << 31}) {
          for (const auto& [turns, off] : {std::pair{0, 0}, {1, 0}, {20, 0}, {33, 0}, {17, 1}, {64, 0}, {3, -2}}) {
            const std::int64_t end = begin + turns * step + off;
            CAPTURE(begin, end);
            std::vector<std::string> outcomes;
            for (const auto& [engine, module] : both) {
              Store store(engine);
              const Instance instance = must(Linker(engine).instantiate(store, module));
              const auto result = must(instance.function<std::int64_t(std::int64_t, std::int64_t)>("run"))(begin, end);
              outcomes.push_back(result ? std::to_string(*result) : result.error().to_string());
              if (!result) ++trapped;
            }
            CHECK(outcomes[0] == outcomes[1]);
          }
        }
      }
    }
  }
  CHECK(trapped > 100);
}
