// br_table: a stack machine with a switch, which runs a sieve and a loop of arithmetic.
#include "bench.h"

enum Op { kPush, kLoad, kStore, kGet, kPut, kAdd, kSub, kMul, kRem, kLess, kJump, kJumpZero, kAnd, kXor, kDup, kHalt };

typedef struct {
  uint8_t op;
  int32_t operand;
} Instruction;

static int32_t cells[8192];

static int32_t interpret(const Instruction* program, int32_t argument) {
  int32_t stack[32];
  int32_t variables[8] = {argument};
  int32_t* top = stack;
  for (const Instruction* at = program;; at++) {
    switch ((enum Op)at->op) {
      case kPush:
        *top++ = at->operand;
        break;
      case kLoad:
        *top++ = variables[at->operand];
        break;
      case kStore:
        variables[at->operand] = *--top;
        break;
      case kGet:
        top[-1] = cells[top[-1] & 8191];
        break;
      case kPut:
        top -= 2;
        cells[top[0] & 8191] = top[1];
        break;
      case kAdd:
        top--;
        top[-1] = (int32_t)((uint32_t)top[-1] + (uint32_t)top[0]);
        break;
      case kSub:
        top--;
        top[-1] = (int32_t)((uint32_t)top[-1] - (uint32_t)top[0]);
        break;
      case kMul:
        top--;
        top[-1] = (int32_t)((uint32_t)top[-1] * (uint32_t)top[0]);
        break;
      case kRem:
        top--;
        top[-1] = top[0] > 0 ? top[-1] % top[0] : 0;
        break;
      case kLess:
        top--;
        top[-1] = top[-1] < top[0];
        break;
      case kJump:
        at = program + at->operand - 1;
        break;
      case kJumpZero:
        if (*--top == 0) at = program + at->operand - 1;
        break;
      case kAnd:
        top--;
        top[-1] &= top[0];
        break;
      case kXor:
        top--;
        top[-1] ^= top[0];
        break;
      case kDup:
        top[0] = top[-1];
        top++;
        break;
      case kHalt:
        return top[-1];
    }
  }
}

// Variable 0: the argument; 1: i; 2: j; 3: how many primes; 4: a number that changes.
static const Instruction kProgram[] = {
    // for (i = 2; i < 8000; i++) cells[i] = 1
    {kPush, 2},
    {kStore, 1},
    /* 2 */ {kLoad, 1},
    {kPush, 8000},
    {kLess, 0},
    {kJumpZero, 14},
    {kLoad, 1},
    {kPush, 1},
    {kPut, 0},
    {kLoad, 1},
    {kPush, 1},
    {kAdd, 0},
    {kStore, 1},
    {kJump, 2},
    // for (i = 2; i < 8000; i++) if (cells[i]) { primes++; for (j = i + i; j < 8000; j += i) cells[j] = 0 }
    /* 14 */ {kPush, 2},
    {kStore, 1},
    /* 16 */ {kLoad, 1},
    {kPush, 8000},
    {kLess, 0},
    {kJumpZero, 48},
    {kLoad, 1},
    {kGet, 0},
    {kJumpZero, 43},
    {kLoad, 3},
    {kPush, 1},
    {kAdd, 0},
    {kStore, 3},
    {kLoad, 1},
    {kDup, 0},
    {kAdd, 0},
    {kStore, 2},
    /* 31 */ {kLoad, 2},
    {kPush, 8000},
    {kLess, 0},
    {kJumpZero, 43},
    {kLoad, 2},
    {kPush, 0},
    {kPut, 0},
    {kLoad, 2},
    {kLoad, 1},
    {kAdd, 0},
    {kStore, 2},
    {kJump, 31},
    /* 43 */ {kLoad, 1},
    {kPush, 1},
    {kAdd, 0},
    {kStore, 1},
    {kJump, 16},
    // for (i = 0; i < 3000; i++) x = (x * 1103515245 + 12345) ^ (x % 1000 & i)
    /* 48 */ {kPush, 0},
    {kStore, 1},
    {kLoad, 0},
    {kStore, 4},
    /* 52 */ {kLoad, 1},
    {kPush, 3000},
    {kLess, 0},
    {kJumpZero, 73},
    {kLoad, 4},
    {kPush, 1103515245},
    {kMul, 0},
    {kPush, 12345},
    {kAdd, 0},
    {kLoad, 4},
    {kPush, 1000},
    {kRem, 0},
    {kLoad, 1},
    {kAnd, 0},
    {kXor, 0},
    {kStore, 4},
    {kLoad, 1},
    {kPush, 1},
    {kAdd, 0},
    {kStore, 1},
    {kJump, 52},
    /* 73 */ {kLoad, 4},
    {kLoad, 3},
    {kXor, 0},
    {kHalt, 0},
};

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < size; i++) sum = add_checksum(sum, (uint32_t)interpret(kProgram, (int32_t)i));
  return sum;
}

KERNEL(11, NULL)
