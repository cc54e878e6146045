// wasirun inspect: what is in a module, for people and (JSON) for programs.
#include <fmt/format.h>
#include <wasi/wasi.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

using Json = nlohmann::ordered_json;

Json limits(const wasi::Limits& limits) {
  Json json = {{"min", limits.min}};
  if (limits.max) json["max"] = *limits.max;
  return json;
}

Json types(const std::vector<wasi::ValueType>& types) {
  Json json = Json::array();
  for (wasi::ValueType type : types) json.push_back(type.to_string());
  return json;
}

void add_type(Json& json, const wasi::ExternType& type) {
  json["kind"] = wasi::name_of(type.kind());
  if (const auto* function = std::get_if<wasi::FunctionType>(&type.type)) {
    json["params"] = types(function->params);
    json["results"] = types(function->results);
  } else if (const auto* table = std::get_if<wasi::TableType>(&type.type)) {
    json["element"] = table->element.to_string();
    json["limits"] = limits(table->limits);
    json["address"] = table->is_64 ? "i64" : "i32";
  } else if (const auto* memory = std::get_if<wasi::MemoryType>(&type.type)) {
    json["limits"] = limits(memory->limits);
    json["address"] = memory->is_64 ? "i64" : "i32";
    json["shared"] = memory->is_shared;
    json["page_size"] = memory->page_size;
  } else if (const auto* global = std::get_if<wasi::GlobalType>(&type.type)) {
    json["type"] = global->type.to_string();
    json["mutable"] = global->is_mutable;
  } else {
    json["params"] = types(std::get<wasi::TagType>(type.type).function.params);
  }
}

// Names are any UTF-8, and those of the name section any bytes: JSON's own escapes keep what a terminal would obey out.
std::string dump(const Json& json) { return json.dump(2, ' ', true, Json::error_handler_t::replace); }

Json to_json(const std::string& file, const wasi::Module& module) {
  const wasi::ModuleCounts counts = module.counts();
  Json json;
  json["file"] = file;
  json["bytes"] = counts.bytes;
  json["name"] = module.name();
  json["features"] = module.features();
  json["unsupported_features"] = module.unsupported_features();
  json["counts"] = {{"types", counts.types},
                    {"functions", counts.functions},
                    {"tables", counts.tables},
                    {"memories", counts.memories},
                    {"globals", counts.globals},
                    {"tags", counts.tags},
                    {"data_segments", counts.data_segments},
                    {"element_segments", counts.element_segments}};
  json["imports"] = Json::array();
  for (const wasi::ImportType& import : module.imports()) {
    Json entry = {{"module", import.module}, {"name", import.name}};
    add_type(entry, import.type);
    json["imports"].push_back(std::move(entry));
  }
  json["exports"] = Json::array();
  for (const wasi::ExportType& exported : module.exports()) {
    Json entry = {{"name", exported.name}};
    add_type(entry, exported.type);
    json["exports"].push_back(std::move(entry));
  }
  json["sections"] = Json::array();
  for (const wasi::SectionInfo& section : module.sections()) {
    json["sections"].push_back(
        {{"id", section.id}, {"name", section.name}, {"offset", section.offset}, {"size", section.size}});
  }
  json["function_names"] = Json::array();
  for (const auto& [index, name] : module.function_names()) {
    json["function_names"].push_back({{"index", index}, {"name", name}});
  }
  return json;
}

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text.empty() ? "none" : text;
}

void print_text(const std::string& file, const wasi::Module& module) {
  const wasi::ModuleCounts counts = module.counts();
  const std::string name = module.name();
  print_stdout("{}: {} bytes{}\n", file, counts.bytes,
               name.empty() ? "" : fmt::format(", named {}", wasi::printable(name)));
  print_stdout("features: {}\n", join(module.features()));
  if (const auto unsupported = module.unsupported_features(); !unsupported.empty()) {
    print_stdout("not run by this version: {}\n", join(unsupported));
  }
  print_stdout(
      "{} types, {} functions ({} named), {} tables, {} memories, {} globals, {} tags, {} data segments, {} element "
      "segments\n",
      counts.types, counts.functions, module.function_names().size(), counts.tables, counts.memories, counts.globals,
      counts.tags, counts.data_segments, counts.element_segments);
  print_stdout("\nsections:\n  {:>10}  {:>10}  name\n", "offset", "size");
  for (const wasi::SectionInfo& section : module.sections()) {
    print_stdout("  {:>#10x}  {:>10}  {}{}\n", section.offset, section.size, section.id == 0 ? "custom " : "",
                 wasi::printable(section.name));
  }
  print_stdout("\nimports ({}):\n", counts.imports);
  for (const wasi::ImportType& import : module.imports()) {
    print_stdout("  {}.{}: {}\n", wasi::printable(import.module), wasi::printable(import.name),
                 import.type.to_string());
  }
  print_stdout("\nexports ({}):\n", counts.exports);
  for (const wasi::ExportType& exported : module.exports()) {
    print_stdout("  {}: {}\n", wasi::printable(exported.name), exported.type.to_string());
  }
}

}  // namespace

int inspect(const InspectCommand& command) {
  // Validated as a whole, since features show in function bodies.
  wasi::EngineConfig config;
  config.validation = wasi::Validation::parallel;
  const auto engine = wasi::Engine::create(config);
  if (!engine) return failure("{}", engine.error().to_string());
  const auto module = load_program(*engine, command.file);
  if (!module) return file_failure(command.file, module.error());
  if (command.json) {
    print_stdout("{}\n", dump(to_json(command.file, *module)));
  } else {
    print_text(name_of(command.file), *module);
  }
  return kSuccess;
}

}  // namespace wasirun
