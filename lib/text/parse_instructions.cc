// Sequences of instructions, plain and folded, with a stack of our own: texts may nest as deep as they like.
//
// A folded instruction's bytes wait in pending_ until its operands are written. What can come next depends on the
// innermost frame alone.
// Source: https://webassembly.github.io/spec/core/text/instructions.html
#include <fmt/format.h>

#include "text/module_parser.h"

namespace wasi::text {

using wasm::Op;

// Up to the parenthesis that closes the list around the instructions, or exactly one folded instruction.
void ModuleParser::instructions(ByteWriter& out, bool is_single) {
  out_ = &out;
  frames_.clear();
  pending_.clear();
  labels_.clear();
  label_ids_.clear();
  do {
    if (has_annotation()) [[unlikely]]
      hint_annotations();
    if (at(TokenKind::lpar)) {
      folded();
    } else if (at(TokenKind::keyword) && is_sequence() && !(is_single && frames_.empty())) {
      plain();
    } else if (at(TokenKind::rpar) && !frames_.empty()) {
      close_list();
    } else if (at(TokenKind::rpar) && !is_single) {
      break;
    } else {
      unexpected(what_follows());
    }
    if (hint_) [[unlikely]]
      fail(hint_span_, "@metadata.code.branch_hint annotation: invalid target, expected if or br_if",
           ErrorKind::invalid);
  } while (!failed() && !(is_single && frames_.empty()));
  if (hint_ && !failed()) fail(hint_span_, "misplaced @metadata.code.branch_hint annotation");
}

const char* ModuleParser::what_follows() const {
  if (frames_.empty()) return "an instruction or )";
  switch (frames_.back().kind) {
    case FrameKind::operands:
      return "( and an instruction, or )";
    case FrameKind::condition:
      return "( and an instruction, or (then";
    case FrameKind::after_then:
      return "(else or )";
    case FrameKind::before_do:
      return "(do";
    case FrameKind::after_do:
      return "(catch, (catch_all, (delegate or )";
    case FrameKind::after_else:
    case FrameKind::after_all:
    case FrameKind::after_delegate:
      return ")";
    case FrameKind::flat_block:
    case FrameKind::flat_else:
    case FrameKind::flat_catch_all:
      return "an instruction or end";
    case FrameKind::flat_if:
      return "an instruction, else or end";
    case FrameKind::flat_try:
      return "an instruction, catch, catch_all, delegate or end";
    default:
      return "an instruction or )";
  }
}

// An instruction that is not folded.
void ModuleParser::plain() {
  const Op op = current().keyword.op();
  if (marks_ != nullptr) [[unlikely]]
    body_marks_.push_back({0, static_cast<std::uint32_t>(out_->size()), current().begin});
  if (op == wasm::kNoOp) return unexpected(what_follows());
  switch (op) {
    case Op::block:
    case Op::loop:
    case Op::try_table:
      return plain_block(op, FrameKind::flat_block);
    case Op::if_:
      return plain_block(op, FrameKind::flat_if);
    case Op::try_:
      return plain_block(op, FrameKind::flat_try);
    case Op::else_:
      return plain_else();
    case Op::end:
      return plain_end();
    case Op::catch_:
    case Op::catch_all:
      return plain_catch(op);
    case Op::delegate:
      return plain_delegate();
    default:
      if (hint_ && op == Op::br_if) [[unlikely]] {
        hints_.push_back({static_cast<std::uint32_t>(out_->size()), *hint_});
        hint_.reset();
      }
      advance();
      instruction(op, *out_);
  }
}

void ModuleParser::plain_block(Op op, FrameKind kind) {
  if (hint_ && op == Op::if_) [[unlikely]] {
    hints_.push_back({static_cast<std::uint32_t>(out_->size()), *hint_});
    hint_.reset();
  }
  advance();
  const Label name = optional_label();
  out_->op(op);
  block_type(*out_);
  if (op == Op::try_table) catches(*out_);
  push_label(name);
  frames_.push_back({.kind = kind});
}

// A label may be repeated behind else, end, catch and delegate.
void ModuleParser::end_label(std::string_view label) {
  if (!at(TokenKind::id)) return;
  const Token token = current();
  if (optional_identifier() != label || label.empty()) {
    fail(token.span(), fmt::format("mismatching label {}: expected {}", token.text(),
                                   label.empty() ? std::string("none") : fmt::format("${}", label)));
  }
}

void ModuleParser::plain_else() {
  if (frames_.empty() || frames_.back().kind != FrameKind::flat_if) return unexpected(what_follows());
  advance();
  end_label(labels_.back().name);
  out_->op(Op::else_);
  frames_.back().kind = FrameKind::flat_else;
}

void ModuleParser::plain_end() {
  if (frames_.empty() || frames_.back().kind < FrameKind::flat_block) return unexpected(what_follows());
  advance();
  end_label(pop_label());
  out_->op(Op::end);
  frames_.pop_back();
}

void ModuleParser::plain_catch(Op op) {
  if (frames_.empty() || frames_.back().kind != FrameKind::flat_try) return unexpected(what_follows());
  advance();
  out_->op(op);
  if (op == Op::catch_) {
    out_->u32(index(Space::tag));
  } else {
    end_label(labels_.back().name);
    frames_.back().kind = FrameKind::flat_catch_all;
  }
}

// Its label counts from outside of the block that it ends.
void ModuleParser::plain_delegate() {
  if (frames_.empty() || frames_.back().kind != FrameKind::flat_try) return unexpected(what_follows());
  advance();
  (void)pop_label();
  out_->op(Op::delegate);
  out_->u32(label());
  frames_.pop_back();
}

// At "(".
void ModuleParser::folded() {
  advance();
  if (has_annotation()) [[unlikely]]
    hint_annotations();
  if (!at(TokenKind::keyword)) return unexpected(what_follows());
  const bool wants_instruction = is_sequence() || frames_.back().kind == FrameKind::operands ||
                                 (frames_.back().kind == FrameKind::condition && !at(Word::then));
  if (!wants_instruction) return folded_clause();
  const Op op = current().keyword.op();
  if (op == wasm::kNoOp) return unexpected(what_follows());
  folded_instruction(op);
}

void ModuleParser::folded_instruction(Op op) {
  Frame frame{.kind = FrameKind::block, .pos = current().begin};
  if (hint_ && (op == Op::br_if || op == Op::if_)) [[unlikely]] {
    frame.has_hint = true;
    frame.hint = *hint_;
    hint_.reset();
  }
  switch (op) {
    case Op::block:
    case Op::loop:
    case Op::try_table:
    case Op::try_: {
      if (marks_ != nullptr) [[unlikely]]
        body_marks_.push_back({0, static_cast<std::uint32_t>(out_->size()), frame.pos});
      advance();
      const Label name = optional_label();
      out_->op(op);
      block_type(*out_);
      if (op == Op::try_table) catches(*out_);
      push_label(name);
      if (op == Op::try_) frame.kind = FrameKind::before_do;
      return frames_.push_back(frame);
    }
    case Op::if_:
      advance();
      frame.kind = FrameKind::condition;
      frame.label = optional_label();
      frame.pending = static_cast<std::uint32_t>(pending_.size());
      pending_.op(op);
      block_type(pending_);
      return frames_.push_back(frame);
    case Op::else_:
    case Op::end:
    case Op::catch_:
    case Op::catch_all:
    case Op::delegate:
      return unexpected(what_follows());
    default:
      break;
  }
  advance();
  // Most have no operands in the list, and are written at once.
  const std::size_t start = out_->size();
  instruction(op, *out_);
  if (at(TokenKind::rpar) && !has_annotation()) {
    advance();
    if (frame.has_hint) hints_.push_back({static_cast<std::uint32_t>(start), frame.hint});
    if (marks_ != nullptr) [[unlikely]]
      body_marks_.push_back({0, static_cast<std::uint32_t>(start), frame.pos});
    return;
  }
  frame.kind = FrameKind::operands;
  frame.pending = static_cast<std::uint32_t>(pending_.size());
  pending_.append(out_->bytes().subspan(start));
  out_->truncate(start);
  frames_.push_back(frame);
}

// Writes the instruction that waited for its operands.
void ModuleParser::emit(const Frame& frame) {
  const auto at = static_cast<std::uint32_t>(out_->size());
  if (frame.has_hint) [[unlikely]]
    hints_.push_back({at, frame.hint});
  if (marks_ != nullptr) [[unlikely]]
    body_marks_.push_back({0, at, frame.pos});
  out_->append(pending_.bytes().subspan(frame.pending));
  pending_.truncate(frame.pending);
}

// At the word behind "(" where no instruction can stand: the parts of if and try.
void ModuleParser::folded_clause() {
  Frame& frame = frames_.back();
  const Token word = current();
  switch (frame.kind) {
    case FrameKind::condition:  // then
      emit(frame);
      push_label(frame.label);
      frame.kind = FrameKind::then;
      break;
    case FrameKind::after_then:
      if (word.keyword != Keyword(Op::else_)) return unexpected(what_follows());
      out_->op(Op::else_);
      frame.kind = FrameKind::else_;
      break;
    case FrameKind::before_do:
      if (word.keyword != Keyword(Word::do_)) return unexpected(what_follows());
      frame.kind = FrameKind::do_;
      break;
    case FrameKind::after_do:
      if (word.keyword == Keyword(Op::catch_)) {
        advance();
        out_->op(Op::catch_);
        out_->u32(index(Space::tag));
        frame.kind = FrameKind::catch_;
        return;
      }
      if (word.keyword == Keyword(Op::delegate) && !frame.has_catch) {
        advance();
        (void)pop_label();
        out_->op(Op::delegate);
        out_->u32(label());
        expect_rpar();
        frame.kind = FrameKind::after_delegate;
        return;
      }
      if (word.keyword != Keyword(Op::catch_all)) return unexpected(what_follows());
      out_->op(Op::catch_all);
      frame.kind = FrameKind::catch_all;
      break;
    default:
      return unexpected(word, what_follows());
  }
  advance();
}

// At ")" with a frame open.
void ModuleParser::close_list() {
  Frame& frame = frames_.back();
  switch (frame.kind) {
    case FrameKind::operands:
      emit(frame);
      frames_.pop_back();
      break;
    case FrameKind::then:
      frame.kind = FrameKind::after_then;
      break;
    case FrameKind::else_:
      frame.kind = FrameKind::after_else;
      break;
    case FrameKind::do_:
      frame.kind = FrameKind::after_do;
      break;
    case FrameKind::catch_:
      frame.has_catch = true;
      frame.kind = FrameKind::after_do;
      break;
    case FrameKind::catch_all:
      frame.kind = FrameKind::after_all;
      break;
    case FrameKind::block:
    case FrameKind::after_then:
    case FrameKind::after_else:
    case FrameKind::after_do:
    case FrameKind::after_all:
      (void)pop_label();
      out_->op(Op::end);
      frames_.pop_back();
      break;
    case FrameKind::after_delegate:
      frames_.pop_back();
      break;
    default:
      return unexpected(what_follows());
  }
  advance();
}

// "$l (@name "another")?"
ModuleParser::Label ModuleParser::optional_label() {
  Label label;
  label.name = optional_identifier();
  label.shown = label.name;
  if (auto annotated = name_annotation()) label.shown = intern(*std::move(annotated));
  return label;
}

void ModuleParser::push_label(Label label) {
  const auto number = static_cast<std::uint32_t>(labels_.size());
  label.outer = label.name.empty() ? IdMap::kAbsent : label_ids_.exchange(label.name, number);
  labels_.push_back(label);
  const std::uint32_t ordinal = label_count_++;
  if (!in_function_ || label.shown.empty()) return;
  ++function_label_names_.count;
  function_label_names_.bytes.u32(ordinal);
  function_label_names_.bytes.name(label.shown);
}

std::string_view ModuleParser::pop_label() {
  const Label label = labels_.back();
  labels_.pop_back();
  if (!label.name.empty()) (void)label_ids_.exchange(label.name, label.outer);
  return label.name;
}

// How many blocks lie between here and the one that is meant.
std::uint32_t ModuleParser::label() {
  if (!at(TokenKind::id)) return u32("a label");
  const std::uint32_t number = label_ids_.find(identifier(current()));
  if (number == IdMap::kAbsent) {
    fail(current().span(), fmt::format("unknown label {}", current().text().substr(0, 60)));
    return 0;
  }
  advance();
  return static_cast<std::uint32_t>(labels_.size()) - 1 - number;
}

}  // namespace wasi::text
