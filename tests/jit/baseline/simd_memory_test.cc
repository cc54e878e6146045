// Vectors and memory: at the last bytes before inaccessible ones, where each access reads and writes what it names and
// no more, and one byte further, where the fault is at the instruction that the caller is told of.
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include <catch2/catch.hpp>

#include "jit/baseline/simd_x64.h"
#include "os/virtual_memory.h"
#include "snippet.h"
#include "support/vector_samples.h"
#include "vector_reference.h"

namespace wasi::jit::baseline::test {
namespace {

using x64::Gp;
using x64::Xmm;

// A page, and behind it one that faults.
class Memory {
 public:
  Memory() { REQUIRE(pages_.commit(0, os::page_size()).has_value()); }
  [[nodiscard]] std::uint8_t* end() const { return pages_.base() + os::page_size(); }

 private:
  os::Reservation pages_ = os::Reservation::reserve(2 * os::page_size()).value();
};

// Where the last fault was.
sigjmp_buf resume;
volatile std::uintptr_t fault_pc;
volatile std::uintptr_t fault_address;

void on_fault(int /*signal*/, siginfo_t* info, void* context) {
  fault_pc = static_cast<std::uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  fault_address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  siglongjmp(resume, 1);
}

// Whether the snippet faults.
bool faults(const Snippet& snippet, Registers& registers) {
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  REQUIRE(sigaction(SIGSEGV, &action, &before) == 0);
  const bool faulted = sigsetjmp(resume, 1) != 0;
  if (!faulted) snippet.run(registers);
  sigaction(SIGSEGV, &before, nullptr);
  return faulted;
}

// An address is a register and what is added to it; the scratch register may be the one.
struct Address {
  Gp base;
  std::int32_t offset;
  [[nodiscard]] x64::Mem mem() const { return x64::ptr(base, offset); }
};
const Address kAddresses[] = {{x64::rsi, 0}, {MacroAssembler::kScratch, -12345678}, {x64::r13, 77}};

struct Places {
  Xmm dst;
  Xmm operand;
};
const Places kPlaces[] = {{x64::xmm3, x64::xmm10}, {x64::xmm10, x64::xmm10}};

std::uint32_t lanes_accessed(const Reference& row) {
  const bool has_lane = row.shape == Shape::load_lane || row.shape == Shape::store_lane;
  return has_lane ? static_cast<std::uint32_t>(lanes_of(row.op)) : 1;
}

// Emits `row` at `address`; the vector that is written, or is the operand of a lane, is at `places`.
std::size_t emit(MacroAssembler& m, const Reference& row, const Places& places, const Address& address,
                 std::uint32_t lane) {
  switch (row.shape) {
    case Shape::load:
      return vector_load(m, row.op, places.dst, address.mem());
    case Shape::load_lane:
      return vector_load_lane(m, row.op, places.dst, places.operand, address.mem(), lane);
    case Shape::store:
      return vector_store(m, address.mem(), places.operand);
    default:
      return vector_store_lane(m, row.op, address.mem(), places.operand, lane);
  }
}

template <class Check>
void for_accesses(std::initializer_list<Shape> shapes, Check check) {
  for (const CpuFeatures& cpu : machines()) {
    for (const Shape shape : shapes) {
      for (const Reference& row : of_shape(shape)) {
        for (const Places& places : kPlaces) {
          for (const Address& address : kAddresses) {
            for (std::uint32_t lane = 0; lane < lanes_accessed(row); ++lane) {
              INFO(describe(cpu) << " " << wasm::info(row.op).text << " " << lane);
              const Snippet snippet(cpu, [&](MacroAssembler& m) { return emit(m, row, places, address, lane); });
              check(snippet, row, places, address, lane);
            }
          }
        }
      }
    }
  }
}

void set_address(Registers& registers, const Address& address, const std::uint8_t* to) {
  registers[address.base] = reinterpret_cast<std::uintptr_t>(to) - static_cast<std::uint64_t>(address.offset);
}

TEST_CASE("loads of vectors read what they name", "[simd]") {
  const Memory memory;
  const std::vector<V128> samples = simd::samples<std::uint16_t>();
  for_accesses({Shape::load, Shape::load_lane}, [&](const Snippet& snippet, const Reference& row, const Places& places,
                                                    const Address& address, std::uint32_t lane) {
    const std::size_t bytes = wasm::info(row.op).access;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const V128 operands[] = {samples[i], samples[(i + 1) % samples.size()]};
      std::uint8_t* const from = memory.end() - bytes;
      std::memcpy(from, operands, bytes);
      Registers before = Registers::distinct();
      before[places.operand] = operands[1];
      set_address(before, address, from);
      Registers after = before;
      REQUIRE_FALSE(faults(snippet, after));
      REQUIRE(describe(after[places.dst]) == describe(row.compute(operands, lane)));
      REQUIRE(only_wrote(places.dst, before, after));
    }
    Registers registers = Registers::distinct();
    set_address(registers, address, memory.end() - bytes + 1);
    REQUIRE(faults(snippet, registers));
    CHECK(fault_pc == snippet.access());
    CHECK(fault_address == reinterpret_cast<std::uintptr_t>(memory.end()));
  });
}

TEST_CASE("stores of vectors write what they name", "[simd]") {
  const Memory memory;
  const std::vector<V128> samples = simd::samples<std::uint16_t>();
  for_accesses({Shape::store, Shape::store_lane},
               [&](const Snippet& snippet, const Reference& row, const Places& places, const Address& address,
                   std::uint32_t lane) {
                 const std::size_t bytes = wasm::info(row.op).access;
                 for (const V128 operand : samples) {
                   // At the end, and with room behind, which stays as it is.
                   for (const std::size_t room : {std::size_t{0}, std::size_t{16}}) {
                     std::uint8_t* const to = memory.end() - bytes - room;
                     const std::vector<std::uint8_t> around(64, 0xA5);
                     std::memcpy(memory.end() - around.size(), around.data(), around.size());
                     Registers before = Registers::distinct();
                     before[places.operand] = operand;
                     set_address(before, address, to);
                     Registers after = before;
                     REQUIRE_FALSE(faults(snippet, after));
                     const V128 expected = row.shape == Shape::store ? operand : row.compute(&operand, lane);
                     std::vector<std::uint8_t> memory_after = around;
                     std::memcpy(memory_after.data() + around.size() - bytes - room, &expected, bytes);
                     REQUIRE(std::memcmp(memory.end() - around.size(), memory_after.data(), around.size()) == 0);
                     REQUIRE(only_wrote(MacroAssembler::kScratch, before, after));
                   }
                 }
                 Registers registers = Registers::distinct();
                 set_address(registers, address, memory.end() - bytes + 1);
                 REQUIRE(faults(snippet, registers));
                 CHECK(fault_pc == snippet.access());
                 CHECK(fault_address == reinterpret_cast<std::uintptr_t>(memory.end()));
               });
}

}  // namespace
}  // namespace wasi::jit::baseline::test
