// Scripts (.wast): the language of the official test suite.
//
// Modules in a script are not parsed with it: a command that needs one does it, so that a wrong module is the
// failure of that command alone.
// Source: https://github.com/WebAssembly/spec/tree/main/interpreter#scripts, and for `thread` and `wait`
// https://github.com/WebAssembly/threads.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/types.h"

namespace wasi::text {

enum class ModuleForm : std::uint8_t { text, binary, quote, instance };

struct ScriptModule {
  ModuleForm form = ModuleForm::text;
  std::string name;       // without $; empty: none
  std::string_view part;  // text: the list, a piece of the script
  std::string bytes;      // binary: the module; quote: its text
  std::string of;         // instance: of the definition with this name; empty: of the last one
};

enum class ValueKind : std::uint8_t {
  i32,
  i64,
  f32,
  f64,
  v128,
  ref_null,    // of `heap`, or of any type where there is none
  ref_extern,  // the host's reference `number`, or any
  ref_host,    // the same as an internal reference
  // In patterns only: any reference of the kind, which is not null.
  ref_func,
  ref_any,
  ref_eq,
  ref_i31,
  ref_struct,
  ref_array,
  ref_exn,
  either,  // one of `alternatives`
};

enum class NanPattern : std::uint8_t { none, canonical, arithmetic };

// A number or a lane of a vector: its bits, or a class of NaNs.
struct ScriptLane {
  std::uint64_t bits = 0;
  NanPattern nan = NanPattern::none;
};

// An argument, or the pattern of a result.
struct ScriptValue {
  ValueKind kind = ValueKind::i32;
  std::vector<ScriptLane> lanes;           // one; of a vector as many as its shape has
  std::optional<wasm::AbstractHeap> heap;  // ref_null
  std::optional<std::uint64_t> number;     // ref_extern, ref_host
  std::vector<ScriptValue> alternatives;   // either
  std::string_view text;                   // as the script spells it
};

enum class ActionKind : std::uint8_t { invoke, get, instantiate };

struct ScriptAction {
  ActionKind kind = ActionKind::invoke;
  std::string instance;  // its name; empty: the last one
  std::string field;     // invoke, get
  std::vector<ScriptValue> arguments;
  ScriptModule module;  // instantiate
};

enum class CommandKind : std::uint8_t {
  module,             // `module`: define and instantiate
  module_definition,  // `module`
  module_instance,    // `module`: instantiate a definition
  register_,          // the instance `of` as `name`
  action,
  assert_return,  // `action`, `expected`
  assert_trap,    // `action`, `message`
  assert_exhaustion,
  assert_exception,         // `action`
  assert_unlinkable,        // `module`, `message`
  assert_invalid,           // the same; no instance
  assert_malformed,         // the same
  assert_invalid_custom,    // the same
  assert_malformed_custom,  // the same
  thread,                   // `name`, runs `commands` with the instance `of`
  wait,                     // for the thread `name`
};
std::string_view name_of(CommandKind kind);

struct ScriptCommand {
  CommandKind kind = CommandKind::module;
  std::uint64_t line = 0;
  std::string name;
  std::string of;
  std::string message;
  ScriptModule module;
  ScriptAction action;
  std::vector<ScriptValue> expected;
  std::vector<ScriptCommand> commands;
};

// The commands of `text`, which outlives them. A text of module fields alone is one module.
Result<std::vector<ScriptCommand>> parse_script(std::string_view text);

// The binary form of a script's module; `script` is the text that it comes from. Fails with `argument` for an instance,
// whose module is that of its definition.
Result<std::vector<std::uint8_t>> encode(std::string_view script, const ScriptModule& module);

}  // namespace wasi::text
