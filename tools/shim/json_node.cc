#include "tools/shim/json_node.h"

#include "base/printable.h"

namespace wasirun::shim {

namespace {

// Documents nest a handful of levels; the parser would use the stack for each.
constexpr int kDeepest = 64;

}  // namespace

wasi::Result<nlohmann::json> parse_json(std::string_view text, std::string_view name) {
  bool is_too_deep = false;
  const nlohmann::json::parser_callback_t watch = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    is_too_deep |= depth > kDeepest;
    return !is_too_deep;
  };
  try {
    nlohmann::json document = nlohmann::json::parse(text, watch);
    if (is_too_deep) {
      return wasi::fail(wasi::ErrorKind::argument, "{}: more than {} levels of nesting", name, kDeepest);
    }
    return document;
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string_view message = error.what();
    if (const auto end = message.find("] "); end != std::string_view::npos) message.remove_prefix(end + 2);
    return wasi::fail(wasi::ErrorKind::argument, "{}: {}", name, wasi::printable(message));
  }
}

std::string JsonNode::place_of(std::string_view name) const {
  return fmt::format("{}{}{}", place_, is_root_ ? ": " : ".", wasi::printable(name));
}

std::unexpected<wasi::Error> JsonNode::wrong(std::string_view expected) const {
  return wasi::fail(wasi::ErrorKind::argument, "{}: expected {}, got {}", place_, expected,
                    value_ == nullptr ? "nothing" : value_->type_name());
}

wasi::Result<JsonNode> JsonNode::member(std::string_view name) const {
  if (is_absent()) return JsonNode(nullptr, place_of(name));
  if (!value_->is_object()) return wrong("an object");
  const auto found = value_->find(name);
  return JsonNode(found == value_->end() ? nullptr : &*found, place_of(name));
}

wasi::Result<std::vector<JsonNode>> JsonNode::elements() const {
  std::vector<JsonNode> nodes;
  if (is_absent()) return nodes;
  if (!value_->is_array()) return wrong("an array");
  for (std::size_t i = 0; i < value_->size(); ++i) nodes.push_back({&(*value_)[i], fmt::format("{}[{}]", place_, i)});
  return nodes;
}

wasi::Result<std::string> JsonNode::string() const {
  if (is_absent()) return std::string();
  if (!value_->is_string()) return wrong("a string");
  const auto& text = value_->get_ref<const std::string&>();
  // Every string of ours ends up where C's do: as a path, an argument, the name of something.
  if (text.find('\0') != std::string::npos) return wrong("a string without NUL");
  return text;
}

wasi::Result<bool> JsonNode::boolean() const {
  if (is_absent()) return false;
  if (!value_->is_boolean()) return wrong("true or false");
  return value_->get<bool>();
}

wasi::Result<std::vector<std::string>> JsonNode::strings() const {
  std::vector<std::string> all;
  for (const JsonNode& node : WASI_TRY(elements())) {
    if (node.is_absent()) return node.wrong("a string");
    all.push_back(WASI_TRY(node.string()));
  }
  return all;
}

wasi::Result<std::map<std::string, std::string>> JsonNode::string_map() const {
  std::map<std::string, std::string> all;
  if (is_absent()) return all;
  if (!value_->is_object()) return wrong("an object");
  for (const auto& [name, value] : value_->items()) {
    all.emplace(name, WASI_TRY(JsonNode(&value, place_of(name)).string()));
  }
  return all;
}

}  // namespace wasirun::shim
