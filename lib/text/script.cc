#include "text/script.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/result.h"
#include "text/text.h"
#include "text/token_parser.h"
#include "wasm/limits.h"

namespace wasi::text {
namespace {

class ScriptParser : private TokenParser {
 public:
  explicit ScriptParser(std::string_view text) : TokenParser(text, text), text_(text) {}

  Result<std::vector<ScriptCommand>> run() {
    std::vector<ScriptCommand> commands;
    lexer_.check_encoding();
    seek(text_.data());
    if (is_bare_module()) {
      ScriptCommand& command = commands.emplace_back();
      command.line = line_of(text_.data());
      command.module.part = text_;
      return commands;
    }
    while (at(TokenKind::lpar)) command(commands, 0);
    if (!at(TokenKind::end)) unexpected("( and a command");
    if (failed()) return std::unexpected(lexer_.take_error());
    return commands;
  }

 private:
  // Module fields without a module around them: a whole script of them is a module.
  bool is_bare_module() {
    if (failed() || !at(TokenKind::lpar)) return false;
    switch (peek().keyword.word()) {
      case Word::type:
      case Word::rec:
      case Word::import:
      case Word::export_:
      case Word::func:
      case Word::table:
      case Word::memory:
      case Word::global:
      case Word::tag:
      case Word::start:
      case Word::elem:
      case Word::data:
        return true;
      default:
        return false;
    }
  }

  // Asked in ascending order, so that the whole script is counted once.
  std::uint64_t line_of(const char* pos) {
    line_ += static_cast<std::uint64_t>(std::count(counted_, pos, '\n'));
    counted_ = pos;
    return line_;
  }

  std::string optional_name() {
    if (!at(TokenKind::id)) return {};
    std::string result(identifier(current()));
    advance();
    return result;
  }

  void command(std::vector<ScriptCommand>& commands, int depth) {
    ScriptCommand result;
    result.line = line_of(current().begin);
    const Token word = peek();
    if (word.kind != TokenKind::keyword) {
      advance();
      return unexpected("a command");
    }
    switch (word.keyword.word()) {
      case Word::module:
        module_command(result);
        break;
      case Word::register_:
        open(result, CommandKind::register_);
        result.name = name("the name to register under");
        result.of = optional_name();
        expect_rpar();
        break;
      case Word::invoke:
      case Word::get:
        result.kind = CommandKind::action;
        action(result.action, false);
        break;
      case Word::assert_return:
        open(result, CommandKind::assert_return);
        action(result.action, true);
        while (at(TokenKind::lpar)) result.expected.push_back(value(true));
        expect_rpar("a result or )");
        break;
      case Word::assert_trap:
        open(result, CommandKind::assert_trap);
        action(result.action, true);
        message(result);
        break;
      case Word::assert_exhaustion:
        open(result, CommandKind::assert_exhaustion);
        action(result.action, true);
        message(result);
        break;
      case Word::assert_exception:
        open(result, CommandKind::assert_exception);
        action(result.action, true);
        expect_rpar();
        break;
      case Word::assert_unlinkable:
        open(result, CommandKind::assert_unlinkable);
        instance(result.module);
        message(result);
        break;
      case Word::assert_invalid:
        rejection(result, CommandKind::assert_invalid);
        break;
      case Word::assert_malformed:
        rejection(result, CommandKind::assert_malformed);
        break;
      case Word::assert_invalid_custom:
        rejection(result, CommandKind::assert_invalid_custom);
        break;
      case Word::assert_malformed_custom:
        rejection(result, CommandKind::assert_malformed_custom);
        break;
      case Word::thread:
        thread(result, depth);
        break;
      case Word::wait:
        open(result, CommandKind::wait);
        result.name = thread_name();
        expect_rpar();
        break;
      default:
        advance();
        return unexpected(word, "a command");
    }
    if (!failed()) commands.push_back(std::move(result));
  }

  void open(ScriptCommand& command, CommandKind kind) {
    command.kind = kind;
    advance();
    advance();
  }

  void message(ScriptCommand& command) {
    command.message = name("the message");
    expect_rpar();
  }

  void rejection(ScriptCommand& command, CommandKind kind) {
    open(command, kind);
    if (!at_list(Word::module)) return unexpected("(module");
    module(command.module);
    message(command);
  }

  void module_command(ScriptCommand& command) {
    const char* start = current().begin;
    take_list(Word::module);
    if (take(Word::instance)) {
      command.kind = CommandKind::module_instance;
      return instance_body(command.module);
    }
    if (take(Word::definition)) command.kind = CommandKind::module_definition;
    module_body(command.module, start);
  }

  void module(ScriptModule& result) {
    const char* start = current().begin;
    take_list(Word::module);
    take(Word::definition);
    module_body(result, start);
  }

  // What an assertion instantiates: "(module instance $name? $definition?)", or a module of its own.
  void instance(ScriptModule& result) {
    if (!at_list(Word::module)) return unexpected("(module");
    const char* start = current().begin;
    take_list(Word::module);
    if (take(Word::instance)) return instance_body(result);
    take(Word::definition);
    module_body(result, start);
  }

  // Behind "(module instance".
  void instance_body(ScriptModule& result) {
    result.form = ModuleForm::instance;
    result.name = optional_name();
    result.of = optional_name();
    expect_rpar();
  }

  // Behind "(module definition?"; the list begins at `start`.
  void module_body(ScriptModule& result, const char* start) {
    result.name = optional_name();
    const bool is_binary = at(Word::binary);
    if (is_binary || at(Word::quote)) {
      result.form = is_binary ? ModuleForm::binary : ModuleForm::quote;
      advance();
      while (at(TokenKind::string)) string(result.bytes, "a string");
      return expect_rpar("a string or )");
    }
    if (failed() || !lexer_.skip_list(start + 1)) {
      seek(lexer_.position());
      return unexpected(")");
    }
    result.part = {start, lexer_.position()};
    seek(lexer_.position());
  }

  void action(ScriptAction& result, bool may_be_module) {
    if (may_be_module && at_list(Word::module)) {
      result.kind = ActionKind::instantiate;
      return instance(result.module);
    }
    if (take_list(Word::invoke)) {
      result.kind = ActionKind::invoke;
    } else if (take_list(Word::get)) {
      result.kind = ActionKind::get;
    } else {
      return unexpected("(invoke or (get");
    }
    result.instance = optional_name();
    result.field = name("the name of an export");
    while (result.kind == ActionKind::invoke && at(TokenKind::lpar)) result.arguments.push_back(value(false));
    expect_rpar();
  }

  std::string thread_name() {
    if (!at(TokenKind::id)) unexpected("the thread's identifier");
    return optional_name();
  }

  void thread(ScriptCommand& command, int depth) {
    if (depth == wasm::kMaxScriptNesting) return fail(current().span(), "threads are nested too deeply");
    open(command, CommandKind::thread);
    command.name = thread_name();
    if (take_list(Word::shared)) {
      if (!take_list(Word::module)) return unexpected("(module");
      command.of = optional_name();
      expect_rpar();
      expect_rpar();
    }
    while (at(TokenKind::lpar)) this->command(command.commands, depth + 1);
    expect_rpar("a command or )");
  }

  // "(i32.const 1)", "(v128.const f32x4 nan:canonical 1 2 3)", "(ref.null func)", "(either ...)", ...
  ScriptValue value(bool is_pattern, bool is_alternative = false) {
    const char* start = current().begin;
    ScriptValue result;
    advance();
    const Token word = current();
    if (!at(TokenKind::keyword)) {
      unexpected("a constant");
      return result;
    }
    advance();
    if (word.keyword.is_op()) {
      constant(word.keyword.op(), result, is_pattern);
    } else {
      reference(word, result, is_pattern);
    }
    if (word.keyword == Keyword(Word::either)) {
      if (!is_pattern || is_alternative) unexpected(word, "a constant");
      result.kind = ValueKind::either;
      while (at(TokenKind::lpar)) result.alternatives.push_back(value(true, true));
    }
    const char* end = current().end;
    expect_rpar();
    if (!failed()) result.text = {start, end};
    return result;
  }

  void constant(wasm::Op op, ScriptValue& result, bool is_pattern) {
    using wasm::Op;
    switch (op) {
      case Op::i32_const:
        result.kind = ValueKind::i32;
        result.lanes = {{integer(32) & 0xFFFFFFFF}};
        return;
      case Op::i64_const:
        result.kind = ValueKind::i64;
        result.lanes = {{integer(64)}};
        return;
      case Op::f32_const:
        result.kind = ValueKind::f32;
        result.lanes = {float_lane(32, is_pattern)};
        return;
      case Op::f64_const:
        result.kind = ValueKind::f64;
        result.lanes = {float_lane(64, is_pattern)};
        return;
      case Op::v128_const:
        result.kind = ValueKind::v128;
        return vector(result, is_pattern);
      case Op::ref_null:
        result.kind = ValueKind::ref_null;
        if (!at(TokenKind::rpar)) result.heap = heap();
        return;
      case Op::ref_func:
        result.kind = ValueKind::ref_func;
        if (at_index()) advance();
        break;
      case Op::ref_eq:
        result.kind = ValueKind::ref_eq;
        break;
      case Op::ref_i31:
        result.kind = ValueKind::ref_i31;
        break;
      default:
        return unexpected("a constant");
    }
    if (!is_pattern) unexpected("a constant");
  }

  void reference(const Token& word, ScriptValue& result, bool is_pattern) {
    switch (word.keyword.word()) {
      case Word::ref_extern:
      case Word::ref_host:
        result.kind = word.keyword == Keyword(Word::ref_extern) ? ValueKind::ref_extern : ValueKind::ref_host;
        if (!is_pattern || at_unsigned()) result.number = unsigned_number("the number of a host reference");
        return;
      case Word::ref_any:
        result.kind = ValueKind::ref_any;
        break;
      case Word::ref_struct:
        result.kind = ValueKind::ref_struct;
        break;
      case Word::ref_array:
        result.kind = ValueKind::ref_array;
        break;
      case Word::ref_exn:
        result.kind = ValueKind::ref_exn;
        break;
      case Word::either:
        return;
      default:
        return unexpected(word, "a constant");
    }
    if (!is_pattern) unexpected(word, "a constant");
  }

  ScriptLane float_lane(unsigned bits, bool is_pattern) {
    if (is_pattern && take(Word::nan_canonical)) return {0, NanPattern::canonical};
    if (is_pattern && take(Word::nan_arithmetic)) return {0, NanPattern::arithmetic};
    return {float_bits(bits), NanPattern::none};
  }

  void vector(ScriptValue& result, bool is_pattern) {
    struct Shape {
      Word word;
      unsigned lanes;
      bool is_float;
    };
    static constexpr Shape kShapes[] = {{Word::i8x16, 16, false}, {Word::i16x8, 8, false}, {Word::i32x4, 4, false},
                                        {Word::i64x2, 2, false},  {Word::f32x4, 4, true},  {Word::f64x2, 2, true}};
    for (const Shape& shape : kShapes) {
      if (!take(shape.word)) continue;
      const unsigned bits = 128 / shape.lanes;
      const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
      for (unsigned i = 0; i < shape.lanes; ++i) {
        result.lanes.push_back(shape.is_float ? float_lane(bits, is_pattern) : ScriptLane{integer(bits) & mask});
      }
      return;
    }
    unexpected("the shape of a vector");
  }

  wasm::AbstractHeap heap() {
    using wasm::AbstractHeap;
    struct Row {
      Word word;
      AbstractHeap heap;
    };
    static constexpr Row kRows[] = {{Word::func, AbstractHeap::func},       {Word::nofunc, AbstractHeap::nofunc},
                                    {Word::extern_, AbstractHeap::extern_}, {Word::noextern, AbstractHeap::noextern},
                                    {Word::any, AbstractHeap::any},         {Word::eq, AbstractHeap::eq},
                                    {Word::i31, AbstractHeap::i31},         {Word::struct_, AbstractHeap::struct_},
                                    {Word::array, AbstractHeap::array},     {Word::none, AbstractHeap::none},
                                    {Word::exn, AbstractHeap::exn},         {Word::noexn, AbstractHeap::noexn}};
    for (const Row& row : kRows) {
      if (take(row.word)) return row.heap;
    }
    unexpected("an abstract heap type");
    return AbstractHeap::any;
  }

  std::string_view text_;
  const char* counted_ = text_.data();
  std::uint64_t line_ = 1;
};

}  // namespace

std::string_view name_of(CommandKind kind) {
  static constexpr std::string_view kNames[] = {"module",
                                                "module definition",
                                                "module instance",
                                                "register",
                                                "action",
                                                "assert_return",
                                                "assert_trap",
                                                "assert_exhaustion",
                                                "assert_exception",
                                                "assert_unlinkable",
                                                "assert_invalid",
                                                "assert_malformed",
                                                "assert_invalid_custom",
                                                "assert_malformed_custom",
                                                "thread",
                                                "wait"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<std::vector<ScriptCommand>> parse_script(std::string_view text) { return ScriptParser(text).run(); }

Result<std::vector<std::uint8_t>> encode(std::string_view script, const ScriptModule& module) {
  switch (module.form) {
    case ModuleForm::text:
      return encode_module(script, module.part);
    case ModuleForm::quote:
      return encode_module(module.bytes);
    case ModuleForm::instance:
      return wasi::fail(ErrorKind::argument, "an instance has no text: its module was defined before");
    case ModuleForm::binary:
      break;
  }
  return std::vector<std::uint8_t>(module.bytes.begin(), module.bytes.end());
}

}  // namespace wasi::text
