// Structures, arrays and their types, as the host makes, reads and writes them.
#include <string>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

Module text_module(const Engine& engine, std::string_view text) {
  return must(Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

// $point has a subtype; the guest's functions read what the host writes and the other way round.
constexpr std::string_view kShapes = R"((module
  (type $point (sub (struct (field $x (mut i32)) (field $y i64))))
  (type $named (sub final $point (struct (field (mut i32)) (field i64) (field (mut (ref null $point))))))
  (type $packed (struct (field (mut i8)) (field (mut i16)) (field v128) (field (mut f32))))
  (type $bytes (array (mut i8)))
  (type $words (array i32))
  (type $list (array (mut anyref)))
  (type $strict (struct (field (ref $point))))
  (func (export "x") (param (ref $point)) (result i32) (struct.get $point $x (local.get 0)))
  (func (export "set_x") (param (ref $point) i32) (struct.set $point $x (local.get 0) (local.get 1)))
  (func (export "next_x") (param (ref $named)) (result i32) (struct.get $point $x (struct.get $named 2 (local.get 0))))
  (func (export "new") (param i32 i64) (result (ref $point)) (struct.new $point (local.get 0) (local.get 1)))
  (func (export "packed") (param (ref $packed)) (result i32 i32)
    (struct.get_s $packed 0 (local.get 0)) (struct.get_u $packed 1 (local.get 0)))
  (func (export "sum") (param (ref $bytes)) (result i32) (local $i i32) (local $sum i32)
    (loop $l (if (i32.lt_u (local.get $i) (array.len (local.get 0))) (then
      (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get 0) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $l))))
    (local.get $sum))
  (func (export "same") (param anyref) (result anyref) (local.get 0))
  (func (export "structure") (param structref) (result structref) (local.get 0))
  (func (export "array") (param arrayref) (result arrayref) (local.get 0))
  (func (export "number") (param i31ref) (result i31ref) (local.get 0))
  (func (export "equal") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
  (func (export "strict") (param (ref $strict)) (result i32)
    (struct.get $point $x (struct.get $strict 0 (local.get 0))))))";

struct Guest {
  explicit Guest(StoreConfig config = {})
      : store(engine, config),
        module(text_module(engine, kShapes)),
        instance(must(Linker(engine).instantiate(store, module))),
        types(DefinedType::all_of(module)) {}
  template <class Signature>
  TypedFunction<Signature> function(std::string_view name) const {
    return must(instance.function<Signature>(name));
  }
  Engine engine;
  Store store;
  Module module;
  Instance instance;
  std::vector<DefinedType> types;
  const DefinedType& point = types.at(0);
  const DefinedType& named = types.at(1);
  const DefinedType& packed = types.at(2);
  const DefinedType& bytes = types.at(3);
  const DefinedType& words = types.at(4);
  const DefinedType& list = types.at(5);
  const DefinedType& strict = types.at(6);
};

template <class Result>
std::string error_of(const Result& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::argument);
  return result.error().message;
}

StoreConfig stressed() {
  StoreConfig config;
  config.gc_stress = true;
  return config;
}

}  // namespace

TEST_CASE("A structure is made by the host, and host and guest see each other's writes") {
  for (const bool stress : {false, true}) {
    Guest guest(stress ? stressed() : StoreConfig());
    const Struct point = must(Struct::create(guest.store, guest.point, {7, std::int64_t{-8}}));
    CHECK(must(point.get(0)) == Value(7));
    CHECK(must(point.get(1)) == Value(std::int64_t{-8}));
    CHECK(must(guest.function<std::int32_t(Struct)>("x")(point)) == 7);
    must(point.set(0, 9));
    CHECK(must(guest.function<std::int32_t(Struct)>("x")(point)) == 9);
    must(guest.function<void(Struct, std::int32_t)>("set_x")(point, 11));
    CHECK(must(point.get(0)) == Value(11));
    CHECK(must(point.type()) == guest.point);
    const Struct made = must(guest.function<Struct(std::int32_t, std::int64_t)>("new")(5, 6));
    CHECK(must(made.type()) == guest.point);
    CHECK(must(made.get(1)) == Value(std::int64_t{6}));
    CHECK_FALSE(made == point);
  }
}

TEST_CASE("Fields that are references hold what fits them, and keep it alive") {
  Guest guest(stressed());
  const Struct named = [&] {
    const Struct next = must(Struct::create(guest.store, guest.point, {3, std::int64_t{4}}));
    return must(Struct::create(guest.store, guest.named, {1, std::int64_t{2}, next.to_value()}));
  }();
  guest.store.collect_garbage();
  CHECK(must(guest.function<std::int32_t(Struct)>("next_x")(named)) == 3);
  const auto next = Struct::from_value(guest.store, must(named.get(2)));
  CHECK(must(next->get(0)) == Value(3));
  // Itself, which is a subtype; null; nothing else.
  must(named.set(2, named.to_value()));
  CHECK(Struct::from_value(guest.store, must(named.get(2))) == named);
  must(named.set(2, Value::zero_of(ValueType::structref())));
  CHECK(must(named.get(2)).is_null());
  const Struct packed = must(Struct::create(guest.store, guest.packed));
  CHECK_THAT(error_of(named.set(2, packed.to_value())), Catch::StartsWith("field 2 of type (ref null $type"));
  CHECK_THAT(error_of(named.set(2, 5)), Catch::EndsWith("cannot hold a value of type i32"));
  Guest elsewhere;
  const Struct foreign = must(Struct::create(elsewhere.store, elsewhere.point));
  CHECK(error_of(named.set(2, foreign.to_value())) == "field 2 cannot hold a reference of another store");
  CHECK(error_of(Struct::create(guest.store, elsewhere.point)) == "the type is one of another engine");
}

TEST_CASE("Packed fields are cut, and read without sign") {
  Guest guest;
  const Struct packed = must(Struct::create(guest.store, guest.packed, {0x1ff, -1, V128{{1, 2, 3}}, 0.5F}));
  CHECK(must(packed.get(0)) == Value(0xff));
  CHECK(must(packed.get(1)) == Value(0xffff));
  CHECK(must(packed.get(2)) == Value(V128{{1, 2, 3}}));
  CHECK(must(packed.get(3)) == Value(0.5F));
  const auto read = guest.function<std::tuple<std::int32_t, std::int32_t>(Struct)>("packed");
  CHECK(must(read(packed)) == std::tuple(-1, 0xffff));
  must(packed.set(0, 0x17f));
  must(packed.set(1, 2));
  must(packed.set(3, 1.5F));
  CHECK(must(read(packed)) == std::tuple(0x7f, 2));
  CHECK(must(packed.get(2)) == Value(V128{{1, 2, 3}}));
  CHECK(must(packed.get(3)) == Value(1.5F));
}

TEST_CASE("What cannot be made, read or written is an error that says why") {
  Guest guest;
  const Struct point = must(Struct::create(guest.store, guest.point));
  CHECK(must(point.get(0)) == Value(0));
  CHECK(error_of(point.get(2)) == "there is no field 2: the structure has 2");
  CHECK(error_of(point.set(1, std::int64_t{1})) == "field 1 is immutable");
  CHECK(error_of(point.set(0, 1.5)) == "field 0 of type i32 cannot hold a value of type f64");
  CHECK(error_of(Struct::create(guest.store, guest.point, {1})) == "the structure has 2 fields, got 1 values");
  CHECK(error_of(Struct::create(guest.store, guest.bytes)) == "the type is no structure");
  CHECK(error_of(Array::create(guest.store, guest.point, 1)) == "the type is no array");
  CHECK_THAT(error_of(Struct::create(guest.store, guest.strict)), Catch::EndsWith("has no default: it needs a value"));
  CHECK_THAT(error_of(Struct::create(guest.store, guest.strict, {Value::zero_of(ValueType::structref())})),
             Catch::Contains("cannot hold a null value"));
  const Struct strict = must(Struct::create(guest.store, guest.strict, {point.to_value()}));
  CHECK(must(guest.function<std::int32_t(Struct)>("strict")(strict)) == 0);
  // Where the guest's parameter is narrower than the C++ type.
  CHECK_THAT(guest.function<std::int32_t(Struct)>("strict")(point).error().message,
             Catch::StartsWith("argument 1 is structref, expected (ref $type"));
}

TEST_CASE("An array is made by the host, element by element or of bytes") {
  for (const bool stress : {false, true}) {
    Guest guest(stress ? stressed() : StoreConfig());
    const auto sum = guest.function<std::int32_t(Array)>("sum");
    const Array filled = must(Array::create(guest.store, guest.bytes, 4, Value(0x105)));
    CHECK(filled.size() == 4);
    CHECK(must(sum(filled)) == 20);
    must(filled.set(3, 300));
    CHECK(must(filled.get(3)) == Value(44));
    const std::string text = "abc";
    const Array made = must(
        Array::from_bytes(guest.store, guest.bytes, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
    CHECK(must(sum(made)) == 'a' + 'b' + 'c');
    must(made.mutable_bytes())[0] = 'z';
    CHECK(must(made.get(0)) == Value('z' + 0));
    CHECK(must(made.bytes())[2] == 'c');
    const std::vector<Value> numbers = {1, 2, 3};
    const Array words = must(Array::create(guest.store, guest.words, numbers));
    CHECK(words.size() == 3);
    CHECK(must(words.get(2)) == Value(3));
    CHECK(must(words.type()) == guest.words);
    const std::vector<Value> mixed = {made.to_value(), Value::from_i31(-7), Value::zero_of(ValueType::anyref())};
    // References of another static type stand for what they are.
    const Array list = must(Array::create(guest.store, guest.list, mixed));
    guest.store.collect_garbage();
    CHECK(Array::from_value(guest.store, must(list.get(0))) == made);
    CHECK(must(list.get(1)).as_i31() == -7);
    CHECK(must(list.get(2)).is_null());
    CHECK(must(Array::create(guest.store, guest.list, 2)).size() == 2);
    CHECK(must(Array::create(guest.store, guest.words, 0)).size() == 0);
  }
}

TEST_CASE("What an array cannot do is an error that says why") {
  Guest guest;
  const Array words = must(Array::create(guest.store, guest.words, 2));
  CHECK(error_of(words.get(2)) == "there is no element 2: the array has 2");
  CHECK(error_of(words.set(0, 1)) == "the array's elements are immutable");
  CHECK(error_of(words.mutable_bytes()) == "the array's elements are immutable");
  CHECK(must(words.bytes()).size() == 8);
  const Array list = must(Array::create(guest.store, guest.list, 1));
  CHECK(error_of(list.bytes()) == "an array of references has no bytes");
  CHECK(error_of(list.set(0, 1)) == "element 0 of type anyref cannot hold a value of type i32");
  CHECK(error_of(Array::from_bytes(guest.store, guest.list, {})) == "an array of references cannot be made of bytes");
  const std::vector<std::uint8_t> five(5);
  CHECK(error_of(Array::from_bytes(guest.store, guest.words, five)) ==
        "5 bytes are no whole number of elements, which have 4 each");
  Store small(guest.engine, {.gc_heap_limit = 1 << 20});
  const auto large = Array::create(small, guest.words, 1 << 20);
  REQUIRE_FALSE(large);
  CHECK(large.error().kind == ErrorKind::limit);
}

TEST_CASE("Any reference goes through typed signatures") {
  Guest guest;
  const auto same = guest.function<AnyRef(AnyRef)>("same");
  const Struct point = must(Struct::create(guest.store, guest.point));
  const Array words = must(Array::create(guest.store, guest.words, 1));
  CHECK(must(same(point)).structure() == point);
  CHECK(must(same(words)).array() == words);
  CHECK(must(same(I31{-5})).i31() == I31{-5});
  CHECK(must(same(AnyRef())).is_null());
  CHECK(must(same(point)) == AnyRef(point));
  CHECK(must(same(point)).kind() == ReferenceKind::structure);
  CHECK_FALSE(must(same(point)).array());
  CHECK(must(guest.function<std::optional<Struct>(std::optional<Struct>)>("structure")(point)) == point);
  CHECK_FALSE(must(guest.function<std::optional<Struct>(std::optional<Struct>)>("structure")(std::nullopt)));
  CHECK(must(guest.function<Array(Array)>("array")(words)) == words);
  CHECK(must(guest.function<I31(I31)>("number")(I31{1 << 29})).value == 1 << 29);
  CHECK(must(guest.function<bool(AnyRef, AnyRef)>("equal")(point, point)));
  CHECK_FALSE(must(guest.function<bool(AnyRef, AnyRef)>("equal")(point, I31{0})));
  CHECK(guest.instance.function<Struct(AnyRef)>("same").error().kind == ErrorKind::argument);
  // Functions of the host.
  const Function pick = must(Function::create(guest.store, [](Struct s, std::optional<Array> a, AnyRef any, I31 i) {
    return std::tuple<std::optional<Array>, AnyRef, I31>(a, any.is_null() ? AnyRef(s) : any, I31{i.value + 1});
  }));
  const auto results = must(pick.call({point.to_value(), Value::zero_of(ValueType::arrayref()),
                                       Value::zero_of(ValueType::anyref()), Value::from_i31(41)}));
  CHECK(results.at(0).is_null());
  CHECK(Struct::from_value(guest.store, results.at(1)) == point);
  CHECK(results.at(2).as_i31() == 42);
}

TEST_CASE("Handles from a Caller find their store gone") {
  std::optional<Struct> structure;
  std::optional<Array> array;
  {
    Guest guest;
    const Function keeps = must(Function::create(guest.store, [&](Caller& caller) {
      structure = must(Struct::create(caller, guest.point));
      array = must(Array::create(caller, guest.words, 3));
      CHECK(array->size() == 3);
    }));
    must(keeps.call({}));
  }
  CHECK(error_of(structure->get(0)) == "the store of this structure does not exist any more");
  CHECK(error_of(structure->type()) == "the store of this structure does not exist any more");
  CHECK(error_of(array->set(0, 1)) == "the store of this array does not exist any more");
  CHECK(array->size() == 0);
}

TEST_CASE("Types of a module say what is in them") {
  Guest guest;
  CHECK(guest.types.size() == DefinedType::all_of(guest.module).size());
  CHECK(guest.point.kind() == DefinedType::Kind::structure);
  CHECK_FALSE(guest.point.is_final());
  CHECK_FALSE(guest.point.supertype());
  CHECK(guest.named.is_final());
  CHECK(guest.named.supertype() == guest.point);
  CHECK(guest.named.is_subtype_of(guest.point));
  CHECK(guest.point.is_subtype_of(guest.point));
  CHECK_FALSE(guest.point.is_subtype_of(guest.named));
  CHECK(guest.point.fields() == std::vector<FieldType>{{ValueType::i32(), FieldType::Packing::none, true},
                                                       {ValueType::i64(), FieldType::Packing::none, false}});
  CHECK(guest.packed.fields().at(0) == FieldType{ValueType::i32(), FieldType::Packing::i8, true});
  CHECK(guest.packed.fields().at(0).to_string() == "(mut i8)");
  CHECK(guest.words.kind() == DefinedType::Kind::array);
  CHECK(guest.words.fields().size() == 1);
  CHECK(guest.types.at(7).kind() == DefinedType::Kind::function);
  CHECK(guest.types.at(7).function_type().results == std::vector<ValueType>{ValueType::i32()});
  // By the type of a function.
  const FunctionType x = must(guest.instance.func("x")).type();
  CHECK(x.params.at(0) == guest.point.reference(false));
  CHECK(x.params.at(0).heap() == ValueType::Heap::defined);
  CHECK_FALSE(x.params.at(0).is_nullable());
  CHECK(DefinedType::of(guest.engine, x.params.at(0)) == guest.point);
  CHECK_FALSE(DefinedType::of(guest.engine, ValueType::structref()));
  CHECK_FALSE(DefinedType::of(guest.engine, ValueType::i32()));
  CHECK(ValueType::structref().heap() == ValueType::Heap::struct_);
  CHECK(ValueType::externref().heap() == ValueType::Heap::extern_);
  CHECK(is_subtype(guest.engine, guest.named.reference(false), guest.point.reference()));
  CHECK(is_subtype(guest.engine, guest.point.reference(), ValueType::structref()));
  CHECK(is_subtype(guest.engine, guest.words.reference(), ValueType::eqref()));
  CHECK_FALSE(is_subtype(guest.engine, guest.point.reference(), guest.point.reference(false)));
  CHECK_FALSE(is_subtype(guest.engine, ValueType::structref(), ValueType::externref()));
  CHECK_FALSE(is_subtype(guest.engine, ValueType::from_bits(0xfff00), ValueType::anyref()));
}

TEST_CASE("The host defines types, which are the same as a module's that are defined alike") {
  const Engine engine;
  const std::vector<FieldType> fields = {{.type = ValueType::i32(), .is_mutable = true}, {.type = ValueType::i64()}};
  const DefinedType point = must(DefinedType::structure(engine, fields, {.is_final = false}));
  CHECK(point == DefinedType::all_of(text_module(engine, kShapes)).at(0));
  CHECK_FALSE(point == must(DefinedType::structure(engine, fields)));
  std::vector<FieldType> more = fields;
  more.push_back({.type = point.reference(), .is_mutable = true});
  const DefinedType named = must(DefinedType::structure(engine, more, {.supertype = &point}));
  CHECK(named == DefinedType::all_of(text_module(engine, kShapes)).at(1));
  CHECK(named.is_subtype_of(point));
  const DefinedType function = must(DefinedType::function(engine, {{point.reference(false)}, {ValueType::i32()}}));
  CHECK(function.kind() == DefinedType::Kind::function);
  // A store without a module makes objects of them.
  Store store(engine, {.gc_stress = true});
  const Struct made = must(Struct::create(store, named));
  must(made.set(2, made.to_value()));
  CHECK(Struct::from_value(store, must(made.get(2))) == made);
  const DefinedType pairs = must(DefinedType::array(engine, {.type = named.reference(), .is_mutable = true}));
  const Array array = must(Array::create(store, pairs, 2, made.to_value()));
  CHECK(Struct::from_value(store, must(array.get(1))) == made);

  CHECK(error_of(DefinedType::structure(engine, fields, {.supertype = &named})) == "the supertype is final");
  CHECK_THAT(error_of(DefinedType::structure(engine, {}, {.supertype = &point})),
             Catch::StartsWith("the type does not match its supertype"));
  CHECK_THAT(error_of(DefinedType::array(engine, {.type = ValueType::i64(), .packing = FieldType::Packing::i8})),
             Catch::StartsWith("a packed field is read as an i32"));
  CHECK(error_of(DefinedType::array(engine, {.type = ValueType::from_bits(0xfff0)})).starts_with("the bits"));
  const Engine other;
  CHECK(error_of(DefinedType::structure(other, more, {.supertype = &point})) != "");
}

TEST_CASE("A type lives as long as a handle to it, or an object of it") {
  const Engine engine;
  Store store(engine);
  std::optional<Struct> object;
  {
    const std::vector<FieldType> fields = {{.type = ValueType::f64(), .is_mutable = true}};
    object = must(Struct::create(store, must(DefinedType::structure(engine, fields))));
  }
  for (int i = 0; i < 100; ++i) {
    const std::vector<FieldType> fields(static_cast<std::size_t>(i) + 2, FieldType{.type = ValueType::i32()});
    must(DefinedType::structure(engine, fields));
  }
  CHECK(must(object->type()).fields().size() == 1);
  must(object->set(0, 2.5));
  CHECK(must(object->get(0)) == Value(2.5));
}
