#include "disas/module_text.h"

#include <catch2/catch.hpp>
#include <utility>

#include "base/byte_reader.h"
#include "binary/decoder.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::test {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == line.npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

LoadedModule load(std::string_view text) {
  LoadedModule loaded;
  auto bytes = text::encode_module(text);
  if (!bytes) FAIL(bytes.error().to_string());
  loaded.bytes = *std::move(bytes);
  auto module = binary::decode_module({loaded.bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) FAIL(module.error().to_string());
  loaded.module = *std::move(module);
  if (auto valid = validate::validate_module(*loaded.module); !valid) FAIL(valid.error().to_string());
  if (auto valid = validate::validate_functions(*loaded.module, 1); !valid) FAIL(valid.error().to_string());
  return loaded;
}

std::string Bodies::name_of(std::uint32_t function) const {
  std::string name;
  identifiers_.functions.append(name, function);
  return name;
}

std::map<std::uint64_t, std::string> Bodies::instructions(std::uint32_t function) {
  const text::Identifiers locals = identifiers_.locals(function);
  text::InstructionText text(module_, identifiers_, types_);
  const wasm::FunctionBody& body = module_.body(wasm::FuncIndex(function));
  base::ByteReader reader = text::reader_of(module_, {body.offset, body.size});
  std::string type;
  for (std::uint32_t groups = reader.u32("count of local declarations"); groups > 0; --groups) {
    static_cast<void>(reader.u32("count of locals"));
    types_.append_value_type(type, reader);
  }
  text.begin_function(function, locals);
  std::map<std::uint64_t, std::string> instructions;
  bool has_ended = false;
  while (!has_ended) {
    std::string& line = instructions[reader.offset()];
    has_ended = text.append(line, reader).ends_all;
    REQUIRE(reader.ok());
  }
  return instructions;
}

}  // namespace wasi::test
