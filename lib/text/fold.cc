#include "text/fold.h"

#include <algorithm>

#include "wasm/limits.h"

namespace wasi::text {
namespace {

constexpr std::uint32_t kLine = 100;         // columns that a folded line may have
constexpr std::uint32_t kShortest = 40;      // but this many however deep it stands
constexpr std::uint32_t kTooWide = 1 << 20;  // widths are not counted beyond it

std::uint32_t add_widths(std::uint32_t a, std::uint32_t b) { return std::min(a + b, kTooWide); }

std::string_view wrapper_of(wasm::Op opener) {
  return opener == wasm::Op::if_ ? "then" : opener == wasm::Op::try_ ? "do" : "";
}

}  // namespace

bool Folder::add(const Instruction& instruction, std::string_view annotation) {
  if (text_.size() > wasm::kMaxFoldedBytes) return false;
  Node node;
  node.begin = written_;
  node.size = static_cast<std::uint32_t>(text_.size()) - written_;
  node.gives = instruction.gives;
  node.op = instruction.op;
  node.role = instruction.role;
  node.annotation = annotation;
  written_ = static_cast<std::uint32_t>(text_.size());
  node.first = static_cast<std::uint32_t>(nodes_.size());
  node.width = add_widths(node.size + 2, static_cast<std::uint32_t>(annotation.size()));
  if (node.role == BlockRole::plain) {
    add_plain(node, instruction.takes);
  } else if (all_) {
    add_block(node, instruction.takes);
  } else {
    add_flat(node);
  }
  out_.checkpoint();
  return true;
}

// --- building

std::uint32_t Folder::find_operands(std::uint32_t end, std::uint32_t count) const {
  std::uint32_t begin = end;
  std::uint64_t found = 0;
  while (found < count) {
    if (begin <= barrier_) return end;
    const Node& operand = nodes_[begin - 1];
    if (operand.gives == 0) return end;
    found += operand.gives;
    begin = operand.first;
  }
  return found == count ? begin : end;
}

std::uint32_t Folder::width_of_operands(std::uint32_t begin, std::uint32_t end) const {
  std::uint32_t width = 0;
  while (end > begin) {
    const Node& operand = nodes_[end - 1];
    width = add_widths(width, operand.width + 1);
    end = operand.first;
  }
  return width;
}

void Folder::add_plain(Node node, std::uint32_t takes) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  const std::uint32_t first = find_operands(index, takes);
  const std::uint32_t width = add_widths(node.width, width_of_operands(first, index));
  bool is_folded = takes == 0 || first != index;
  if (!all_ && !fits(width, depth_)) is_folded = takes == 0;
  if (is_folded) {
    node.first = first;
    node.width = width;
  } else {
    // Its operands stand above it; as an operand itself it would seem to have none.
    barrier_ = index + 1;
  }
  nodes_.push_back(node);
  if (!all_ && (!is_folded || node.gives == 0)) finish();
}

void Folder::add_flat(Node node) {
  write_trees();
  if (node.role != BlockRole::open && depth_ != 0) --depth_;
  write_line(node);
  if (node.role != BlockRole::close) ++depth_;
  clear();
}

void Folder::add_block(Node node, std::uint32_t takes) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  switch (node.role) {
    case BlockRole::open: {
      const bool is_if = node.op == wasm::Op::if_;
      if (is_if) node.first = find_operands(index, 1);
      // Parameters stay outside, below the block, and are not there any more behind it.
      open_.push_back({index, takes > (is_if ? 1U : 0U) ? index : barrier_});
      barrier_ = index + 1;
      node.gives = 0;
      break;
    }
    case BlockRole::close: {
      const OpenBlock block = open_.back();
      open_.pop_back();
      node.opener = block.node;
      node.first = nodes_[block.node].first;
      nodes_.push_back(node);
      nodes_.back().width = block_width(node);
      barrier_ = block.barrier;
      return;
    }
    default:
      barrier_ = index + 1;
      node.gives = 0;
  }
  nodes_.push_back(node);
}

std::uint32_t Folder::block_width(const Node& node) const {
  const Node& opener = nodes_[node.opener];
  std::uint32_t width = opener.width + width_of_operands(opener.first, node.opener);
  const std::string_view wrapper = wrapper_of(opener.op);
  if (!wrapper.empty()) width += static_cast<std::uint32_t>(wrapper.size()) + 3;
  if (node.op == wasm::Op::delegate) width += node.size + 3;
  // The node itself is the last; arms are as wide as a segment's parentheses and text.
  std::uint32_t trees = 0;
  for (auto end = static_cast<std::uint32_t>(nodes_.size()) - 1; end > node.opener + 1; end = nodes_[end - 1].first) {
    const Node& part = nodes_[end - 1];
    width = add_widths(width, part.width + 1);
    trees = part.role == BlockRole::arm ? 0 : trees + 1;
    if (trees > 1) return kTooWide;  // several instructions after another read better below each other
  }
  return width;
}

// --- writing

bool Folder::fits(std::uint32_t width, std::size_t depth) const {
  const auto columns = static_cast<std::uint32_t>(Output::columns(depth));
  return width <= std::max(kShortest, kLine - std::min(kLine, columns));
}

const std::vector<std::uint32_t>& Folder::trees() {
  trees_.clear();
  for (auto end = static_cast<std::uint32_t>(nodes_.size()); end > 0; end = nodes_[end - 1].first) {
    trees_.push_back(end - 1);
  }
  std::ranges::reverse(trees_);
  return trees_;
}

void Folder::clear() {
  nodes_.clear();
  text_.clear();
  written_ = 0;
  barrier_ = 0;
}

void Folder::write_line(const Node& node) {
  out_.indent(depth_);
  out_.text().append(node.annotation).append(text_of(node)) += '\n';
  out_.checkpoint();
}

void Folder::finish() {
  write_trees();
  clear();
}

void Folder::write_trees() {
  for (const std::uint32_t root : trees()) {
    if (!all_ && nodes_[root].first == root) {
      write_line(nodes_[root]);
      continue;
    }
    out_.indent(depth_);
    write_tree(root, !all_);
    out_.text() += '\n';
    out_.checkpoint();
  }
}

void Folder::finish_line() {
  for (const std::uint32_t root : trees()) {
    out_.text() += ' ';
    write_tree(root, true);
  }
  clear();
}

void Folder::lead(const Step& step) {
  if (step.in_line) {
    out_.text() += ' ';
  } else {
    out_.text() += '\n';
    out_.indent(step.depth);
  }
}

void Folder::write_tree(std::uint32_t root, bool in_line) {
  std::string& out = out_.text();
  steps_.push_back({Step::Kind::tree, in_line, root, depth_});
  bool is_root = true;
  while (!steps_.empty()) {
    const Step step = steps_.back();
    steps_.pop_back();
    if (step.kind == Step::Kind::end) {
      out += ')';
      continue;
    }
    if (step.kind == Step::Kind::end_of_block) {
      if (!step.in_line) lead(step);
      out += ')';
      continue;
    }
    if (!is_root) lead(step);
    is_root = false;
    const Node& node = nodes_[step.node];
    if (step.kind == Step::Kind::tree) {
      out.append(node.role == BlockRole::close ? nodes_[node.opener].annotation : node.annotation);
    }
    out += '(';
    if (step.kind == Step::Kind::segment) {
      out.append(node.role == BlockRole::open ? wrapper_of(node.op) : text_of(node));
      continue;
    }
    const bool fits_here = step.in_line || fits(node.width, step.depth);
    if (node.role == BlockRole::close) {
      out.append(text_of(nodes_[node.opener]));
      push_block(step.node, fits_here, step.depth);
    } else {
      out.append(text_of(node));
      steps_.push_back({Step::Kind::end, true, 0, 0});
      push_operands(node.first, step.node, fits_here, step.depth + 1);
    }
    out_.checkpoint();
  }
}

// The last operand first, since steps are taken from the back.
void Folder::push_operands(std::uint32_t begin, std::uint32_t end, bool in_line, std::size_t depth) {
  while (end > begin) {
    steps_.push_back({Step::Kind::tree, in_line, end - 1, depth});
    end = nodes_[end - 1].first;
  }
}

void Folder::push_block(std::uint32_t close, bool in_line, std::size_t depth) {
  const std::uint32_t opener = nodes_[close].opener;
  const bool is_wrapped = !wrapper_of(nodes_[opener].op).empty();
  const std::size_t inner = is_wrapped ? depth + 2 : depth + 1;
  steps_.push_back({Step::Kind::end_of_block, in_line, 0, depth});
  if (nodes_[close].op == wasm::Op::delegate) {
    steps_.push_back({Step::Kind::end, true, 0, 0});
    steps_.push_back({Step::Kind::segment, in_line, close, depth + 1});
  }
  const Step end_of_segment{Step::Kind::end_of_block, in_line, 0, depth + 1};
  if (is_wrapped) steps_.push_back(end_of_segment);
  for (std::uint32_t end = close; end > opener + 1;) {
    const Node& node = nodes_[end - 1];
    if (node.role == BlockRole::arm) {
      steps_.push_back({Step::Kind::segment, in_line, end - 1, depth + 1});
      steps_.push_back(end_of_segment);
    } else {
      steps_.push_back({Step::Kind::tree, in_line, end - 1, inner});
    }
    end = node.first;
  }
  if (is_wrapped) steps_.push_back({Step::Kind::segment, in_line, opener, depth + 1});
  // A condition stands beside its `if` where there is room.
  const Node& block = nodes_[opener];
  const bool fits_beside = in_line || fits(add_widths(block.width, width_of_operands(block.first, opener)), depth);
  push_operands(block.first, opener, fits_beside, depth + 1);
}

}  // namespace wasi::text
