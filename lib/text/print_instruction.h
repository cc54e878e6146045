// One instruction at a time: its name and immediates as text, and what it takes and gives.
//
// Keeps the labels that are open, so that branches can name them. How many operands an instruction takes serves
// folding alone: folded and flat text mean the same instructions in the same order, so nothing but looks rests on it,
// and a module need not be valid. Used for bodies, constant expressions and disassembly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_reader.h"
#include "binary/names.h"
#include "text/print_names.h"
#include "text/print_types.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

namespace wasi::text {

// How an instruction stands to blocks.
enum class BlockRole : std::uint8_t {
  plain,
  open,  // block, loop, if, try, try_table
  arm,   // else, catch, catch_all
  close  // end, delegate
};

struct Instruction {
  wasm::Op op = wasm::kNoOp;
  BlockRole role = BlockRole::plain;
  std::uint32_t takes = 0;  // operands; of `open` the block's parameters and the condition of `if`
  std::uint32_t gives = 0;  // results; of `close` those of the block
  bool ends_all = false;    // the `end` of the whole body or expression
};

class InstructionText {
 public:
  InstructionText(const wasm::Module& module, ModuleIdentifiers& identifiers, const TypeText& types)
      : module_(module), identifiers_(identifiers), types_(types) {}

  void begin_function(std::uint32_t function, const Identifiers& locals);
  void begin_expression();

  // Reads the next instruction and appends its text. The `end` of the whole and closing instructions in general have
  // text too. Failures stay in the reader: no instruction, or one that is out of place.
  Instruction append(std::string& out, base::ByteReader& reader);

  // Blocks that are open, the function's own included.
  [[nodiscard]] std::size_t depth() const { return labels_.size(); }

 private:
  struct Label {
    wasm::Op opener = wasm::Op::block;  // after an arm began: that arm's instruction
    std::uint32_t carries = 0;          // values of a branch to it
    std::uint32_t results = 0;
    std::string_view name;
    std::uint32_t shadows = 0;  // the label of the same name that it hides, by position; 0: none
  };

  void begin(std::uint32_t results);
  void open(std::string& out, base::ByteReader& reader, Instruction& instruction);
  void arm(std::string& out, base::ByteReader& reader, Instruction& instruction);
  void close(std::string& out, base::ByteReader& reader, Instruction& instruction);
  void immediates(std::string& out, base::ByteReader& reader, Instruction& instruction);
  void append_memarg(std::string& out, base::ByteReader& reader, const wasm::OpInfo& row);
  std::uint32_t append_label(std::string& out, base::ByteReader& reader);
  void append_catches(std::string& out, base::ByteReader& reader);
  void append_index(std::string& out, base::ByteReader& reader, const Identifiers& identifiers);
  void append_ref_type(std::string& out, base::ByteReader& reader, bool is_nullable);
  void push_label(std::string& out, wasm::Op opener);
  void pop_label();
  static void fail_place(base::ByteReader& reader, wasm::Op op);
  void count_operands(Instruction& instruction, std::uint32_t index, std::uint32_t index2);

  const wasm::Module& module_;
  ModuleIdentifiers& identifiers_;
  const TypeText& types_;
  const Identifiers* locals_ = nullptr;
  binary::NameMap label_names_;
  std::uint32_t blocks_ = 0;  // opened so far: label names are numbered so
  std::vector<Label> labels_;
  std::unordered_map<std::string_view, std::uint32_t> innermost_;  // position of the label that a name means
};

}  // namespace wasi::text
