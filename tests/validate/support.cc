#include "validate/support.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "binary/decoder.h"
#include "support/wat.h"
#include "validate/validator.h"

namespace wasi::test {

namespace {

std::string describe(const Error& error, const wasm::Module* module) {
  std::string place = "an unknown place";
  if (error.offset) {
    place = fmt::format("{:#x}", *error.offset);
    if (module != nullptr && !module->bodies.empty()) {
      const wasm::FunctionBody& body = module->bodies[0];
      if (*error.offset >= body.offset && *error.offset <= body.offset + body.size) {
        place = fmt::format("body+{}", *error.offset - body.offset);
      }
    }
  }
  return fmt::format("{} at {}: {}", name_of(error.kind), place, error.message);
}

Result<std::shared_ptr<wasm::Module>> try_decode(Bytes bytes) {
  auto owner = std::make_shared<Bytes>(std::move(bytes));
  wasm::ModuleBytes module_bytes;
  module_bytes.data = *owner;
  module_bytes.owner = owner;
  return binary::decode_module(std::move(module_bytes), std::make_shared<wasm::TypeRegistry>());
}

}  // namespace

std::shared_ptr<wasm::Module> decode(Bytes bytes) {
  auto module = try_decode(std::move(bytes));
  if (!module) FAIL(module.error().to_string());
  return *module;
}

std::shared_ptr<wasm::Module> module_of(std::string_view text) {
  auto module = decode(wat(text, "--no-check"));
  const auto valid = validate::validate_module(*module);
  if (!valid) FAIL(valid.error().to_string());
  return module;
}

std::string verdict(Bytes bytes) {
  const auto module = try_decode(std::move(bytes));
  if (!module) return describe(module.error(), nullptr);
  auto valid = validate::validate_module(**module);
  if (valid) valid = validate::validate_functions(**module, 1);
  return valid ? "ok" : describe(valid.error(), module->get());
}

std::string verdict(std::string_view text) { return verdict(wat(text, "--no-check")); }

Bytes build(const Pieces& pieces) {
  Bytes bytes = hex("00 61 73 6d 01 00 00 00");
  const auto add = [&](SectionId id, const Bytes& payload) {
    if (!payload.empty()) bytes = join(bytes, section(id, payload));
  };
  add(kTypeSection, hex(pieces.types));
  add(kImportSection, hex(pieces.imports));
  add(kFunctionSection, hex(pieces.functions));
  add(kTableSection, hex(pieces.tables));
  add(kMemorySection, hex(pieces.memories));
  add(kTagSection, hex(pieces.tags));
  add(kGlobalSection, hex(pieces.globals));
  add(kExportSection, hex(pieces.exports));
  add(kElementSection, hex(pieces.elements));
  add(kDataCountSection, hex(pieces.data_count));
  if (!pieces.functions.empty()) {
    const Bytes body = sized(join(hex(pieces.locals), hex(pieces.body), hex("0b")));
    Bytes code = hex(pieces.functions).empty() ? Bytes{} : Bytes{hex(pieces.functions)[0]};
    for (int i = 0; i < hex(pieces.functions)[0]; ++i) code = join(code, body);
    add(kCodeSection, code);
  }
  add(kDataSection, hex(pieces.data));
  return bytes;
}

}  // namespace wasi::test
