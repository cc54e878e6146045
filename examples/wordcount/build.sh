#!/bin/sh
# Compiles wordcount.c to wordcount.wasm (Debian: clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32).
set -eu
cd "$(dirname "$0")"
clang-19 --target=wasm32-wasi -Oz -Wall -Wextra -Werror -std=c17 -Wl,--strip-debug -o wordcount.wasm wordcount.c
