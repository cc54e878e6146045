// Which notes of locals a place in machine code has.
#include "runtime/native_locals.h"

#include <catch2/catch.hpp>

namespace wasi::runtime {
namespace {

TEST_CASE("a place has the notes of the last piece that begins before it, or at it", "[native_locals]") {
  NativeLocals notes;
  notes.code = 1000;
  notes.homes = {-16, 0};
  notes.pins = {{.local = 0, .reg = 3}, {.local = 1, .reg = 8, .is_vector = true}};
  notes.pieces = {{.begin = 10, .first_pin = 0, .pin_count = 1},
                  {.begin = 20, .is_known = false},
                  {.begin = 30, .first_pin = 0, .pin_count = 2, .calls_keep_homes = false, .is_trap = true}};
  CHECK(notes.piece_at(999) == nullptr);
  CHECK(notes.piece_at(1009) == nullptr);
  CHECK(notes.piece_at(1010) == &notes.pieces[0]);
  CHECK(notes.piece_at(1019) == &notes.pieces[0]);
  CHECK(notes.piece_at(1020) == nullptr);
  CHECK(notes.piece_at(1030) == &notes.pieces[2]);
  CHECK(notes.piece_at(5000) == &notes.pieces[2]);
  CHECK(notes.pins_of(notes.pieces[0]).size() == 1);
  CHECK(notes.pins_of(notes.pieces[2])[1].local == 1);

  NativeLocals::Piece same = notes.pieces[2];
  same.begin = 50;
  CHECK(same.continues(notes.pieces[2]));
  same.is_trap = false;
  CHECK_FALSE(same.continues(notes.pieces[2]));
}

}  // namespace
}  // namespace wasi::runtime
