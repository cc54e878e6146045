#include "tools/shim/record.h"

#include <unistd.h>

#include <charconv>

#include "base/result.h"
#include "tools/shim/host_file.h"
#include "tools/shim/json_node.h"

namespace wasirun::shim {

namespace {

std::string record_path(const std::string& bundle) { return bundle + "/wasirun.json"; }

}  // namespace

std::uint64_t start_time_of(pid_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
  if (!stat) return 0;
  // The second field, a name in parentheses, may hold anything; the time is the 22nd.
  std::size_t position = stat->rfind(')');
  for (int field = 2; field < 22 && position != std::string::npos; ++field) position = stat->find(' ', position + 1);
  if (position == std::string::npos) return 0;
  std::uint64_t time = 0;
  std::from_chars(stat->data() + position + 1, stat->data() + stat->size(), time);
  return time;
}

wasi::Result<void> write_record(const std::string& bundle, const Record& record) {
  const nlohmann::json document{{"pid", record.pid},
                                {"startTime", record.start_time},
                                {"cgroup", record.cgroup},
                                {"runc", record.runc.program},
                                {"runcRoot", record.runc.root}};
  return replace_file(record_path(bundle),
                      document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

wasi::Result<Record> read_record(const std::string& bundle) {
  const nlohmann::json document = WASI_TRY(parse_json(WASI_TRY(read_file(record_path(bundle))), "wasirun.json"));
  const JsonNode node(document, "wasirun.json");
  Record record;
  record.pid = WASI_TRY(WASI_TRY(node.member("pid")).integer<pid_t>()).value_or(0);
  record.start_time = WASI_TRY(WASI_TRY(node.member("startTime")).integer<std::uint64_t>()).value_or(0);
  record.cgroup = WASI_TRY(WASI_TRY(node.member("cgroup")).string());
  record.runc.program = WASI_TRY(WASI_TRY(node.member("runc")).string());
  record.runc.root = WASI_TRY(WASI_TRY(node.member("runcRoot")).string());
  return record;
}

void remove_record(const std::string& bundle) { ::unlink(record_path(bundle).c_str()); }

std::string runc_root_of(const std::string& containerd_namespace) {
  return "/run/wasirun/runc/" + containerd_namespace;
}

std::vector<std::string> runc_command(const Runc& runc, std::vector<std::string> words) {
  words.insert(words.begin(), {runc.program, "--root", runc.root});
  return words;
}

}  // namespace wasirun::shim
