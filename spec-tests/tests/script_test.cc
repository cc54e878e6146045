// The runner has to fail when the engine is wrong. Here the scripts are wrong instead: each expects something
// that a right engine does not do, and the runner must say so.
#include "script.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "messages.h"
#include "support/wat.h"

using namespace wasi;
using spec::Json;
using spec::Outcome;
using spec::Script;
using spec::Status;

namespace {

// A folder with one module in m.wasm, removed again at the end.
class Folder {
 public:
  explicit Folder(std::string_view wat, std::string_view flags = "") {
    std::string name = (std::filesystem::temp_directory_path() / "wasirun-spec-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    write("m.wasm", test::wat(wat, flags));
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const char* file, const std::vector<std::uint8_t>& bytes) const {
    std::ofstream(path_ / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::vector<Outcome> run(const Folder& folder, const char* commands) {
  std::vector<Outcome> outcomes;
  Script script(Engine(), {}, folder.path(),
                [&](std::uint64_t, const std::string&, const Outcome& outcome) { outcomes.push_back(outcome); });
  script.run(Json::parse(commands));
  return outcomes;
}

constexpr std::string_view kModule = R"(
  (module
    (global (export "g") i32 (i32.const 5))
    (func (export "seven") (result i32) (i32.const 7))
    (func (export "boom") (unreachable))
    (func $deep (export "deep") (call $deep))
    (func (export "div") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))
)";

}  // namespace

TEST_CASE("right commands pass") {
  const Folder folder(kModule);
  const auto outcomes = run(folder, R"([
    {"type": "module", "binary": "m.wasm"},
    {"type": "assert_return", "action": {"type": "invoke", "field": "seven", "args": []},
     "expected": [{"type": "i32", "value": "7"}]},
    {"type": "assert_return", "action": {"type": "get", "field": "g"}, "expected": [{"type": "i32", "value": "5"}]},
    {"type": "assert_trap", "action": {"type": "invoke", "field": "boom", "args": []}, "message": "unreachable"},
    {"type": "assert_trap", "action": {"type": "invoke", "field": "div", "args": []}, "message": "integer divide by zero"},
    {"type": "assert_exhaustion", "action": {"type": "invoke", "field": "deep", "args": []},
     "message": "call stack exhausted"},
    {"type": "action", "action": {"type": "invoke", "field": "seven", "args": []}}])");
  REQUIRE(outcomes.size() == 7);
  for (const Outcome& outcome : outcomes) {
    CHECK(outcome.detail.empty());
    CHECK(outcome.status == Status::passed);
  }
}

TEST_CASE("what does not happen as expected fails, and the failure says what came instead") {
  const Folder folder(kModule);
  const auto outcomes = run(folder, R"([
    {"type": "module", "binary": "m.wasm"},
    {"type": "assert_return", "action": {"type": "invoke", "field": "seven", "args": []},
     "expected": [{"type": "i32", "value": "8"}]},
    {"type": "assert_return", "action": {"type": "invoke", "field": "boom", "args": []}, "expected": []},
    {"type": "assert_trap", "action": {"type": "invoke", "field": "seven", "args": []}, "message": "unreachable"},
    {"type": "assert_trap", "action": {"type": "invoke", "field": "div", "args": []}, "message": "integer overflow"},
    {"type": "assert_exhaustion", "action": {"type": "invoke", "field": "boom", "args": []},
     "message": "call stack exhausted"},
    {"type": "action", "action": {"type": "invoke", "field": "boom", "args": []}},
    {"type": "action", "action": {"type": "invoke", "field": "nothing", "args": []}},
    {"type": "assert_invalid", "form": "text", "binary": "m.wasm", "message": "type mismatch"},
    {"type": "assert_malformed", "form": "binary", "binary": "m.wasm", "message": "unexpected end"},
    {"type": "assert_unlinkable", "form": "text", "binary": "m.wasm", "message": "unknown import"},
    {"type": "assert_trap", "action": {"type": "instantiate", "binary": "m.wasm"}, "message": "unreachable"},
    {"type": "assert_exception", "action": {"type": "invoke", "field": "seven", "args": []}},
    {"type": "conjure"}])");
  REQUIRE(outcomes.size() == 14);
  CHECK(outcomes[0].status == Status::passed);
  for (std::size_t i = 1; i < outcomes.size(); ++i) {
    INFO("command " << i);
    CHECK(outcomes[i].status == Status::failed);
  }
  CHECK(outcomes[1].detail == R"(result 0: expected {"type":"i32","value":"8"}, got i32 7 (bits 0x7, 0x0))");
  CHECK(outcomes[2].detail == R"(expected results, got the trap "unreachable")");
  CHECK(outcomes[3].detail == R"(expected the trap "unreachable", got results)");
  CHECK(outcomes[4].detail == R"(expected the trap "integer overflow", got the trap "integer divide by zero")");
  CHECK(outcomes[8].detail == R"(the module was accepted, expected "type mismatch")");
  CHECK(outcomes[9].detail == R"(the module was accepted, expected "unexpected end")");
  CHECK(outcomes[10].detail == R"(the module was linked, expected "unknown import")");
}

TEST_CASE("an invalid module that a script means to run is a failure") {
  const Folder folder("(module (func (result i32) (i64.const 1)))", "--no-check");
  const auto outcomes = run(folder, R"([
    {"type": "module", "binary": "m.wasm"},
    {"type": "assert_invalid", "form": "text", "binary": "m.wasm", "message": "type mismatch"},
    {"type": "assert_invalid", "form": "text", "binary": "m.wasm", "message": "unknown label"},
    {"type": "assert_malformed", "form": "binary", "binary": "m.wasm", "message": "type mismatch"}])");
  REQUIRE(outcomes.size() == 4);
  CHECK(outcomes[0].status == Status::failed);
  CHECK(outcomes[1].status == Status::passed);
  CHECK(outcomes[2].status == Status::failed);
  CHECK(outcomes[3].status == Status::failed);
}

TEST_CASE("quoted text is counted apart, and a missing module file is a failure") {
  const Folder folder(kModule);
  const auto outcomes = run(folder, R"([
    {"type": "assert_malformed", "form": "quote", "text": "m.wat", "message": "unknown operator"},
    {"type": "module", "binary": "absent.wasm"}])");
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].status == Status::text);
  CHECK(outcomes[1].status == Status::failed);
}

TEST_CASE("registered instances can be imported from, under any name") {
  const Folder folder(kModule);
  folder.write("n.wasm", test::wat(R"((module (import "" "g" (global i32)) (export "again" (global 0))))"));
  const auto outcomes = run(folder, R"([
    {"type": "module", "name": "a", "binary": "m.wasm"},
    {"type": "register", "module": "a", "as": ""},
    {"type": "module_definition", "name": "d", "binary": "n.wasm"},
    {"type": "module_instance", "name": "b", "module": "d"},
    {"type": "assert_return", "action": {"type": "get", "module": "b", "field": "again"},
     "expected": [{"type": "i32", "value": "5"}]},
    {"type": "assert_return", "action": {"type": "get", "module": "a", "field": "g"},
     "expected": [{"type": "i32", "value": "5"}]}])");
  REQUIRE(outcomes.size() == 6);
  for (const Outcome& outcome : outcomes) {
    CHECK(outcome.detail.empty());
    CHECK(outcome.status == Status::passed);
  }
}

TEST_CASE("messages match by prefix only") {
  CHECK(spec::matches_message("type mismatch", "type mismatch: expected i32, found i64"));
  CHECK_FALSE(spec::matches_message("type mismatch", "a type mismatch"));
  CHECK_FALSE(spec::matches_message("unknown local 1", "unknown local"));
}
