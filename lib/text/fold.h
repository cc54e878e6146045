// Lays out instructions: which become operands of which, and what goes into a line.
//
// Folded text stands for its instructions in the order operands first, so any instructions that directly precede
// another one can be folded into it without a change of meaning. They are when their results are as many as the
// instruction takes. By default only what fits into a line is folded and blocks stay flat; with `all` every expression
// and block is one tree.
//
// Instructions are nodes in their own order; a node's operands, and theirs, are the nodes from `first` up to it. No
// recursion: nesting is as deep as the input likes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "text/print_instruction.h"
#include "text/print_output.h"

namespace wasi::text {

class Folder {
 public:
  // Lines begin at `depth` levels of indentation.
  Folder(Output& out, bool all) : out_(out), all_(all) {}

  void begin(std::size_t depth) { depth_ = depth; }
  // The text of the next instruction is appended here ...
  std::string& text() { return text_; }
  // ... or dropped ...
  void drop_text() { text_.resize(written_); }
  // ... or becomes an instruction, with `annotation` in front. False where it would take too much memory.
  bool add(const Instruction& instruction, std::string_view annotation = {});
  // Writes all that has not been written.
  void finish();
  // The same within a line, a space before each tree: for constant expressions.
  void finish_line();
  // The instructions so far are one tree.
  [[nodiscard]] bool is_one_tree() const { return !nodes_.empty() && nodes_.back().first == 0; }

 private:
  struct Node {
    std::uint32_t begin = 0;  // of its text
    std::uint32_t size = 0;
    std::uint32_t first = 0;
    std::uint32_t width = 0;  // of the tree in one line, parentheses included
    std::uint32_t gives = 0;
    std::uint32_t opener = 0;  // of a close
    std::string_view annotation;
    wasm::Op op = wasm::Op::nop;
    BlockRole role = BlockRole::plain;
  };
  struct OpenBlock {
    std::uint32_t node;
    std::uint32_t barrier;  // what holds again behind it
  };
  // What is left to be written of a tree.
  struct Step {
    enum class Kind : std::uint8_t { tree, segment, end, end_of_block };
    Kind kind;
    bool in_line;
    std::uint32_t node;  // of a tree; of a segment its arm, or the opener
    std::size_t depth;
  };

  void add_plain(Node node, std::uint32_t takes);
  void add_flat(Node node);
  void add_block(Node node, std::uint32_t takes);
  // The first node of the operands that end before `end` and give `count` values; `end` where there are none such.
  [[nodiscard]] std::uint32_t find_operands(std::uint32_t end, std::uint32_t count) const;
  [[nodiscard]] std::uint32_t width_of_operands(std::uint32_t begin, std::uint32_t end) const;
  [[nodiscard]] std::uint32_t block_width(const Node& node) const;
  [[nodiscard]] std::string_view text_of(const Node& node) const {
    return std::string_view(text_).substr(node.begin, node.size);
  }
  [[nodiscard]] bool fits(std::uint32_t width, std::size_t depth) const;
  const std::vector<std::uint32_t>& trees();
  void write_trees();
  void write_line(const Node& node);
  void write_tree(std::uint32_t root, bool in_line);
  void push_operands(std::uint32_t begin, std::uint32_t end, bool in_line, std::size_t depth);
  void push_block(std::uint32_t close, bool in_line, std::size_t depth);
  void lead(const Step& step);
  void clear();

  Output& out_;
  const bool all_;
  std::size_t depth_ = 0;
  std::string text_;
  std::uint32_t written_ = 0;  // of text_ that belongs to nodes
  std::vector<Node> nodes_;
  std::uint32_t barrier_ = 0;  // nodes below it are operands of nothing that comes
  std::vector<OpenBlock> open_;
  std::vector<Step> steps_;
  std::vector<std::uint32_t> trees_;
};

}  // namespace wasi::text
