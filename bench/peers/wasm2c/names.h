// The two ways in which wasm2c has named things: up to 1.0.32 (Debian 12's) and after it. `compile` says which by
// defining WASM2C_OLD_NAMES, and includes the header of the module.
#pragma once

#ifdef WASM2C_OLD_NAMES
#define MODULE Z_mod_instance_t
#define MODULE_START Z_modZ__start
#define MODULE_MEMORY Z_modZ_memory
#define MODULE_INSTANTIATE(...) (Z_mod_init_module(), Z_mod_instantiate(__VA_ARGS__))
#define WASI_INSTANCE struct Z_wasi_snapshot_preview1_instance_t*
#define WASI_NAME(name) Z_wasi_snapshot_preview1Z_##name
#define BENCH_INSTANCE struct Z_bench_instance_t*
#define BENCH_NAME(name) Z_benchZ_##name
#else
#define MODULE w2c_mod
#define MODULE_START w2c_mod_0x5Fstart
#define MODULE_MEMORY w2c_mod_memory
#define MODULE_INSTANTIATE(...) wasm2c_mod_instantiate(__VA_ARGS__)
#define WASI_INSTANCE struct w2c_wasi__snapshot__preview1*
#define WASI_NAME(name) w2c_wasi__snapshot__preview1_##name
#define BENCH_INSTANCE struct w2c_bench*
#define BENCH_NAME(name) w2c_bench_##name
#endif
