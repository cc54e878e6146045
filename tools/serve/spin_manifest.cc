#include "tools/serve/spin_manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/serve/toml_fields.h"

namespace wasirun::serve {

namespace {

constexpr std::string_view kDefaultArguments = "${SCRIPT_NAME} ${ARGS}";
constexpr std::string_view kDefaultEntry = "_start";

// spin_manifest_version since 1.0, spin_version before.
void check_version(const TomlFields& top) {
  for (const std::string_view key : {"spin_manifest_version", "spin_version"}) {
    const toml::node* const version = top.node(key);
    if (version == nullptr) continue;
    if (const auto* text = version->as_string(); text != nullptr && text->get() == "1") return;
    top.fail(*version,
             fmt::format("{} is to be \"1\": later manifests are of components, of which none can be served", key));
    return;
  }
  top.fail("spin_manifest_version (or, as it was called once, spin_version) is missing: \"1\" is expected");
}

void read_trigger(const TomlFields& top, SpinManifest& manifest) {
  const auto trigger = top.table("trigger");
  if (!trigger) {
    if (top.node("trigger") == nullptr) top.fail("trigger is missing: { type = \"http\", base = \"/\" } is expected");
    return;
  }
  if (const std::string type = trigger->required_text("type"); type != "http") {
    trigger->fail("type", fmt::format("triggers of the type \"{}\" are not served, only \"http\"", type));
  }
  manifest.base = trigger->text("base").value_or(manifest.base);
  if (!manifest.base.starts_with('/')) trigger->fail("base", "base is to begin with a slash");
}

void read_variables(const TomlFields& top, SpinManifest& manifest) {
  const auto variables = top.table("variables");
  if (!variables) return;
  for (const auto& [name, fields] : variables->members()) {
    if (const auto why = not_a_spin_key(name)) {
      fields.fail(fmt::format("\"{}\" is no name of a variable: {}", name, *why));
    }
    SpinVariable variable{.value = fields.text("default"), .is_secret = fields.flag("secret")};
    if (fields.flag("required") == variable.value.has_value()) {
      fields.fail(fmt::format("the variable {} is to have either a default, or required = true", name));
    }
    manifest.variables.emplace(name, std::move(variable));
  }
}

std::string read_source(const TomlFields& component) {
  const toml::node* const source = component.node("source");
  if (source != nullptr && source->is_table()) {
    component.fail(*source, "modules are not fetched: source is to be the path of a file");
    return {};
  }
  return component.required_text("source");
}

void read_executor(const TomlFields& trigger, SpinComponent& component) {
  const auto executor = trigger.table("executor");
  if (!executor) return;
  const std::string type = executor->required_text("type");
  if (type == "spin") return;
  if (type != "wagi") {
    executor->fail("type", fmt::format("there is no executor \"{}\", only \"spin\" and \"wagi\"", type));
    return;
  }
  component.executor = SpinExecutor::wagi;
  if (executor->text("entrypoint").value_or(std::string(kDefaultEntry)) != kDefaultEntry) {
    executor->fail("entrypoint", "programs are begun at \"_start\" alone");
  }
  if (executor->text("argv").value_or(std::string(kDefaultArguments)) != kDefaultArguments) {
    executor->fail("argv", fmt::format("programs are given \"{}\", and no other arguments", kDefaultArguments));
  }
}

void read_trigger(const TomlFields& fields, SpinComponent& component) {
  const auto trigger = fields.table("trigger");
  if (!trigger) {
    if (fields.node("trigger") == nullptr)
      fields.fail(fmt::format("[component.trigger] of {} is missing", component.id));
    return;
  }
  component.route = trigger->required_text("route");
  if (!component.route.starts_with('/')) trigger->fail("route", "route is to begin with a slash");
  read_executor(*trigger, component);
}

bool leaves_folder(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

// Paths on the host are relative, and stay in the manifest's folder.
void check_host_path(const TomlFields& fields, const toml::node& node, std::string_view path) {
  if (path.empty() || path.starts_with('/') || leaves_folder(path)) {
    fields.fail(node, fmt::format("\"{}\" is to be a path from the manifest's folder, and in it", path));
  }
}

void read_files(const TomlFields& fields, SpinFiles& files) {
  files.excluded = fields.texts("exclude_files");
  const toml::node* const node = fields.node("files");
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    fields.fail_type(*node, "files", "an array of patterns and of { source, destination }");
    return;
  }
  for (const toml::node& element : *array) {
    if (const auto* pattern = element.as_string()) {
      check_host_path(fields, element, pattern->get());
      files.patterns.push_back(pattern->get());
      continue;
    }
    const toml::table* const table = element.as_table();
    if (table == nullptr) {
      fields.fail_type(element, "an element of files", "a pattern or { source, destination }");
      continue;
    }
    const TomlFields placement(*table, "files", fields.problem());
    SpinPlacement placed{.source = placement.required_text("source"),
                         .destination = placement.required_text("destination")};
    check_host_path(placement, element, placed.source);
    if (!placed.destination.starts_with('/') || leaves_folder(placed.destination)) {
      placement.fail("destination", fmt::format("\"{}\" is to be an absolute path", placed.destination));
    }
    files.placements.push_back(std::move(placed));
  }
}

void read_config(const TomlFields& fields, const SpinVariables& variables, SpinComponent& component) {
  for (auto& [key, text] : fields.text_table("config")) {
    const auto fail = [&, &key = key](const std::string& why) {
      fields.fail("config", fmt::format("config of {}: {}: {}", component.id, key, why));
    };
    if (const auto why = not_a_spin_key(key)) fail(*why);
    auto parsed = SpinTemplate::parse(text);
    if (!parsed) {
      fail(parsed.error());
      continue;
    }
    for (const SpinTemplate::Part& part : parsed->parts()) {
      if (part.is_variable && !variables.contains(part.text)) {
        fail(fmt::format("there is no variable \"{}\" in [variables]", part.text));
      }
    }
    component.config.emplace_back(key, *std::move(parsed));
  }
}

SpinComponent read_component(const TomlFields& fields, const SpinVariables& variables) {
  SpinComponent component;
  component.id = fields.required_text("id");
  component.source = read_source(fields);
  read_trigger(fields, component);
  read_files(fields, component.files);
  component.environment = fields.text_table("environment");
  component.key_value_stores = fields.texts("key_value_stores");
  for (const std::string& host : fields.texts("allowed_http_hosts")) {
    if (const auto added = component.allowed_hosts.add(host); !added) {
      fields.fail("allowed_http_hosts", fmt::format("allowed_http_hosts: \"{}\": {}", host, added.error()));
    }
  }
  read_config(fields, variables, component);
  return component;
}

}  // namespace

wasi::Result<SpinManifest> parse_spin_manifest(std::string_view text, const std::string& file) {
  TomlProblem problem(file);
  SpinManifest manifest;
  if (const auto table = parse_toml(text, problem)) {
    const TomlFields top(*table, "", problem);
    check_version(top);
    manifest.name = top.required_text("name");
    read_trigger(top, manifest);
    read_variables(top, manifest);
    for (const TomlFields& fields : top.tables("component")) {
      SpinComponent component = read_component(fields, manifest.variables);
      if (std::ranges::find(manifest.components, component.id, &SpinComponent::id) != manifest.components.end()) {
        fields.fail("id", fmt::format("there are two components \"{}\"", component.id));
      }
      manifest.components.push_back(std::move(component));
    }
    if (manifest.components.empty()) top.fail("there is no [[component]]");
  }
  if (problem.first()) return std::unexpected(*problem.first());
  return manifest;
}

}  // namespace wasirun::serve
