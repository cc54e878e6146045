// Modules that are wrong, one class of mistake per case: the message, and the offset of what is wrong.
// The classes and the beginnings of the messages are those of the official suite's binary*.wast.
#include "binary/support.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::join;
using test::section;
using test::vec;

const test::Bytes kOneType = section(test::kTypeSection, vec({hex("60 00 00")}));
const test::Bytes kOneFunction = section(test::kFunctionSection, vec({hex("00")}));
const test::Bytes kOneBody = section(test::kCodeSection, vec({hex("02 00 0b")}));

// Message for a module of one section.
std::string error_in(test::SectionId id, std::string_view payload) {
  return error_of(test::module({section(id, hex(payload))}));
}

TEST_CASE("headers") {
  CHECK(error_of(hex("")) ==
        "malformed module at offset 0x0: unexpected end: the file is empty, expected a WebAssembly module");
  CHECK(error_of(hex("00 61 73")) ==
        "malformed module at offset 0x0: unexpected end of module: expected 4 bytes of magic header, found 3");
  CHECK(error_of(hex("00 61 73 6d")) == "malformed module at offset 0x4: unexpected end of module: expected version");
  CHECK(error_of(hex("00 41 53 4d 01 00 00 00")) ==
        "malformed module at offset 0x0: magic header not detected: expected the bytes 00 61 73 6d (\"\\0asm\")");
  CHECK(error_of(hex("00 61 73 6d 00 01 00 00")) ==
        "malformed module at offset 0x4: unknown binary version: found 0x100, expected 0x1");
  CHECK(
      error_of(hex("00 61 73 6d 0d 00 01 00")) ==
      "malformed module at offset 0x4: unknown binary version: this is a WebAssembly component: components are not "
      "supported yet, core modules are; build it for wasm32-wasip1, or unpack its core module by `wasm-tools component "
      "unbundle`");
}

TEST_CASE("section ids and sizes") {
  CHECK(error_of(test::module({hex("0e 01 00")})) ==
        "malformed module at offset 0x8: malformed section id: found 14, expected at most 13");
  CHECK(error_of(test::module({hex("80 01 00 01 01 00")})) ==
        "malformed module at offset 0x8: malformed section id: found 128, expected at most 13");
  CHECK(error_of(test::module({hex("01")})) ==
        "malformed module at offset 0x9: unexpected end of module: expected section size");
  CHECK(error_of(test::module({hex("01 05 00")})) ==
        "malformed module at offset 0x9: length out of bounds: the type section claims 5 bytes, but only 1 are left");
  CHECK(error_of(test::module({hex("00 00")})) ==
        "malformed module at offset 0xa: unexpected end of section or function: expected name of a custom section");
  CHECK(error_of(test::module({hex("01 ff ff ff ff 7f")})) ==
        "malformed module at offset 0x9: integer too large: expected section size of 32 bits");
  CHECK(error_in(test::kTypeSection, "01 60 00 00 60 00 00") ==
        "malformed module at offset 0xe: section size mismatch: the type section claims 7 bytes, its contents end "
        "after 4");
  CHECK(error_in(test::kTypeSection, "02 60 00 00") ==
        "malformed module at offset 0xe: unexpected end of section or function: expected type definition");
  CHECK(error_in(test::kMemorySection, "05 00 01") ==
        "malformed module at offset 0xa: unexpected end of section or function: number of memories is 5, but only 2 "
        "bytes are left");
}

TEST_CASE("every section that is not custom stands once") {
  for (int id = test::kTypeSection; id <= test::kTagSection; ++id) {
    const bool is_number = id == test::kStartSection || id == test::kDataCountSection;
    const test::Bytes once = section(static_cast<test::SectionId>(id), is_number ? hex("00") : hex("00"));
    INFO("section " << id);
    CHECK(error_of(test::module({once})) == "decoded");
    CHECK(error_of(test::module({once, once}))
              .starts_with("malformed module at offset 0xb: unexpected content after last section: a "));
  }
}

TEST_CASE("every pair of sections stands in one order") {
  const int order[] = {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    for (std::size_t j = i + 1; j < std::size(order); ++j) {
      const test::Bytes first = section(static_cast<test::SectionId>(order[i]), hex("00"));
      const test::Bytes second = section(static_cast<test::SectionId>(order[j]), hex("00"));
      INFO(order[i] << " before " << order[j]);
      CHECK(error_of(test::module({first, second})) == "decoded");
      CHECK(error_of(test::module({second, first})).find("unexpected content after last section") != std::string::npos);
    }
  }
  CHECK(error_of(test::module({section(test::kGlobalSection, hex("00")), section(test::kTagSection, hex("00"))})) ==
        "malformed module at offset 0xb: unexpected content after last section: a tag section may not stand behind the "
        "global section");
}

TEST_CASE("functions and bodies are equally many") {
  CHECK(error_of(test::module({kOneType, kOneFunction})) ==
        "malformed module at offset 0x12: function and code section have inconsistent lengths: 1 functions are "
        "declared, 0 have a body");
  CHECK(error_of(test::module({kOneBody})) ==
        "malformed module at offset 0xa: function and code section have inconsistent lengths: 0 functions are "
        "declared, 1 have a body");
  CHECK(error_of(test::module({kOneType, kOneFunction, kOneBody})) == "decoded");
}

TEST_CASE("data count and data segments are equally many") {
  const test::Bytes two = section(test::kDataCountSection, hex("02"));
  const test::Bytes one = section(test::kDataSection, vec({hex("01 00")}));
  CHECK(error_of(test::module({two, one})) ==
        "malformed module at offset 0xd: data count and data section have inconsistent lengths: 2 segments are "
        "counted, 1 are given");
  CHECK(error_of(test::module({two})) ==
        "malformed module at offset 0xb: data count and data section have inconsistent lengths: 2 segments are "
        "counted, 0 are given");
}

TEST_CASE("names and kinds of imports and exports") {
  CHECK(error_in(test::kImportSection, "01 00 00 05 00") ==
        "malformed module at offset 0xd: malformed import kind: found 0x05, expected 0x00 (function), 0x01 (table), "
        "0x02 (memory), 0x03 (global) or 0x04 (tag)");
  CHECK(error_in(test::kImportSection, "01 02 61 ff 00 00 00") ==
        "malformed module at offset 0xc: malformed UTF-8 encoding: module name of an import");
  CHECK(error_in(test::kImportSection, "01 00 7f 61 00 00") ==
        "malformed module at offset 0xd: length out of bounds: name of an import of 127 bytes claimed, 3 are left");
  CHECK(error_in(test::kImportSection, "01 00 00 00 00") ==
        "invalid module at offset 0xe: unknown type 0: 0 types are known here");
  CHECK(error_in(test::kExportSection, "01 00 05 00") ==
        "malformed module at offset 0xc: malformed export kind: found 0x05, expected 0x00 (function), 0x01 (table), "
        "0x02 (memory), 0x03 (global) or 0x04 (tag)");
  CHECK(error_in(test::kCustomSection, "01 80") ==
        "malformed module at offset 0xb: malformed UTF-8 encoding: name of a custom section");
}

TEST_CASE("functions and tags need function types") {
  CHECK(error_of(test::module({kOneType, section(test::kFunctionSection, vec({hex("01")}))})) ==
        "invalid module at offset 0x11: unknown type 1: 1 types are known here");
  const test::Bytes structure = section(test::kTypeSection, vec({hex("5f 00")}));
  CHECK(error_of(test::module({structure, section(test::kFunctionSection, vec({hex("00")}))})) ==
        "invalid module at offset 0x10: type mismatch: type 0 of a function is no function type");
  CHECK(error_of(test::module({structure, section(test::kTagSection, vec({hex("00 00")}))})) ==
        "invalid module at offset 0x11: type mismatch: type 0 of a tag is no function type");
  CHECK(error_of(test::module({kOneType, section(test::kTagSection, vec({hex("01 00")}))})) ==
        "malformed module at offset 0x11: malformed tag attribute: found 0x01, zero byte expected");
}

TEST_CASE("limits, mutability and reference types") {
  CHECK(error_in(test::kMemorySection, "01 08 00 40") ==
        "malformed module at offset 0xd: invalid custom page size: 2^64, expected 2^0 or 2^16");
  CHECK(error_in(test::kMemorySection, "01 10 00") ==
        "malformed module at offset 0xb: malformed limits flags: found 0x10, expected bits of 0x0f");
  CHECK(error_in(test::kMemorySection, "01 81 00 00 00") ==
        "malformed module at offset 0xb: malformed limits flags: found 0x81, expected bits of 0x0f");
  CHECK(error_in(test::kTableSection, "01 70 08 00 00") ==
        "malformed module at offset 0xc: malformed limits flags: found 0x08, expected bits of 0x05");
  CHECK(error_in(test::kTableSection, "01 70 03 00 00") ==
        "malformed module at offset 0xc: malformed limits flags: found 0x03 (tables cannot be shared), expected bits "
        "of 0x05");
  CHECK(error_in(test::kTableSection, "01 7f 00 00") ==
        "malformed module at offset 0xb: malformed reference type: found byte 0x7f");
  CHECK(error_in(test::kTableSection, "01 40 01 70 00 00") ==
        "malformed module at offset 0xc: zero byte expected: found 0x01 in a table with initialiser");
  CHECK(error_in(test::kGlobalSection, "01 7f 04 41 00 0b") ==
        "malformed module at offset 0xc: malformed mutability: found 0x04, expected 0x00 or 0x01");
  CHECK(error_in(test::kMemorySection, "01 00 82 80 80 80 80 80 80 80 80 80 00") ==
        "malformed module at offset 0xc: integer representation too long: expected minimum size of 64 bits");
}

TEST_CASE("constant expressions") {
  CHECK(error_in(test::kGlobalSection, "01 7f 00 ff 0b") == "malformed module at offset 0xd: illegal opcode ff");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 fd 9a 01 0b") ==
        "malformed module at offset 0xd: illegal opcode fd 9a");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 41 00") ==
        "malformed module at offset 0xf: unexpected end of section or function: expected instruction");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 02 40 0b") ==
        "malformed module at offset 0x10: unexpected end of section or function: expected instruction");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 28 80 01 00 0b") ==
        "malformed module at offset 0xe: malformed memop flags: found 0x80, expected less than 0x80");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 fe 03 01 0b") ==
        "malformed module at offset 0xf: zero byte expected: found 0x01");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 1f 40 01 04 00 0b 0b") ==
        "malformed module at offset 0x10: malformed catch clause: found 0x04, expected 0x00 to 0x03");
  CHECK(
      error_in(test::kGlobalSection, "01 7f 00 d0 7f 0b") ==
      "malformed module at offset 0xe: malformed heap type: found a negative number that names no abstract heap type");
  CHECK(error_in(test::kGlobalSection, "01 7f 00 0e ff ff ff ff 0f 00 0b") ==
        "malformed module at offset 0x15: unexpected end of section or function: expected label index");
}

TEST_CASE("segments") {
  CHECK(error_in(test::kElementSection, "01 08 00 00") ==
        "malformed module at offset 0xb: malformed element segment kind: found 8, expected 0 to 7");
  CHECK(error_in(test::kElementSection, "01 01 01 00") ==
        "malformed module at offset 0xc: malformed element kind: found 0x01, expected 0x00 (function)");
  CHECK(error_in(test::kElementSection, "01 05 7f 00") ==
        "malformed module at offset 0xc: malformed reference type: found byte 0x7f");
  CHECK(error_in(test::kElementSection, "01 05 70 01 f3 00 0b") == "malformed module at offset 0xe: illegal opcode f3");
  CHECK(error_in(test::kDataSection, "01 03 00 00") ==
        "malformed module at offset 0xb: malformed data segment kind: found 3, expected 0 to 2");
  CHECK(error_in(test::kDataSection, "01 01 07 61 62") ==
        "malformed module at offset 0xd: unexpected end of section or function: expected 7 bytes of data segment, "
        "found 2");
}

TEST_CASE("bodies stay within the code section") {
  CHECK(error_of(test::module({kOneType, kOneFunction, section(test::kCodeSection, hex("01 09 00 0b"))})) ==
        "malformed module at offset 0x16: unexpected end of section or function: expected 9 bytes of function body, "
        "found 2");
}

}  // namespace
}  // namespace wasi::binary
