// Type definitions: recursion groups, sub types, structs and arrays, and references to them.
#include "binary/support.h"
#include "binary/type_reader.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::section;

std::shared_ptr<wasm::Module> decode_types(std::initializer_list<test::Bytes> groups) {
  return decode(test::module({section(test::kTypeSection, test::vec(groups))}));
}

std::string types_error(std::initializer_list<test::Bytes> groups) {
  return error_of(test::module({section(test::kTypeSection, test::vec(groups))}));
}

const wasm::SubType& type(const wasm::Module& module, std::size_t index) {
  return module.registry->at(module.types[index]);
}

TEST_CASE("every one-byte value type") {
  const auto module = decode_types({hex("60 11 7f 7e 7d 7c 7b 74 73 72 71 70 6f 6e 6d 6c 6b 6a 69 00")});
  std::string text;
  for (const wasm::ValType param : type(*module, 0).func.params) text += to_string(param) + " ";
  CHECK(text ==
        "i32 i64 f32 f64 v128 nullexnref nullfuncref nullexternref nullref funcref externref anyref eqref i31ref "
        "structref arrayref exnref ");
}

TEST_CASE("long reference types") {
  const auto module = decode_types({hex("60 00 00"), hex("60 04 64 70 63 70 64 00 63 00 00")});
  std::string text;
  for (const wasm::ValType param : type(*module, 1).func.params) text += to_string(param) + " ";
  CHECK(text == "(ref func) funcref (ref $type0) (ref null $type0) ");
}

TEST_CASE("equal types of a module are one type of the engine") {
  const auto module = decode_types({hex("60 01 7f 00"), hex("60 00 00"), hex("60 01 7f 00")});
  CHECK(module->types[0] == module->types[2]);
  CHECK(module->types[0] != module->types[1]);
  CHECK_FALSE(module->features.has(wasm::Feature::gc));
}

TEST_CASE("the spellings of a final type without super are one type") {
  const auto module =
      decode_types({hex("60 00 00"), hex("4f 00 60 00 00"), hex("4e 01 60 00 00"), hex("50 00 60 00 00")});
  CHECK(module->types[0] == module->types[1]);
  CHECK(module->types[0] == module->types[2]);
  CHECK(module->types[0] != module->types[3]);
}

TEST_CASE("structs, arrays and packed fields") {
  const auto module = decode_types({hex("5f 03 78 00 77 01 63 6e 01"), hex("5e 7e 01")});
  const wasm::SubType& structure = type(*module, 0);
  CHECK(structure.kind == wasm::CompositeKind::struct_);
  REQUIRE(structure.fields.size() == 3);
  CHECK(structure.fields[0].storage.packed() == wasm::StorageType::Packed::i8);
  CHECK_FALSE(structure.fields[0].is_mutable);
  CHECK(structure.fields[1].storage.packed() == wasm::StorageType::Packed::i16);
  CHECK(structure.fields[1].is_mutable);
  CHECK(to_string(structure.fields[2].storage.unpacked()) == "anyref");
  const wasm::SubType& array = type(*module, 1);
  CHECK(array.kind == wasm::CompositeKind::array);
  REQUIRE(array.fields.size() == 1);
  CHECK(array.fields[0].is_mutable);
  CHECK(module->features.has(wasm::Feature::gc));
}

// (type $list (sub (struct (field (ref null $list))))): a type alone may name itself.
TEST_CASE("a type that names itself") {
  const auto module = decode_types({hex("50 00 5f 01 63 00 00"), hex("60 00 00"), hex("50 00 5f 01 63 02 00")});
  CHECK(type(*module, 0).fields[0].storage.unpacked() == wasm::ValType::ref(wasm::HeapType(module->types[0]), true));
  CHECK(module->types[0] == module->types[2]);
}

TEST_CASE("members of a group name each other, forwards too") {
  // (rec (type $a (struct (field (ref $b)))) (type $b (sub (func (param (ref $a))))))
  const auto module = decode_types({hex("60 00 00"), hex("4e 02 5f 01 64 02 00 50 00 60 01 64 01 00")});
  REQUIRE(module->types.size() == 3);
  CHECK(type(*module, 1).fields[0].storage.unpacked() == wasm::ValType::ref(wasm::HeapType(module->types[2]), false));
  CHECK(type(*module, 2).func.params[0] == wasm::ValType::ref(wasm::HeapType(module->types[1]), false));
  CHECK_FALSE(type(*module, 2).is_final);
}

TEST_CASE("super types, in the group and before it") {
  const auto module = decode_types({hex("50 00 5f 00"), hex("4e 02 50 01 00 5f 00 4f 01 01 5f 01 7f 00")});
  const wasm::TypeRegistry& registry = *module->registry;
  CHECK(registry.is_subtype(module->types[2], module->types[1]));
  CHECK(registry.is_subtype(module->types[2], module->types[0]));
  CHECK_FALSE(registry.is_subtype(module->types[0], module->types[1]));
  CHECK(type(*module, 2).is_final);
}

TEST_CASE("types that are wrong") {
  CHECK(types_error({hex("61 00 00")}) ==
        "malformed module at offset 0xb: malformed type definition: found 0x61, expected 0x60 (func), 0x5f (struct) or "
        "0x5e (array)");
  CHECK(types_error({hex("60 01 40 00")}) == "malformed module at offset 0xd: malformed value type: found byte 0x40");
  CHECK(types_error({hex("60 01 78 00")}) == "malformed module at offset 0xd: malformed value type: found byte 0x78");
  CHECK(
      types_error({hex("60 01 64 78 00")}) ==
      "malformed module at offset 0xe: malformed heap type: found a negative number that names no abstract heap type");
  CHECK(types_error({hex("5e 78 02")}) ==
        "malformed module at offset 0xd: malformed mutability: found 0x02, expected 0x00 or 0x01");
  CHECK(types_error({hex("60 01 63 01 00")}) == "invalid module at offset 0xe: unknown type 1: 1 types are known here");
  CHECK(types_error({hex("60 00 00"), hex("60 01 63 03 00"), hex("60 00 00")}) ==
        "invalid module at offset 0x11: unknown type 3: 2 types are known here");
  CHECK(types_error({hex("50 01 00 5f 00")}) ==
        "invalid module at offset 0xd: unknown type 0: the super type of type 0 must stand before it");
  CHECK(types_error({hex("50 02 00 00 5f 00")}) ==
        "invalid module at offset 0xc: sub type 0 has 2 super types, at most one is allowed");
  CHECK(types_error({hex("60 01 63 ff ff ff ff 0f 00")}) ==
        "invalid module at offset 0xe: unknown type 4294967295: 1 types are known here");
}

TEST_CASE("block types") {
  const auto module = decode_types({hex("60 00 00"), hex("5f 00")});
  const auto read = [&](std::string_view text) {
    const test::Bytes bytes = hex(text);
    base::ByteReader reader(bytes, 0x40);
    const BlockType block = read_block_type(reader, *module);
    if (!reader.ok()) return reader.take_error().to_string();
    CHECK(reader.at_end());
    switch (block.kind) {
      case BlockType::Kind::empty:
        return std::string("empty");
      case BlockType::Kind::value:
        return to_string(block.value);
      case BlockType::Kind::type:
        break;
    }
    return "type " + std::to_string(block.type.value);
  };
  CHECK(read("40") == "empty");
  CHECK(read("7f") == "i32");
  CHECK(read("69") == "exnref");
  CHECK(read("63 01") == "(ref null $type1)");
  CHECK(read("64 70") == "(ref func)");
  CHECK(read("00") == "type 0");
  CHECK(read("81 80 00") == "type 1");
  CHECK(read("02") == "invalid module at offset 0x40: unknown type 2: 2 types are known here");
  CHECK(read("78") ==
        "malformed module at offset 0x40: malformed block type: found a negative number that names no "
        "value type");
  CHECK(read("") == "malformed module at offset 0x40: unexpected end of section or function: expected block type");
  CHECK(read("63") == "malformed module at offset 0x41: unexpected end of section or function: expected heap type");
}

TEST_CASE("features of types") {
  using wasm::Feature;
  CHECK(features_of(wasm::kI32).empty());
  CHECK(features_of(wasm::kV128) == wasm::FeatureSet{Feature::simd});
  CHECK(features_of(wasm::kExternRef) == wasm::FeatureSet{Feature::reference_types});
  CHECK(features_of(wasm::kExnRef).has(Feature::exceptions));
  CHECK(features_of(wasm::ValType::ref(wasm::AbstractHeap::i31, true)).has(Feature::gc));
  CHECK(features_of(wasm::ValType::ref(wasm::AbstractHeap::func, false)).has(Feature::function_references));
  CHECK(features_of(wasm::ValType::ref(wasm::HeapType(wasm::TypeId(0)), true)).has(Feature::function_references));
}

TEST_CASE("a load that fails gives its types back") {
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  const test::Bytes types = hex("60 01 7f 00  5f 01 7f 00  4e 02 5f 01 64 01 00 5f 00");
  const auto load = [&](std::uint8_t count, std::string_view behind) {
    const auto bytes = std::make_shared<const test::Bytes>(
        test::module({section(test::kTypeSection, test::join(test::Bytes{count}, types, hex(behind)))}));
    return decode_module({*bytes, bytes}, registry);
  };
  CHECK_FALSE(load(4, "60"));
  CHECK(registry->size() == 0);
  CHECK_FALSE(load(4, "4e 02 5f 00 5f 01 64 09 00"));
  CHECK(registry->size() == 0);
  {
    const auto module = load(3, "");
    REQUIRE(module);
    CHECK(registry->size() == 4);
    // Those of another module stay.
    CHECK_FALSE(load(4, "5e"));
    CHECK(registry->size() == 4);
    CHECK(registry->at((*module)->types[2]).fields.size() == 1);
  }
  CHECK(registry->size() == 0);
}

}  // namespace
}  // namespace wasi::binary
