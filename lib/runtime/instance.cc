// Instances as running code and embedders use them. How they come to be is in instantiate.cc.
#include "runtime/instance.h"

#include <atomic>
#include <cstring>

#include "base/check.h"
#include "runtime/const_expr.h"
#include "runtime/instance_private.h"

namespace wasi::runtime {

namespace {

std::atomic<std::uint64_t> newest_id{0};

}  // namespace

Instance::Instance(Store& s, std::shared_ptr<ModuleCode> c)
    : store(&s), id(newest_id.fetch_add(1, std::memory_order_relaxed) + 1), code(std::move(c)), priv(new Private) {}

Instance::~Instance() { delete priv; }

std::optional<External> Instance::find_export(std::string_view name) {
  const std::optional<std::size_t> index = code->find_export(name);
  if (!index) return std::nullopt;
  return export_at(*index);
}

External Instance::export_at(std::size_t index) {
  const wasm::Export& item = module().exports[index];
  switch (item.kind) {
    case wasm::ExternalKind::func:
      return External(func_ref(wasm::FuncIndex(item.index)));
    case wasm::ExternalKind::table:
      return External(tables[item.index]);
    case wasm::ExternalKind::memory:
      return External(memories[item.index]);
    case wasm::ExternalKind::global:
      return External(globals[item.index]);
    case wasm::ExternalKind::tag:
      return External(tags[item.index]);
  }
  return {};
}

FuncRef* Instance::func_ref(wasm::FuncIndex function) {
  if (function.value < imported_functions.size()) return imported_functions[function.value];
  const std::size_t defined = function.value - imported_functions.size();
  WASI_CHECK(defined < priv->func_refs.size());
  FuncRef& ref = priv->func_refs[defined];
  if (ref.code == nullptr) {
    const wasm::Module& m = module();
    // Its record is filled when it is first called: tables of half a million functions touch none of them.
    ref = {.code = code->functions + defined, .instance = &vm, .type = m.types[m.functions[function.value].value]};
  }
  return &ref;
}

Memory* Instance::default_memory() {
  if (!priv->knows_default_memory) {
    const std::optional<External> exported = find_export("memory");
    priv->default_memory = exported && exported->kind == wasm::ExternalKind::memory ? exported->memory : memory(0);
    priv->knows_default_memory = true;
  }
  return priv->default_memory;
}

std::span<const std::uint8_t> Instance::data(std::uint32_t segment) const {
  const std::uint32_t imaged = module().imaged_segments();
  if (segment < imaged || priv->dropped_data[segment]) return {};
  return module().view(module().data[segment - imaged].bytes);
}

std::uint64_t Instance::element_count(std::uint32_t segment) const {
  return priv->dropped_elements[segment] ? 0 : module().elements[segment].size();
}

// References to functions are made when they are asked for, so a segment that is never used costs nothing: its
// expressions name functions and constant globals, whose values do not change.
void* Instance::element(std::uint32_t segment, std::uint32_t index) {
  const wasm::ElementSegment& elements = module().elements[segment];
  if (!elements.functions.empty()) return func_ref(elements.functions[index]);
  if (const auto& values = priv->element_values[segment]; !values.empty()) return values[index].ref;
  const Result<Slot> value = evaluate_const(*this, elements.expressions[index]);
  WASI_CHECK(value.has_value());  // instantiation refused modules with others
  return value->ref;
}

bool Instance::memory_init(std::uint32_t memory_index, std::uint32_t segment, std::uint64_t dst, std::uint32_t src,
                           std::uint32_t count) {
  const std::span<const std::uint8_t> bytes = data(segment);
  if (src > bytes.size() || count > bytes.size() - src) return false;
  const auto target = memories[memory_index]->range(dst, count);
  if (!target) return false;
  if (count != 0) std::memcpy(target->data(), bytes.data() + src, count);
  return true;
}

bool Instance::table_init(std::uint32_t table_index, std::uint32_t segment, std::uint64_t dst, std::uint32_t src,
                          std::uint32_t count) {
  const std::uint64_t size = element_count(segment);
  TableView& view = tables[table_index]->view;
  if (src > size || count > size - src) return false;
  if (dst > view.size || count > view.size - dst) return false;
  for (std::uint32_t i = 0; i < count; ++i) view.elements[dst + i] = element(segment, src + i);
  return true;
}

void Instance::drop_data(std::uint32_t segment) { priv->dropped_data[segment] = true; }

void Instance::drop_element(std::uint32_t segment) {
  priv->dropped_elements[segment] = true;
  priv->element_values[segment] = {};
}

}  // namespace wasi::runtime
