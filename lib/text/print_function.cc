// Functions: the header, the locals, the body.
#include <cstdint>

#include "base/result.h"
#include "text/module_printer.h"
#include "text/print_literal.h"
#include "wasm/limits.h"

namespace wasi::text::detail {
namespace {

constexpr std::string_view kHints[] = {"(@metadata.code.branch_hint \"\\00\") ",
                                       "(@metadata.code.branch_hint \"\\01\") "};

}  // namespace

Result<void> ModulePrinter::code_section() {
  for (std::uint32_t i = 0; i < module_.bodies.size(); ++i) {
    if (out_.stopped()) return {};
    auto printed = function(module_.imported_functions + i);
    if (!printed) {
      printed.error().message += " (in function " + std::to_string(module_.imported_functions + i) + ")";
      return printed;
    }
  }
  return {};
}

Result<void> ModulePrinter::function(std::uint32_t index) {
  std::string& out = out_.text();
  const Identifiers locals = identifiers_.locals(index);
  const std::uint32_t type = module_.functions[index].value;
  out += "  (func";
  identifiers_.functions.append_definition(out, index);
  types_.append_type_use(out, type, &locals);

  const wasm::FunctionBody& body = module_.body(wasm::FuncIndex(index));
  base::ByteReader reader = reader_of(module_, {body.offset, body.size});
  WASI_TRY(this->locals(reader, types_.counts(type).params, locals));
  instructions_.begin_function(index, locals);
  body_.begin(2);
  bool is_empty = true;
  bool has_ended = false;
  while (reader.ok() && !has_ended && !out_.stopped()) {
    const auto hint = hints_.find(reader.offset());
    const Instruction instruction = instructions_.append(body_.text(), reader);
    if (!reader.ok()) break;
    has_ended = instruction.ends_all;
    if (has_ended) break;
    if (is_empty) out += '\n';
    is_empty = false;
    if (!body_.add(instruction, hint ? kHints[*hint] : std::string_view())) return too_large();
  }
  if (!reader.ok()) return std::unexpected(reader.take_error());
  body_.drop_text();
  body_.finish();
  if (!reader.at_end() && !out_.stopped()) {
    return fail_at(reader.offset(), ErrorKind::malformed, "END opcode expected: {} bytes follow the body's last end",
                   reader.remaining());
  }
  out += is_empty ? ")\n" : "  )\n";
  out_.checkpoint();
  return {};
}

Result<void> ModulePrinter::locals(base::ByteReader& reader, std::uint32_t params, const Identifiers& names) {
  std::string& out = out_.text();
  const std::uint64_t start = reader.offset();
  const std::uint32_t groups = reader.u32("count of local declarations");
  std::uint64_t declared = 0;
  bool is_open = false;
  std::string type;
  for (std::uint32_t i = 0; i < groups && reader.ok(); ++i) {
    const std::uint32_t count = reader.u32("count of locals");
    type.clear();
    types_.append_value_type(type, reader);
    if (declared + count > wasm::kMaxLocals) {
      return fail_at(start, ErrorKind::limit, "too many locals: {} are declared, {} are allowed", declared + count,
                     wasm::kMaxLocals);
    }
    for (std::uint32_t local = 0; local < count && reader.ok(); ++local, ++declared) {
      const auto index = static_cast<std::uint32_t>(params + declared);
      const bool is_named = names.has_name(index);
      if (is_open && is_named) out += ')';
      if (declared == 0) out += "\n   ";
      if (!is_open || is_named) out += " (local";
      if (is_named) names.append_id(out, index);
      out.append(" ").append(type);
      if (is_named) out += ')';
      is_open = !is_named;
    }
    out_.checkpoint();
  }
  if (is_open) out += ')';
  if (!reader.ok()) return std::unexpected(reader.take_error());
  return {};
}

}  // namespace wasi::text::detail
