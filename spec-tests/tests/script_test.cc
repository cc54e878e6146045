// The runner has to fail when the engine is wrong. Here the scripts are wrong instead: each expects something
// that a right engine does not do, and the runner must say so.
#include "tools/wast/script.h"

#include <catch2/catch.hpp>

#include "tools/wast/messages.h"

using namespace wasi;
using spec::Outcome;
using spec::Status;

namespace {

std::vector<Outcome> run(const std::string& script) {
  std::vector<Outcome> outcomes;
  spec::run_script(Engine(), {}, script,
                   [&](const text::ScriptCommand&, const Outcome& outcome) { outcomes.push_back(outcome); });
  return outcomes;
}

// The outcome of one command behind the module below.
Outcome run_one(const std::string& command) {
  const auto outcomes = run(R"(
    (module
      (global (export "g") i32 (i32.const 5))
      (func (export "seven") (result i32) (i32.const 7))
      (func (export "boom") (unreachable))
      (func $deep (export "deep") (call $deep))
      (func (export "div") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))
  )" + command);
  REQUIRE(outcomes.size() == 2);
  REQUIRE(outcomes[0].status == Status::passed);
  return outcomes[1];
}

void check_passes(const std::string& command) {
  INFO(command);
  const Outcome outcome = run_one(command);
  CHECK(outcome.detail.empty());
  CHECK(outcome.status == Status::passed);
}

void check_fails(const std::string& command, const std::string& detail) {
  INFO(command);
  const Outcome outcome = run_one(command);
  CHECK(outcome.status == Status::failed);
  CHECK(outcome.detail.substr(0, detail.size()) == detail);
}

}  // namespace

TEST_CASE("right commands pass") {
  check_passes(R"w((assert_return (invoke "seven") (i32.const 7)))w");
  check_passes(R"w((assert_return (get "g") (i32.const 5)))w");
  check_passes(R"w((assert_trap (invoke "boom") "unreachable"))w");
  check_passes(R"w((assert_trap (invoke "div") "integer divide by zero"))w");
  check_passes(R"w((assert_trap (module (func $f unreachable) (start $f)) "unreachable"))w");
  check_passes(R"w((assert_exhaustion (invoke "deep") "call stack exhausted"))w");
  check_passes(R"w((invoke "seven"))w");
  check_passes(R"w((assert_invalid (module (func (result i32) (i64.const 1))) "type mismatch"))w");
  check_passes(R"w((assert_malformed (module quote "(func (i32.const 0x))") "unknown operator"))w");
  check_passes(R"w((assert_malformed (module binary "\00asm\01\00\00") "unexpected end"))w");
  check_passes(R"w((assert_unlinkable (module (import "spectest" "unknown" (func))) "unknown import"))w");
  check_passes(R"w((assert_malformed_custom (module quote "(@custom)") "@custom annotation: missing section name"))w");
}

TEST_CASE("a wrong result, too few and too many") {
  check_fails(R"w((assert_return (invoke "seven") (i32.const 8)))w", "result 0: expected (i32.const 8), got i32 7");
  check_fails(R"w((assert_return (invoke "seven") (i64.const 7)))w", "result 0: expected (i64.const 7), got i32 7");
  check_fails(R"w((assert_return (invoke "seven")))w", "expected 0 results, got 1");
  check_fails(R"w((assert_return (invoke "seven") (i32.const 7) (i32.const 7)))w", "expected 2 results, got 1");
  check_fails(R"w((assert_return (get "g") (i32.const 6)))w", "result 0: expected (i32.const 6), got i32 5");
}

TEST_CASE("a trap that was not expected, is missing, or is another") {
  check_fails(R"w((assert_return (invoke "boom")))w", R"(expected results, got the trap "unreachable")");
  check_fails(R"w((assert_trap (invoke "seven") "unreachable"))w", R"(expected the trap "unreachable", got results)");
  check_fails(R"w((assert_trap (invoke "div") "integer overflow"))w",
              R"(expected the trap "integer overflow", got the trap "integer divide by zero")");
  check_fails(R"w((assert_exhaustion (invoke "boom") "call stack exhausted"))w", "expected a trap of the kind");
  check_fails(R"w((assert_exception (invoke "seven")))w", "expected the trap");
  check_fails(R"w((assert_exception (invoke "boom")))w", "expected a trap of the kind");
  check_fails(R"w((assert_trap (module) "unreachable"))w", R"(expected the trap "unreachable", got results)");
  check_fails(R"w((invoke "boom"))w", "the trap");
  check_fails(R"w((invoke "nothing"))w", "");
  check_fails(R"w((invoke $nobody "seven"))w", "there is no such instance");
}

TEST_CASE("a module that is accepted although it should not be") {
  check_fails(R"w((assert_invalid (module) "type mismatch"))w", R"(the module was accepted, expected "type mismatch")");
  check_fails(R"w((assert_malformed (module quote "(func)") "unknown operator"))w",
              R"(the module was accepted, expected "unknown operator")");
  check_fails(R"w((assert_malformed (module binary "\00asm\01\00\00\00") "unexpected end"))w",
              R"(the module was accepted, expected "unexpected end")");
  check_fails(R"w((assert_unlinkable (module) "unknown import"))w",
              R"(the module was linked, expected "unknown import")");
  check_fails(R"w((assert_malformed_custom (module quote "(@custom \"x\")") "misplaced @custom annotation"))w",
              "the module was accepted");
}

TEST_CASE("a module that is refused for another reason, or although it is right") {
  check_fails(R"w((assert_invalid (module (func (result i32) (i64.const 1))) "unknown label"))w",
              R"(expected invalid: "unknown label", got "invalid module)");
  check_fails(R"w((assert_malformed (module quote "(func (result i32) (i64.const 1))") "type mismatch"))w",
              R"(expected malformed: "type mismatch", got "invalid module)");
  check_fails(R"w((assert_malformed (module quote "(func (i32.const 0x))") "unexpected token"))w",
              R"(expected malformed: "unexpected token", got "malformed module at line 1)");
  check_fails(R"w((assert_invalid (module quote "(func (i32.const 0x))") "unknown operator"))w", "expected invalid");
  check_fails(R"w((assert_unlinkable (module (import "spectest" "unknown" (func))) "incompatible import type"))w",
              "expected \"incompatible import type\"");
  check_fails(R"w((module (func (result i32))))w", "invalid module");
  check_fails(R"w((module quote "(func"))w", "malformed module");
}

TEST_CASE("one wrong module is the failure of its command alone") {
  const auto outcomes = run(R"w((module (func (nonsense)))  (module (func)) (invoke $m "f") (module (fun)))w");
  REQUIRE(outcomes.size() == 4);
  CHECK(outcomes[0].status == Status::failed);
  CHECK(outcomes[1].status == Status::passed);
  CHECK(outcomes[2].status == Status::failed);
  CHECK(outcomes[3].status == Status::failed);
}

TEST_CASE("a script that is none fails as a whole") {
  for (const char* script : {"(module", "(assert_return (invoke \"f\")", "(conjure)", "(assert_return)", ")",
                             "(invoke f)", "(assert_return (invoke \"f\") (i32.const nan))", "(module) garbage"}) {
    INFO(script);
    const auto outcomes = run(script);
    REQUIRE_FALSE(outcomes.empty());
    CHECK(outcomes.back().status == Status::failed);
    CHECK(outcomes.back().detail.starts_with("the script cannot be read: "));
  }
}

// The outcomes of commands behind two definitions, of which one traps and one imports what nobody has.
std::vector<Outcome> run_with_definitions(const std::string& commands) {
  auto outcomes = run(R"(
    (module definition $fine (func))
    (module definition $traps (func $f unreachable) (start $f))
    (module definition $imports (import "spectest" "unknown" (func))))" +
                      commands);
  REQUIRE(outcomes.size() == 4);
  for (int i = 0; i < 3; ++i) REQUIRE(outcomes[i].status == Status::passed);
  return outcomes;
}

TEST_CASE("instances of definitions are expected to trap or not to link") {
  for (const char* command :
       {R"((assert_trap (module instance $i $traps) "unreachable"))",
        R"((assert_unlinkable (module instance $i $imports) "unknown import"))",
        R"((assert_unlinkable (module instance) "unknown import"))", R"((module instance $i $fine))"}) {
    INFO(command);
    const Outcome outcome = run_with_definitions(command)[3];
    CHECK(outcome.detail.empty());
    CHECK(outcome.status == Status::passed);
  }
  const std::pair<const char*, const char*> wrong[] = {
      {R"((assert_trap (module instance $i $fine) "unreachable"))", R"(expected the trap "unreachable", got results)"},
      {R"((assert_trap (module instance $i $imports) "unreachable"))", "missing import"},
      {R"((assert_unlinkable (module instance $i $fine) "unknown import"))",
       R"(the module was linked, expected "unknown import")"},
      {R"((assert_unlinkable (module instance $i $traps) "unknown import"))", R"(expected "unknown import")"},
      {R"((assert_trap (module instance $i $nowhere) "unreachable"))", "no module named nowhere"},
      {R"((assert_unlinkable (module instance $i $nowhere) "unknown import"))", "no module named nowhere"},
      {R"((module instance $i $nowhere))", "no module named nowhere"},
      {R"((module instance $i $traps))", "trap"},
  };
  for (const auto& [command, detail] : wrong) {
    INFO(command);
    const Outcome outcome = run_with_definitions(command)[3];
    CHECK(outcome.status == Status::failed);
    CHECK(outcome.detail.find(detail) != std::string::npos);
  }
  const auto unnamed = run(R"((assert_trap (module instance) "unreachable"))");
  REQUIRE(unnamed.size() == 1);
  CHECK(unnamed[0].detail == "no module has been defined");
}

TEST_CASE("an instance is no module that could be malformed") {
  const auto outcomes = run(R"((module definition $m) (assert_invalid (module instance $i $m) "type mismatch"))");
  REQUIRE_FALSE(outcomes.empty());
  CHECK(outcomes.back().status == Status::failed);
}

TEST_CASE("registered instances can be imported from, under any name") {
  const auto outcomes = run(R"(
    (module $a (global (export "g") i32 (i32.const 5)))
    (register "" $a)
    (module definition $d (import "" "g" (global i32)) (export "again" (global 0)))
    (module instance $b $d)
    (assert_return (get $b "again") (i32.const 5))
    (assert_return (get $a "g") (i32.const 5)))");
  REQUIRE(outcomes.size() == 6);
  for (const Outcome& outcome : outcomes) {
    CHECK(outcome.detail.empty());
    CHECK(outcome.status == Status::passed);
  }
}

TEST_CASE("a text of bare fields is one module") {
  const auto outcomes = run("(func) (memory 0) (func (export \"f\"))");
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].status == Status::passed);
}

TEST_CASE("messages match by prefix only") {
  CHECK(spec::matches_message("type mismatch", "type mismatch: expected i32, found i64"));
  CHECK_FALSE(spec::matches_message("type mismatch", "a type mismatch"));
  CHECK_FALSE(spec::matches_message("unknown local 1", "unknown local"));
}
