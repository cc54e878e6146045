#include "fuzz/host.h"

#include <bit>
#include <cstring>

namespace wasi::test::fuzz {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15;
  return hash ^ hash >> 29;
}

// What is left of a value whatever tier it comes from.
std::uint64_t digest(const Value& value, bool has_loose_nans) {
  if (value.type().is_reference()) {
    return static_cast<std::uint64_t>(value.reference_kind().value_or(ReferenceKind::null));
  }
  if (has_loose_nans) {
    if (const auto number = value.as<float>(); number && *number != *number) return 1;
    if (const auto number = value.as<double>(); number && *number != *number) return 2;
  }
  return mix(value.bits()[0], value.bits()[1]);
}

Value value_of_hash(ValueType type, std::uint64_t hash) {
  switch (type.kind()) {
    case ValueType::Kind::i32:
      return static_cast<std::uint32_t>(hash);
    case ValueType::Kind::i64:
      return hash;
    case ValueType::Kind::f32:
      return static_cast<float>(static_cast<std::int16_t>(hash));
    case ValueType::Kind::f64:
      return static_cast<double>(static_cast<std::int32_t>(hash)) / 8;
    case ValueType::Kind::v128:
      return Value::from_bits(type, {hash, mix(hash, 1)});
    default:
      return Value::zero_of(type);
  }
}

std::expected<void, Trap> run_untyped(std::span<const Value> args, std::span<Value> results, bool has_loose_nans) {
  std::uint64_t hash = args.size();
  for (const Value& value : args) hash = mix(hash, digest(value, has_loose_nans));
  for (Value& result : results) {
    hash = mix(hash, 7);
    const ValueType type = result.type();
    if (!type.is_reference()) {
      result = value_of_hash(type, hash);
      continue;
    }
    for (const Value& value : args) {
      if (value.type() == type) result = value;
    }
  }
  return {};
}

std::expected<std::int32_t, Trap> call_back(Caller& caller, std::int32_t which) {
  const auto instance = caller.instance();
  if (!instance) return -1;
  std::vector<ExportType> functions;
  for (ExportType& item : instance->module().exports()) {
    if (item.type.kind() == ExternKind::function) functions.push_back(std::move(item));
  }
  if (functions.empty()) return -2;
  const ExportType& chosen = functions[static_cast<std::uint32_t>(which) % functions.size()];
  std::vector<Value> arguments;
  for (const ValueType param : std::get<FunctionType>(chosen.type.type).params) {
    if (param.kind() == ValueType::Kind::ref) return -3;
    arguments.push_back(Value::zero_of(param));
  }
  const auto function = instance->func(chosen.name);
  if (!function) return -4;
  const auto results = function->call(arguments);
  if (!results) return std::unexpected(results.error());
  return static_cast<std::int32_t>(results->size());
}

}  // namespace

std::vector<ValType> types_of_letters(std::string_view letters) {
  std::vector<ValType> types;
  for (const char letter : letters) {
    types.push_back(letter == 'i'   ? wasm::kI32
                    : letter == 'l' ? wasm::kI64
                    : letter == 'f' ? wasm::kF32
                    : letter == 'd' ? wasm::kF64
                                    : wasm::kV128);
  }
  return types;
}

bool is_host_type(ValType type) {
  if (!type.is_ref()) return true;
  if (!type.is_nullable() || !type.heap().is_abstract()) return false;
  switch (type.heap().abstract()) {
    case AbstractHeap::func:
    case AbstractHeap::extern_:
    case AbstractHeap::any:
    case AbstractHeap::eq:
    case AbstractHeap::i31:
    case AbstractHeap::struct_:
    case AbstractHeap::array:
      return true;
    default:
      return false;
  }
}

void define_host(Linker& linker, Store& store, const std::vector<UntypedHostFunction>& functions, bool has_loose_nans) {
  for (const UntypedHostFunction& function : functions) {
    FunctionType type;
    for (const ValType param : function.params) type.params.push_back(ValueType::from_bits(param.bits()));
    for (const ValType result : function.results) type.results.push_back(ValueType::from_bits(result.bits()));
    linker.define_untyped(kHostModule, function.name, std::move(type),
                          [has_loose_nans](Caller&, std::span<const Value> args, std::span<Value> results) {
                            return run_untyped(args, results, has_loose_nans);
                          });
  }
  linker.define(kHostModule, "add", [](std::int32_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  });
  linker.define(kHostModule, "mean", [](float a, double b, float c) {
    const double mean = (static_cast<double>(a) + b + static_cast<double>(c)) / 3;
    return mean == mean ? mean : 0.0;
  });
  linker.define(kHostModule, "swap", [](V128 a, std::int64_t b) { return std::tuple(b, a); });
  linker.define(kHostModule, "peek", [](Caller& caller, std::int64_t address) -> std::int32_t {
    const Memory memory = caller.memory();
    if (memory.size() < 4) return 0;
    return memory.read<std::int32_t>(static_cast<std::uint64_t>(address) % (memory.size() - 3)).value_or(1);
  });
  linker.define(kHostModule, "poke", [](Caller& caller, std::int64_t address, std::int32_t value) {
    const Memory memory = caller.memory();
    if (memory.size() < 4) return;
    (void)memory.write(static_cast<std::uint64_t>(address) % (memory.size() - 3), value);
  });
  linker.define(kHostModule, "nothing", [] {});
  linker.define(kHostModule, "refuse", [](std::int32_t a) -> std::expected<std::int32_t, Trap> {
    if ((a & 7) == 5) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "refused"});
    return a ^ 1;
  });
  linker.define(kHostModule, "many",
                [](std::int32_t a, std::int64_t b, float c, double d, V128 e, std::int32_t f, std::int64_t g, float h,
                   double i, V128 j, std::int32_t k, std::int64_t l, float m, double n, V128 o) {
                  for (std::size_t byte = 0; byte < 16; ++byte) e.bytes[byte] ^= j.bytes[byte] ^ o.bytes[byte];
                  const auto number = [](auto x) { return x == x ? x : 0; };
                  const auto sum = static_cast<std::uint64_t>(b) ^ static_cast<std::uint64_t>(g) << 1 ^
                                   static_cast<std::uint64_t>(l) << 2;
                  const double product = number(d) * 2 + number(i) * 3 + number(n);
                  return std::tuple(e, number(product), number(number(c) - number(h) * number(m)),
                                    static_cast<std::int64_t>(sum), a ^ f ^ k);
                });
  linker.define(kHostModule, "call back", [](Caller& caller, std::int32_t which) { return call_back(caller, which); });
  const ValueType params[] = {ValueType::i32()};
  const auto tag = Tag::create(store, params);
  if (!tag) return;
  linker.define(kHostModule, kHostTag, Extern(*tag));
  linker.define(kHostModule, "raise", [tag = *tag](std::int32_t value) -> std::expected<void, Trap> {
    if ((value & 3) == 0) return {};
    const Value values[] = {value};
    const auto exception = Exception::create(tag, values);
    if (!exception) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "no exception"});
    return std::unexpected(exception->to_trap());
  });
}

}  // namespace wasi::test::fuzz
