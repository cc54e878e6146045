// Differential runs for as long as one likes, and what is needed to look into what they find:
//   differential [--from N] [--to N] [--jobs N] [--seconds N] [--keep-going] [--rounds N] [--with NAME]... [--out
//   FOLDER] differential --replay SEED [--with NAME]... [--out FOLDER]    says what is wrong, writes the modules
//   differential --reduce SEED [--with NAME]... [--out FOLDER]    the same of the smallest case that is still wrong
//   differential --module FILE [--module FILE]    the same of modules, texts or not, that were written otherwise
//   --bytes FILE stands in the place of a seed (what libFuzzer left, say).
//   --rounds: lists of arguments that each function is called with (2).
//   --with: only the configurations whose name contains this, and the first one.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "binary/decoder.h"
#include "fuzz/reduce.h"
#include "fuzz/run.h"
#include "text/print.h"

namespace wasi::test::fuzz {
namespace {

constexpr unsigned kMostSeconds = 60;  // of a case: whatever takes longer hangs

struct Options {
  std::uint64_t from = 0;
  std::uint64_t to = UINT64_MAX;
  unsigned jobs = 1;
  std::uint64_t seconds = UINT64_MAX;
  bool keep_going = false;
  std::uint32_t rounds = 2;
  std::vector<std::string> with;
  std::filesystem::path out = ".";
  std::optional<std::uint64_t> replay;
  std::optional<std::string> bytes;
  std::vector<std::string> modules;
  bool reduces = false;
};

std::vector<Configuration> chosen_configurations(const Options& options) {
  std::vector<Configuration> chosen;
  for (const Configuration& configuration : configurations()) {
    bool is_chosen = options.with.empty() || chosen.empty();
    for (const std::string& name : options.with) is_chosen = is_chosen || configuration.name.contains(name);
    if (is_chosen) chosen.push_back(configuration);
  }
  return chosen;
}

// What the workers tell: in memory that they share.
struct Progress {
  std::uint64_t seed;
  std::uint64_t cases;
  std::uint64_t calls;
  std::uint64_t first_calls;
  std::uint64_t returned;
  std::uint64_t given_up;
  std::uint64_t not_begun;
  std::array<std::uint64_t, 64> traps;  // by code
  bool is_finished;
  bool has_finding;
  char finding[4000];
};

void say_finding(Progress& progress, const std::string& finding) {
  progress.has_finding = true;
  const std::size_t length = std::min(finding.size(), sizeof(progress.finding) - 1);
  std::memcpy(progress.finding, finding.data(), length);
  progress.finding[length] = '\0';
}

// Every `jobs`th seed from `first` on. Ends at the first finding.
void work(const Options& options, std::uint64_t first, std::uint64_t step, Progress& progress) {
  Differential differential(chosen_configurations(options), options.rounds);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(std::min<std::uint64_t>(options.seconds, 1U << 30));
  const Progress before = progress;
  for (std::uint64_t seed = first; seed < options.to && std::chrono::steady_clock::now() < end; seed += step) {
    progress.seed = seed;
    alarm(kMostSeconds);
    const auto finding = differential.run(generate(bytes_of_seed(seed)));
    const RunStatistics& statistics = differential.statistics();
    progress.cases = before.cases + statistics.cases;
    progress.calls = before.calls + statistics.calls;
    progress.first_calls = before.first_calls + statistics.first_calls;
    progress.returned = before.returned + statistics.returned;
    progress.given_up = before.given_up + statistics.given_up;
    progress.not_begun = before.not_begun + statistics.not_begun;
    for (const auto& [code, count] : statistics.traps) {
      progress.traps[static_cast<std::size_t>(code)] = before.traps[static_cast<std::size_t>(code)] + count;
    }
    if (finding) {
      say_finding(progress, *finding);
      return;
    }
  }
  progress.is_finished = true;
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGALRM ? fmt::format("takes longer than {} seconds", kMostSeconds)
                                       : fmt::format("dies of {}", strsignal(WTERMSIG(status)));
  }
  return fmt::format("ends with {}", WEXITSTATUS(status));
}

template <class T>
T* share(std::size_t count) {
  void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
}

int run_many(const Options& options) {
  Progress* progress = share<Progress>(options.jobs);
  if (progress == nullptr) return 2;
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + std::chrono::seconds(std::min<std::uint64_t>(options.seconds, 1U << 30));
  std::vector<pid_t> workers(options.jobs);
  const auto begin = [&](unsigned job, std::uint64_t first) {
    std::fflush(nullptr);
    workers[job] = fork();
    if (workers[job] == 0) {
      Options own = options;
      own.seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(
          0, std::chrono::duration_cast<std::chrono::seconds>(end - std::chrono::steady_clock::now()).count()));
      work(own, first, options.jobs, progress[job]);
      std::fflush(nullptr);
      _exit(0);
    }
  };
  for (unsigned job = 0; job < options.jobs; ++job) begin(job, options.from + job);
  std::uint64_t findings = 0;
  unsigned running = options.jobs;
  while (running > 0) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended < 0) break;
    for (unsigned job = 0; job < options.jobs; ++job) {
      if (workers[job] != ended) continue;
      Progress& own = progress[job];
      if (own.is_finished) {
        --running;
        break;
      }
      ++findings;
      fmt::print("seed {}: {}\n", own.seed, own.has_finding ? own.finding : describe_end(status).c_str());
      std::fflush(stdout);
      own.has_finding = false;
      if (options.keep_going) {
        begin(job, own.seed + options.jobs);
        break;
      }
      --running;
      for (unsigned other = 0; other < options.jobs; ++other) {
        if (other != job && !progress[other].is_finished) kill(workers[other], SIGTERM);
      }
      running = 0;
      break;
    }
  }
  while (wait(nullptr) > 0) {
  }
  Progress sum{};
  for (unsigned job = 0; job < options.jobs; ++job) {
    sum.cases += progress[job].cases;
    sum.calls += progress[job].calls;
    sum.first_calls += progress[job].first_calls;
    sum.returned += progress[job].returned;
    sum.given_up += progress[job].given_up;
    sum.not_begun += progress[job].not_begun;
    sum.seed = std::max(sum.seed, progress[job].seed);
    for (std::size_t code = 0; code < sum.traps.size(); ++code) sum.traps[code] += progress[job].traps[code];
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(
      "{} cases up to seed {}, {} calls in {:.1f} s ({:.0f} a second); of {} calls of the first configuration {} "
      "returned; {} cases given up, {} not begun; {} findings\n",
      sum.cases, sum.seed, sum.calls, seconds, static_cast<double>(sum.calls) / seconds, sum.first_calls, sum.returned,
      sum.given_up, sum.not_begun, findings);
  for (std::size_t code = 0; code < sum.traps.size(); ++code) {
    if (sum.traps[code] != 0)
      fmt::print("  {} trapped: {}\n", sum.traps[code], message_of(static_cast<TrapCode>(code)));
  }
  return findings == 0 ? 0 : 1;
}

// What comes of a case, in a process of its own; empty: nothing is wrong.
std::string try_in_child(const std::vector<Configuration>& chosen, std::uint32_t rounds, const Case& generated) {
  static Progress* progress = share<Progress>(1);
  progress->has_finding = false;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    // What a dying process says is of no interest here.
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    alarm(kMostSeconds);
    Differential differential(chosen, rounds);
    if (const auto finding = differential.run(generated)) say_finding(*progress, *finding);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (progress->has_finding) return progress->finding;
  return status == 0 ? "" : describe_end(status);
}

// Disagreements are one kind, each way to die another, modules that are refused a third.
std::string kind_of(const std::string& finding) {
  if (finding.contains("disagree")) return "disagree";
  return finding.substr(0, finding.find(':'));
}

void write_case(const Options& options, const std::string& name, const Case& generated) {
  std::filesystem::create_directories(options.out);
  for (std::size_t i = 0; i < generated.modules.size(); ++i) {
    const auto& bytes = generated.modules[i];
    const auto base = options.out / fmt::format("{}-{}", name, i);
    std::ofstream(base.string() + ".wasm", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
    if (!module) continue;
    if (const auto text = text::print_module(**module)) std::ofstream(base.string() + ".wat") << *text;
    fmt::print("{}.wasm, .wat\n", base.string());
  }
}

std::vector<std::uint8_t> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run_modules(const Options& options) {
  Case written;
  for (const std::string& path : options.modules) written.modules.push_back(read(path));
  const std::string finding = try_in_child(chosen_configurations(options), options.rounds, written);
  fmt::print("{}\n", finding.empty() ? "nothing is wrong" : finding);
  return finding.empty() ? 0 : 1;
}

int look_into(const Options& options) {
  std::vector<std::uint8_t> bytes;
  std::string name;
  if (options.bytes) {
    bytes = read(*options.bytes);
    name = std::filesystem::path(*options.bytes).filename().string();
  } else {
    bytes = bytes_of_seed(*options.replay);
    name = fmt::format("seed-{}", *options.replay);
  }
  const auto chosen = chosen_configurations(options);
  Case generated = generate(bytes);
  std::string finding = try_in_child(chosen, options.rounds, generated);
  fmt::print("{}: {}\n", name, finding.empty() ? "nothing is wrong" : finding);
  if (options.reduces && !finding.empty()) {
    // Two configurations are enough to disagree.
    std::vector<Configuration> few;
    for (const Configuration& configuration : chosen) {
      if (few.empty() || finding.contains(fmt::format("\"{}\"", configuration.name))) few.push_back(configuration);
    }
    if (few.size() < 2) few = chosen;
    const std::string kind = kind_of(finding);
    const auto is_wrong = [&](const Case& candidate) {
      return kind_of(try_in_child(few, options.rounds, candidate)) == kind;
    };
    const auto omitted = reduce(bytes, is_wrong, 20'000);
    generated = generate(bytes, omitted);
    fmt::print("{} of {} pieces are left: {}\n", std::ranges::count(omitted, false), omitted.size(),
               try_in_child(few, options.rounds, generated));
    name += "-reduced";
  }
  write_case(options, name, generated);
  return finding.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--keep-going") {
      options.keep_going = true;
      continue;
    }
    if (i + 1 == argc) {
      fmt::print(stderr, "{}: not known, or its value is missing\n", word);
      return 2;
    }
    const std::string value = argv[++i];
    const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 0); };
    if (word == "--from") {
      options.from = number();
    } else if (word == "--to") {
      options.to = number();
    } else if (word == "--jobs") {
      options.jobs = std::max(1U, static_cast<unsigned>(number()));
    } else if (word == "--rounds") {
      options.rounds = static_cast<std::uint32_t>(number());
    } else if (word == "--seconds") {
      options.seconds = number();
    } else if (word == "--with") {
      options.with.push_back(value);
    } else if (word == "--out") {
      options.out = value;
    } else if (word == "--replay" || word == "--reduce") {
      options.replay = number();
      options.reduces = word == "--reduce";  // of a file: the number means nothing
    } else if (word == "--bytes") {
      options.bytes = value;
    } else if (word == "--module") {
      options.modules.push_back(value);
    } else {
      fmt::print(stderr, "{}: not known\n", word);
      return 2;
    }
  }
  if (!options.modules.empty()) return run_modules(options);
  return options.replay || options.bytes ? look_into(options) : run_many(options);
}

}  // namespace
}  // namespace wasi::test::fuzz

int main(int argc, char** argv) { return wasi::test::fuzz::run(argc, argv); }
