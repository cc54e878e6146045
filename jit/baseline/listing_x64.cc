#include "jit/baseline/listing.h"

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

Listing::Listing(Encoder& assembler) : assembler_(assembler) {
  logger_.setIndentation(asmjit::FormatIndentationGroup::kCode, 4);
  assembler_.setLogger(&logger_);
}

void Listing::begin(const wasm::Module& module, std::uint64_t offset) {
  base::ByteReader reader(module.bytes.data.subspan(offset), offset);
  const std::uint8_t byte = reader.u8("opcode");
  const wasm::Op op =
      wasm::is_prefix(byte) ? wasm::op_from_prefixed(byte, reader.u32("opcode")) : wasm::op_from_byte(byte);
  const std::string line = fmt::format("; {:x}: {}\n", offset, op == wasm::kNoOp ? "" : wasm::info(op).text);
  logger_.log(line.data(), line.size());
}

void Listing::begin(std::string_view text) {
  const std::string line = fmt::format("; {}\n", text);
  logger_.log(line.data(), line.size());
}

void Listing::targets(std::span<const asmjit::Label> labels) {
  std::string line = "    to";
  for (const asmjit::Label& label : labels) line += fmt::format(" L{}", label.id());
  line += '\n';
  logger_.log(line.data(), line.size());
}

std::string Listing::take() {
  std::string text(logger_.data(), logger_.dataSize());
  logger_.clear();
  return text;
}

}  // namespace wasi::jit::baseline
