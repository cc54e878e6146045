// References, structures and arrays.
#include <algorithm>

#include "fuzz/body.h"
#include "fuzz/edges.h"

namespace wasi::test::fuzz {

using wasm::Op;

namespace {

Op getter(const wasm::FieldType& field, Op plain, Op with_sign, Op without_sign, bool has_sign) {
  if (!field.storage.is_packed()) return plain;
  return has_sign ? with_sign : without_sign;
}

}  // namespace

void BodyGenerator::push_reference(ValType type) {
  const HeapType heap = type.heap();
  const auto push_null = [&] {
    op(Op::ref_null);
    write_heap_type(out_, heap);
    if (!type.is_nullable()) op(Op::ref_as_non_null);
    push(type);
  };
  if (type.is_nullable() && e_.chance(30)) return push_null();
  switch (types_.top_of(heap)) {
    case AbstractHeap::func: {
      const auto candidates = module_.functions_of(heap);
      if (candidates.empty()) return push_null();
      const std::uint32_t function = e_.pick(candidates);
      op(Op::ref_func, function);
      return push(reference(concrete(module_.functions[function].type), false));
    }
    case AbstractHeap::extern_:
      if (heap != AbstractHeap::extern_ || !g_.features.has_gc) return push_null();
      push_value(reference(AbstractHeap::any, type.is_nullable()));
      op(Op::extern_convert_any);
      consume(1);
      return push(type);
    case AbstractHeap::any:
      break;
    default:
      return push_null();
  }
  std::vector<std::uint32_t> candidates;
  for (const auto* list : {&types_.structures(), &types_.arrays()}) {
    for (const std::uint32_t index : *list) {
      if (types_.matches(concrete(index), heap)) candidates.push_back(index);
    }
  }
  if (heap == AbstractHeap::any && e_.chance(40)) {
    push_value(reference(AbstractHeap::extern_, type.is_nullable()));
    op(Op::any_convert_extern);
    consume(1);
    return push(type);
  }
  const bool may_be_i31 = types_.matches(HeapType(AbstractHeap::i31), heap);
  if (may_be_i31 && (candidates.empty() || e_.chance(80))) {
    push_value(wasm::kI32);
    op(Op::ref_i31);
    consume(1);
    return push(reference(AbstractHeap::i31, false));
  }
  if (candidates.empty()) return push_null();
  construct(e_.pick(candidates));
}

void BodyGenerator::construct(std::uint32_t type) {
  const wasm::SubType definition = types_.at(type);
  if (definition.kind == wasm::CompositeKind::array) return construct_array(type);
  const bool has_default = std::ranges::all_of(
      definition.fields, [](const wasm::FieldType& field) { return field.storage.unpacked().is_defaultable(); });
  if (has_default && e_.chance(80)) {
    op(Op::struct_new_default, type);
  } else {
    TypeList fields;
    for (const wasm::FieldType& field : definition.fields) fields.push_back(field.storage.unpacked());
    need(fields);
    op(Op::struct_new, type);
    consume(fields.size());
  }
  push(reference(concrete(type), false));
}

// An offset and a length in a segment.
void BodyGenerator::push_segment_range(std::size_t size) {
  number(e_.chance(10) ? size + 1 : e_.below(size / 2 + 1), wasm::kI32);
  number(e_.chance(10) ? edge_i32(e_) & 0xFFFF : e_.below(size / 4 + 1), wasm::kI32);
}

void BodyGenerator::construct_array(std::uint32_t type) {
  const wasm::StorageType storage = types_.at(type).fields[0].storage;
  const ValType element = storage.unpacked();
  std::vector<std::uint32_t> segments;
  for (std::uint32_t i = 0; i < module_.elements.size(); ++i) {
    if (types_.matches(module_.elements[i].type, element)) segments.push_back(i);
  }
  switch (e_.below(6)) {
    case 0:
      if (!element.is_defaultable()) break;
      push_array_length();
      op(Op::array_new_default, type);
      consume(1);
      return push(reference(concrete(type), false));
    case 1:
    case 2: {
      const std::uint32_t count = e_.chance(10) ? e_.below(50) : e_.below(5);
      need(TypeList(count, element));
      op(Op::array_new_fixed, type);
      out_.u32(count);
      consume(count);
      return push(reference(concrete(type), false));
    }
    case 3: {
      if (element.is_ref() || module_.data.empty()) break;
      const std::uint32_t segment = e_.below(module_.data.size());
      push_segment_range(module_.data[segment].bytes.size());
      op(Op::array_new_data, type);
      out_.u32(segment);
      consume(2);
      return push(reference(concrete(type), false));
    }
    case 4: {
      if (segments.empty()) break;
      const std::uint32_t segment = e_.pick(segments);
      push_segment_range(module_.elements[segment].size());
      op(Op::array_new_elem, type);
      out_.u32(segment);
      consume(2);
      return push(reference(concrete(type), false));
    }
    default:
      break;
  }
  need({element});
  push_array_length();
  op(Op::array_new, type);
  consume(2);
  push(reference(concrete(type), false));
}

void BodyGenerator::push_array_length() {
  if (e_.chance(4)) return number(e_.pick({0xFFFF'FFFFU, 0x7FFF'FFFFU, 0x4000'0000U, 0x8000'0000U}), wasm::kI32);
  if (!e_.chance(40)) return number(e_.pick({0U, 1U, 2U, 3U, 4U, 5U, 8U, 15U, 16U, 17U, 33U, 100U}), wasm::kI32);
  push_value(wasm::kI32);
  number(15, wasm::kI32);
  combine(Op::i32_and, wasm::kI32);
}

void BodyGenerator::push_array_index() {
  const std::uint32_t choice = e_.below(16);
  if (choice < 10) return number(e_.below(3), wasm::kI32);
  if (choice < 11) return number(edge_i32(e_), wasm::kI32);
  push_value(wasm::kI32);
  if (choice < 12) return;
  number(1, wasm::kI32);
  combine(Op::i32_and, wasm::kI32);
}

void BodyGenerator::get_field(std::uint32_t type, std::uint32_t field) {
  const wasm::FieldType plan = types_.at(type).fields[field];
  need({reference(concrete(type))});
  op(getter(plan, Op::struct_get, Op::struct_get_s, Op::struct_get_u, e_.chance(128)), type);
  out_.u32(field);
  consume(1);
  push(plan.storage.unpacked());
}

void BodyGenerator::get_element(std::uint32_t type) {
  const wasm::FieldType plan = types_.at(type).fields[0];
  need({reference(concrete(type))});
  push_array_index();
  op(getter(plan, Op::array_get, Op::array_get_s, Op::array_get_u, e_.chance(128)), type);
  consume(2);
  push(plan.storage.unpacked());
}

bool BodyGenerator::field_giving(ValType type) {
  struct Candidate {
    std::uint32_t type;
    std::uint32_t field;
  };
  std::vector<Candidate> candidates;
  for (const auto* list : {&types_.structures(), &types_.arrays()}) {
    for (const std::uint32_t index : *list) {
      const auto& fields = types_.at(index).fields;
      for (std::uint32_t i = 0; i < fields.size(); ++i) {
        if (types_.matches(fields[i].storage.unpacked(), type)) candidates.push_back({index, i});
      }
    }
  }
  if (candidates.empty()) return false;
  const Candidate chosen = e_.pick(candidates);
  if (types_.at(chosen.type).kind == wasm::CompositeKind::array) {
    get_element(chosen.type);
  } else {
    get_field(chosen.type, chosen.field);
  }
  return true;
}

void BodyGenerator::structure_operation() {
  if (types_.structures().empty()) return cast();
  const std::uint32_t type = e_.pick(types_.structures());
  const auto fields = types_.at(type).fields;
  if (fields.empty() || e_.chance(60)) return construct(type);
  const std::uint32_t field = e_.below(fields.size());
  if (!fields[field].is_mutable || e_.chance(128)) return get_field(type, field);
  need({reference(concrete(type)), fields[field].storage.unpacked()});
  op(Op::struct_set, type);
  out_.u32(field);
  consume(2);
}

void BodyGenerator::array_operation() {
  if (types_.arrays().empty()) return structure_operation();
  const std::uint32_t type = e_.pick(types_.arrays());
  const wasm::FieldType field = types_.at(type).fields[0];
  const ValType element = field.storage.unpacked();
  const ValType array = reference(concrete(type));
  switch (e_.below(field.is_mutable ? 9 : 3)) {
    case 0:
      return construct_array(type);
    case 1:
      return get_element(type);
    case 2:
      need({e_.chance(128) ? array : reference(AbstractHeap::array)});
      op(Op::array_len);
      consume(1);
      return push(wasm::kI32);
    case 3:
    case 4:
      need({array});
      push_array_index();
      push_value(element);
      op(Op::array_set, type);
      return consume(3);
    case 5:
      need({array});
      push_array_index();
      push_value(element);
      push_array_index();
      op(Op::array_fill, type);
      return consume(4);
    case 6: {
      std::vector<std::uint32_t> sources;
      for (const std::uint32_t index : types_.arrays()) {
        const wasm::StorageType source = types_.at(index).fields[0].storage;
        if (source.packed() == field.storage.packed() && types_.matches(source.unpacked(), element)) {
          sources.push_back(index);
        }
      }
      const std::uint32_t source = e_.pick(sources);
      need({array});
      push_array_index();
      push_value(reference(concrete(source)));
      push_array_index();
      push_array_index();
      op(Op::array_copy, type);
      out_.u32(source);
      return consume(5);
    }
    default:
      break;
  }
  std::vector<std::uint32_t> segments;
  if (!element.is_ref()) {
    for (std::uint32_t i = 0; i < module_.data.size(); ++i) segments.push_back(i);
  } else {
    for (std::uint32_t i = 0; i < module_.elements.size(); ++i) {
      if (types_.matches(module_.elements[i].type, element)) segments.push_back(i);
    }
  }
  if (segments.empty()) return get_element(type);
  const std::uint32_t segment = e_.pick(segments);
  need({array});
  push_array_index();
  push_segment_range(element.is_ref() ? module_.elements[segment].size() : module_.data[segment].bytes.size());
  op(element.is_ref() ? Op::array_init_elem : Op::array_init_data, type);
  out_.u32(segment);
  consume(4);
}

ValType BodyGenerator::choose_reference() {
  if (available() > 0 && stack_.back().is_ref() && e_.chance(150)) return stack_.back();
  const ValType type = choose_type();
  if (type.is_ref()) return type;
  AbstractHeap top = e_.pick({AbstractHeap::func, AbstractHeap::extern_});
  if (g_.features.has_gc && e_.chance(200)) top = AbstractHeap::any;
  return reference(types_.choose_heap(e_, top));
}

void BodyGenerator::cast() {
  const ValType source = choose_reference();
  need({source});
  const AbstractHeap top = types_.top_of(source.heap());
  const bool is_test = e_.chance(110);
  HeapType target = types_.choose_heap(e_, top);
  if (!is_test && e_.chance(200)) {
    // One that it passes, most likely.
    for (int tries = 0; tries < 5 && !types_.matches(source.heap(), target); ++tries)
      target = types_.choose_heap(e_, top);
    if (!types_.matches(source.heap(), target)) target = source.heap();
  }
  const bool is_nullable = e_.chance(170);
  op(is_test ? (is_nullable ? Op::ref_test_null : Op::ref_test) : (is_nullable ? Op::ref_cast_null : Op::ref_cast));
  write_heap_type(out_, target);
  consume(1);
  push(is_test ? wasm::kI32 : reference(target, is_nullable));
}

void BodyGenerator::branch_on_cast() {
  const ValType source = choose_reference();
  HeapType heap = source.heap();
  for (int tries = 0; tries < 6; ++tries) {
    const HeapType other = types_.choose_heap(e_, types_.top_of(source.heap()));
    if (!types_.matches(other, source.heap())) continue;
    heap = other;
    break;
  }
  const ValType target = reference(heap, source.is_nullable() && e_.chance(128));
  const ValType rest = target.is_nullable() ? source.as_nullable(false) : source;
  const bool is_fail = e_.chance(128);
  const ValType taken = is_fail ? rest : target;
  const ValType passed = is_fail ? target : rest;
  open(Op::block, {}, std::array{taken});
  push_value(source);
  op(is_fail ? Op::br_on_cast_fail : Op::br_on_cast);
  out_.u8(static_cast<std::uint8_t>((source.is_nullable() ? 1 : 0) | (target.is_nullable() ? 2 : 0)));
  out_.u32(0);
  write_heap_type(out_, source.heap());
  write_heap_type(out_, target.heap());
  consume(1);
  push(passed);
  sequence(e_.below(4));
  finish();
  op(Op::end);
  close();
}

void BodyGenerator::reference_operation() {
  if (g_.features.has_gc && e_.chance(190)) {
    switch (e_.below(8)) {
      case 0:
      case 1:
        return structure_operation();
      case 2:
      case 3:
        return array_operation();
      case 4:
        return cast();
      case 5:
        return branch_on_cast();
      case 6:
        need({reference(AbstractHeap::i31)});
        op(e_.chance(128) ? Op::i31_get_s : Op::i31_get_u);
        consume(1);
        return push(wasm::kI32);
      default:
        need({reference(AbstractHeap::eq), reference(AbstractHeap::eq)});
        op(Op::ref_eq);
        consume(2);
        return push(wasm::kI32);
    }
  }
  const ValType type = choose_reference();
  need({type});
  if (e_.chance(128)) {
    op(Op::ref_is_null);
    consume(1);
    return push(wasm::kI32);
  }
  op(Op::ref_as_non_null);
  consume(1);
  push(type.as_nullable(false));
}

}  // namespace wasi::test::fuzz
