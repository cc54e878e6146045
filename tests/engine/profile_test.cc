// Profiles: what runs see, the text that keeps it, and what is wrong with other texts.
#include <algorithm>
#include <string>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// "run" spends its time in the loop of $hot.
constexpr const char* kModule = R"((module $m
  (func $cold (param i32) (result i32) (local.get 0))
  (func $hot (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $cold (i32.const 1)) (call $hot (local.get 0))))))";

Engine recording(EngineConfig config = {}) {
  config.records_profile = true;
  return must(Engine::create(config));
}

void run(const Engine& engine, const Module& module, std::int32_t turns) {
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  must(must(instance.function<std::int32_t(std::int32_t)>("run"))(turns));
}

Profile recorded(std::int32_t turns, EngineConfig config = {}) {
  const Engine engine = recording(std::move(config));
  const Module module = load(engine, kModule, "--debug-names");
  run(engine, module, turns);
  return module.profile();
}

// The samples in $hot; another function may have one.
Profile::Function of_hot(const Profile& profile) {
  const auto found = std::ranges::find(profile.functions, 1U, &Profile::Function::index);
  REQUIRE(found != profile.functions.end());
  return *found;
}

Error refused(std::string_view text) {
  const auto profile = Profile::parse(text);
  REQUIRE_FALSE(profile.has_value());
  return profile.error();
}

constexpr std::string_view kHeader = "wasirun profile 2\nmodule 0123456789abcdef0123456789abcdef\n";

std::string with_header(std::string_view lines) { return std::string(kHeader) + std::string(lines); }

}  // namespace

TEST_CASE("A profile says which loops turned how often, in any tier and the same each time") {
  constexpr std::int32_t kTurns = 1'000'000;
  const Profile profile = recorded(kTurns);
  CHECK(profile.module.size() == 32);
  const Profile::Function hot = of_hot(profile);
  CHECK(hot.index == 1);
  CHECK(hot.name == "hot");
  REQUIRE(hot.loops.size() == 1);
  CHECK(hot.loops[0].count == hot.count);
  CHECK(hot.count > kTurns * 9 / 10);
  CHECK(hot.count < kTurns * 11 / 10);
  CHECK(recorded(kTurns) == profile);
  CHECK(recorded(kTurns, {.tier = TierSelection::baseline, .tier_threshold = 1}) == profile);
  CHECK(recorded(kTurns, {.bounds_checks = BoundsChecks::explicit_checks}) == profile);
  CHECK(recorded(10).functions.size() < 2);
}

TEST_CASE("All instances and threads' stores count together, and compiled modules are profiled, too") {
  const Engine maker = must(Engine::create({.tier = TierSelection::baseline}));
  const Module compiled = load(maker, kModule, "--debug-names");
  must(compiled.prepare());
  const Engine engine = recording();
  const Module module = must(Module::deserialize(engine, must(compiled.serialize())));
  run(engine, module, 500'000);
  const std::uint64_t once = of_hot(module.profile()).count;
  run(engine, module, 500'000);
  CHECK(of_hot(module.profile()).count > once * 3 / 2);
  CHECK(module.profile().module == recorded(1).module);
  // Nothing is recorded where nobody asked.
  const Engine usual;
  const Module other = load(usual, kModule);
  run(usual, other, 500'000);
  CHECK(other.profile().functions.empty());
}

TEST_CASE("A profile is read as it was written") {
  Profile profile = recorded(300'000);
  CHECK(must(Profile::parse(profile.to_text())) == profile);
  profile.functions.push_back({.index = 7, .count = 5, .loops = {{3, 1}, {UINT32_MAX, UINT64_MAX}}, .name = "a b  c"});
  CHECK(must(Profile::parse(profile.to_text())) == profile);
  profile.functions.back().callees = {{9, std::nullopt, 4}, {9, 0, 3}, {9, UINT32_MAX, 1}, {10, 2, UINT64_MAX}};
  CHECK(must(Profile::parse(profile.to_text())) == profile);
  // Of a time when callees were not recorded.
  CHECK(must(Profile::parse("wasirun profile 1\nmodule 0123456789abcdef0123456789abcdef\n")).functions.empty());
  // Names are shown as they are in messages: no line begins within one.
  profile.functions[0].name = "x\nfunction 9 9";
  CHECK(must(Profile::parse(profile.to_text())).functions[0].name == "x\\nfunction 9 9");
  const std::string text = with_header("# made by hand\n\nfunction 1 2\r\nloop 0x1f 2\nfunction 4294967295 0 name");
  const Profile by_hand = must(Profile::parse(text));
  CHECK(by_hand.functions.size() == 2);
  CHECK(by_hand.functions[0].loops == std::vector<Profile::Loop>{{0x1f, 2}});
  CHECK(by_hand.functions[1].name == "name");
  CHECK(must(Profile::parse(kHeader)).functions.empty());
}

TEST_CASE("Texts that are no profile say where they are wrong") {
  CHECK(refused("").message == "this is no profile: its first line is not \"wasirun profile 2\"");
  CHECK(refused("{}").kind == ErrorKind::malformed);
  CHECK(refused("wasirun profile 3\n").kind == ErrorKind::unsupported);
  CHECK(refused("wasirun profile 1").message.contains("expected a line \"module\""));
  CHECK(refused("wasirun profile 1\nmodule 12\n").message.contains("in line 2"));
  CHECK(refused("wasirun profile 1\nmodule 0123456789ABCDEF0123456789abcdef\n").message.contains("hexadecimal"));
  const auto in_third = [](std::string_view line) {
    const Error error = refused(with_header(line));
    CHECK(error.kind == ErrorKind::malformed);
    return error.message;
  };
  for (const char* wrong : {"function", "function 1", "function -1 2", "function 1 2x", "function 4294967296 1",
                            "function 1 18446744073709551616", "function  1 2"}) {
    CHECK(in_third(wrong) == "the profile is damaged in line 3: expected \"function INDEX COUNT NAME\"");
  }
  CHECK(in_third("loop 0x1 2").contains("before any function"));
  CHECK(in_third("function 1 2\nloop 1 2").contains("line 4: expected \"loop 0xOFFSET COUNT\""));
  CHECK(in_third("function 1 2\nloop 0x1 2 3").contains("line 4"));
  CHECK(in_third("function 1 2\nfunction 1 2").contains("not in order"));
  CHECK(in_third("callee 0x1 2 3").contains("before any function"));
  for (const char* wrong : {"callee", "callee 1 2 3", "callee 0x1 2", "callee 0x1 2 3 4", "callee 0x1 other 3",
                            "callee 0x1 others", "callee 0x1 othersx 1", "callee 0x1 -1 3"}) {
    const std::string message = in_third("function 1 2\n" + std::string(wrong));
    CHECK(message.contains("line 4: expected \"callee 0xOFFSET FUNCTION COUNT\""));
  }
  for (const char* wrong :
       {"callee 0x1 2 3\ncallee 0x1 2 3", "callee 0x2 2 3\ncallee 0x1 2 3", "callee 0x1 2 3\ncallee 0x1 others 3"}) {
    CHECK(in_third("function 1 2\n" + std::string(wrong)).contains("line 5: callees are not in order"));
  }
  CHECK(in_third("function 1 2\nloop 0x5 1\nloop 0x5 1").contains("line 5: loops are not in order"));
  CHECK(in_third("call 1 2").contains("expected module, function, loop or callee"));
  CHECK(in_third("module 0123456789abcdef0123456789abcdef").contains("one line \"module\""));
}

TEST_CASE("Profiles of several runs are added") {
  const Profile a =
      must(Profile::parse(with_header("function 1 10\nloop 0x5 4\nloop 0x7 6\ncallee 0x6 2 3\nfunction 5 1 five")));
  const Profile b =
      must(Profile::parse(with_header("function 0 2\nfunction 1 30\nloop 0x6 1\nloop 0x7 29\n"
                                      "callee 0x6 others 1\ncallee 0x6 2 4\nfunction 9 3")));
  Profile sum = a;
  must(sum.merge(b));
  CHECK(sum ==
        must(Profile::parse(with_header("function 0 2\nfunction 1 40\nloop 0x5 4\nloop 0x6 1\nloop 0x7 35\n"
                                        "callee 0x6 others 1\ncallee 0x6 2 7\nfunction 5 1 five\nfunction 9 3"))));
  Profile other_way = b;
  must(other_way.merge(a));
  CHECK(other_way == sum);
  Profile empty;
  must(empty.merge(a));
  CHECK(empty == a);
  must(empty.merge(Profile{}));
  CHECK(empty == a);
  // Numbers end where they end.
  Profile much = must(Profile::parse(with_header("function 1 18446744073709551615")));
  must(much.merge(a));
  CHECK(much.functions[0].count == UINT64_MAX);

  Profile of_another = a;
  of_another.module.back() = '0';
  const auto merged = sum.merge(of_another);
  REQUIRE_FALSE(merged.has_value());
  CHECK(merged.error().kind == ErrorKind::argument);
  CHECK(sum == other_way);
}
