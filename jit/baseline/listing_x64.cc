#include "jit/baseline/listing.h"

#include <fmt/format.h>

namespace wasi::jit::baseline {

Listing::Listing(Assembler& assembler) : assembler_(assembler) {
  logger_.setIndentation(asmjit::FormatIndentationGroup::kCode, 4);
  assembler_.setLogger(&logger_);
}

void Listing::begin(std::uint64_t offset, std::string_view text) {
  const std::string line = fmt::format("; {:x}: {}\n", offset, text);
  logger_.log(line.data(), line.size());
}

void Listing::begin(std::string_view text) {
  const std::string line = fmt::format("; {}\n", text);
  logger_.log(line.data(), line.size());
}

std::string Listing::take() {
  std::string text(logger_.data(), logger_.dataSize());
  logger_.clear();
  return text;
}

}  // namespace wasi::jit::baseline
