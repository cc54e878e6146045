// What the standard C interface (wasm.h) lacks, as wasirun has it: errors with their reasons, the text format, a
// linker, host functions that see their caller, limits, fuel, deadlines, interrupts, wider types, vectors, exceptions,
// shared memories, compilation, files. docs/c-api.md shows how it is used.
//
// Ownership and threads are as in wasm.h. Functions that return an own wasirun_error_t* return NULL when all is well;
// what they store through `out` parameters is NULL otherwise. Strings are UTF-8 and end with a NUL; those that are
// returned are borrowed.
#ifndef WASIRUN_H
#define WASIRUN_H

#include "wasi.h"
#include "wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define own
#define WASIRUN_API WASM_API_EXTERN
#define WASIRUN_DECLARE_OWN(name)                       \
  typedef struct wasirun_##name##_t wasirun_##name##_t; \
  WASIRUN_API void wasirun_##name##_delete(own wasirun_##name##_t*);

// The library's version: "0.1.0".
WASIRUN_API const char* wasirun_version(void);

// ---- Errors ----

typedef uint8_t wasirun_error_kind_t;
enum wasirun_error_kind_enum {
  WASIRUN_ERROR_MALFORMED,    // the bytes or the text are not a module
  WASIRUN_ERROR_INVALID,      // well-formed, but does not validate
  WASIRUN_ERROR_UNSUPPORTED,  // correct, but this version does not run it
  WASIRUN_ERROR_UNLINKABLE,   // an import is missing or has another type
  WASIRUN_ERROR_IO,           // the host refused: a file, a directory, an address range
  WASIRUN_ERROR_LIMIT,        // a limit of the engine or of the store was reached, or there is no memory
  WASIRUN_ERROR_ARGUMENT,     // the caller passed something that cannot be meant
};

WASIRUN_DECLARE_OWN(error)
WASIRUN_API wasirun_error_kind_t wasirun_error_kind(const wasirun_error_t*);
// All of it in a sentence or more, for people: "malformed module at offset 0x1f: ...".
WASIRUN_API const char* wasirun_error_message(const wasirun_error_t*);
// Where a module's bytes, or a text, are wrong; lines and columns count from 1. False where that is unknown.
WASIRUN_API bool wasirun_error_offset(const wasirun_error_t*, uint64_t* offset);
WASIRUN_API bool wasirun_error_position(const wasirun_error_t*, uint64_t* line, uint64_t* column);
// Why the last of this thread's calls that failed did so, of those that return no error themselves: wasm_module_new,
// say. NULL when none has failed since this was asked for the last time.
WASIRUN_API own wasirun_error_t* wasirun_last_error(void);

// ---- Traps ----

typedef uint8_t wasirun_trap_code_t;
enum wasirun_trap_code_enum {
  WASIRUN_TRAP_UNREACHABLE,
  WASIRUN_TRAP_MEMORY_OUT_OF_BOUNDS,
  WASIRUN_TRAP_UNALIGNED_ATOMIC,
  WASIRUN_TRAP_EXPECTED_SHARED_MEMORY,
  WASIRUN_TRAP_TABLE_OUT_OF_BOUNDS,
  WASIRUN_TRAP_UNDEFINED_ELEMENT,
  WASIRUN_TRAP_UNINITIALIZED_ELEMENT,
  WASIRUN_TRAP_INDIRECT_CALL_TYPE_MISMATCH,
  WASIRUN_TRAP_INTEGER_DIVIDE_BY_ZERO,
  WASIRUN_TRAP_INTEGER_OVERFLOW,
  WASIRUN_TRAP_INVALID_CONVERSION_TO_INTEGER,
  WASIRUN_TRAP_STACK_OVERFLOW,
  WASIRUN_TRAP_NULL_FUNCTION_REFERENCE,
  WASIRUN_TRAP_NULL_REFERENCE,
  WASIRUN_TRAP_NULL_STRUCTURE_REFERENCE,
  WASIRUN_TRAP_NULL_ARRAY_REFERENCE,
  WASIRUN_TRAP_NULL_I31_REFERENCE,
  WASIRUN_TRAP_NULL_EXCEPTION_REFERENCE,
  WASIRUN_TRAP_ARRAY_OUT_OF_BOUNDS,
  WASIRUN_TRAP_CAST_FAILURE,
  WASIRUN_TRAP_ALLOCATION_FAILURE,
  WASIRUN_TRAP_UNCAUGHT_EXCEPTION,
  WASIRUN_TRAP_INTERRUPTED,
  WASIRUN_TRAP_DEADLINE_EXCEEDED,
  WASIRUN_TRAP_OUT_OF_FUEL,
  WASIRUN_TRAP_HOST_ERROR,  // wasm_trap_new, and arguments or results that do not fit
  WASIRUN_TRAP_UNKNOWN_IMPORT,
  WASIRUN_TRAP_INVALID_FUNCTION,
  WASIRUN_TRAP_EXIT,  // no failure: the program asked to end
};
WASIRUN_API wasirun_trap_code_t wasirun_trap_code(const wasm_trap_t*);
// False when the trap is no exit.
WASIRUN_API bool wasirun_trap_exit_status(const wasm_trap_t*, int32_t* status);
// The message and the frames, a line each, with a NUL at the end.
WASIRUN_API void wasirun_trap_text(const wasm_trap_t*, own wasm_message_t* out);
// The function's name, by the name section or an export, and the module's; "" where there is none.
WASIRUN_API const char* wasirun_frame_func_name(const wasm_frame_t*);
WASIRUN_API const char* wasirun_frame_module_name(const wasm_frame_t*);

// ---- Configurations of engines ----

typedef uint8_t wasirun_tier_t;
enum wasirun_tier_enum {
  WASIRUN_TIER_AUTOMATIC,    // interpreted first, compiled where time is spent
  WASIRUN_TIER_INTERPRETER,  // no machine code, no executable memory
  WASIRUN_TIER_BASELINE,     // machine code of one quick pass
  WASIRUN_TIER_OPTIMISING,   // by the optimising compiler, which is a plug-in
};
typedef uint8_t wasirun_cpu_t;
enum wasirun_cpu_enum {
  WASIRUN_CPU_NATIVE,
  WASIRUN_CPU_X86_64_V2,
  WASIRUN_CPU_X86_64_V3,
  WASIRUN_CPU_X86_64_V4,
};
typedef uint8_t wasirun_validation_t;
enum wasirun_validation_enum {
  WASIRUN_VALIDATION_EAGER,     // at load
  WASIRUN_VALIDATION_PARALLEL,  // at load, on several threads
  WASIRUN_VALIDATION_LAZY,      // each function's body when it is first called
};
typedef uint8_t wasirun_bounds_checks_t;
enum wasirun_bounds_checks_enum {
  WASIRUN_BOUNDS_CHECKS_GUARD_PAGES,  // 8 GiB of address space per memory, and a handler of SIGSEGV
  WASIRUN_BOUNDS_CHECKS_EXPLICIT,
};

WASIRUN_API void wasirun_config_set_tier(wasm_config_t*, wasirun_tier_t);
// The processors that machine code is made for, where modules are serialised here and run elsewhere.
WASIRUN_API void wasirun_config_set_cpu(wasm_config_t*, wasirun_cpu_t);
WASIRUN_API void wasirun_config_set_validation(wasm_config_t*, wasirun_validation_t);
WASIRUN_API void wasirun_config_set_bounds_checks(wasm_config_t*, wasirun_bounds_checks_t);
// Code charges fuel for what it executes: wasirun_store_set_fuel. Off by default.
WASIRUN_API void wasirun_config_set_fuel(wasm_config_t*, bool);
// Optimised code accesses memory exactly in the order as written, also when a trap follows. Off by default.
WASIRUN_API void wasirun_config_set_strict_memory(wasm_config_t*, bool);
// Threads that compile in the background; 0: none.
WASIRUN_API void wasirun_config_set_compile_threads(wasm_config_t*, uint32_t);
// Most bytes of machine code of all modules together.
WASIRUN_API void wasirun_config_set_code_memory_limit(wasm_config_t*, uint64_t);
// Modules must not use this feature: "tail-call", "simd". One that does not exist fails at wasm_engine_new_with_config.
WASIRUN_API void wasirun_config_disable_feature(wasm_config_t*, const char* name);
// Machine code is kept in a directory from one run to the next, at most `limit` bytes of it. What is in there runs
// outside of every sandbox: nobody else may write to it, and no guest.
WASIRUN_API void wasirun_config_set_cache(wasm_config_t*, const char* directory, uint64_t limit);
// Told what makes the engine do less than it was asked for, on any thread. `finalizer`, which may be NULL, is called
// with `env` when the configuration and the engine are gone.
WASIRUN_API void wasirun_config_set_on_warning(wasm_config_t*, void (*callback)(void* env, const char* message),
                                               void* env, void (*finalizer)(void* env));

// ---- Stores: limits, fuel, deadlines, interrupts ----

// What a store may have. A new one limits what stores of the C++ API are limited to.
WASIRUN_DECLARE_OWN(store_config)
WASIRUN_API own wasirun_store_config_t* wasirun_store_config_new(void);
// Bytes of all memories and tables together, with what instances and translated functions take beside them.
WASIRUN_API void wasirun_store_config_set_memory_limit(wasirun_store_config_t*, uint64_t bytes);
WASIRUN_API void wasirun_store_config_set_table_limit(wasirun_store_config_t*, uint64_t elements);  // of each
WASIRUN_API void wasirun_store_config_set_instance_limit(wasirun_store_config_t*, uint64_t instances);
WASIRUN_API void wasirun_store_config_set_stack_size(wasirun_store_config_t*, uint64_t bytes);
WASIRUN_API void wasirun_store_config_set_gc_heap_limit(wasirun_store_config_t*, uint64_t bytes);
WASIRUN_API own wasm_store_t* wasirun_store_new(wasm_engine_t*, const wasirun_store_config_t*);

// What guests may still execute before they trap, for engines whose code charges fuel (else an error): each instruction
// costs 1. A new store has none.
WASIRUN_API own wasirun_error_t* wasirun_store_set_fuel(wasm_store_t*, uint64_t fuel);
WASIRUN_API own wasirun_error_t* wasirun_store_fuel(const wasm_store_t*, uint64_t* fuel);
// Guests trap when so many nanoseconds have passed from now on. Set between calls, not in host functions.
WASIRUN_API own wasirun_error_t* wasirun_store_set_deadline(wasm_store_t*, uint64_t nanoseconds);
WASIRUN_API void wasirun_store_clear_deadline(wasm_store_t*);
// Frees structures and arrays that nothing refers to any more. Happens by itself too.
WASIRUN_API void wasirun_store_collect_garbage(wasm_store_t*);
// Which stack calls are made on, where the program switches stacks itself: all of it, without guard pages. NULL: the
// thread's.
WASIRUN_API void wasirun_store_set_native_stack(wasm_store_t*, const void* low, size_t size);

// Stops the guest of a store, from any thread, also when the store is gone: what runs, or is called next, traps once.
WASIRUN_DECLARE_OWN(interrupter)
WASIRUN_API own wasirun_interrupter_t* wasirun_interrupter_new(const wasm_store_t*);
WASIRUN_API void wasirun_interrupter_interrupt(const wasirun_interrupter_t*);
// Takes back interrupts that came too late to stop anything.
WASIRUN_API void wasirun_store_clear_interrupt(wasm_store_t*);

// ---- Types and values that wasm.h lacks ----

// More kinds of values. All references to the guests' own objects (anyref, eqref, i31ref, structref, arrayref, and
// those to a type that a module defines) are of the kind WASIRUN_ANYREF, and typed function references of WASM_FUNCREF:
// wasirun_valtype_text tells them apart.
enum wasirun_valkind_enum {
  WASIRUN_V128 = 4,
  WASIRUN_ANYREF = 130,
  WASIRUN_EXNREF = 131,
};
enum wasirun_externkind_enum {
  WASIRUN_EXTERN_TAG = 4,
};

// As the text format has it: "(ref null $t)" without names. Any type as such a text, with a NUL at the end.
WASIRUN_API void wasirun_valtype_text(const wasm_valtype_t*, own wasm_message_t* out);
WASIRUN_API void wasirun_externtype_text(const wasm_externtype_t*, own wasm_message_t* out);
// False for numbers and vectors, and for references that cannot be null.
WASIRUN_API bool wasirun_valtype_is_nullable(const wasm_valtype_t*);

// Memories and tables of 64 bits, with small pages, or shared. `max` is WASIRUN_NO_MAXIMUM where there is none.
#define WASIRUN_NO_MAXIMUM UINT64_MAX
typedef struct wasirun_memory_traits_t {
  uint64_t min;  // in pages
  uint64_t max;
  uint64_t page_size;  // in bytes: 65536, or 1
  bool is_64;          // addresses are i64
  bool is_shared;      // between threads
} wasirun_memory_traits_t;
typedef struct wasirun_table_traits_t {
  uint64_t min;  // in elements
  uint64_t max;
  bool is_64;  // indices are i64
} wasirun_table_traits_t;
WASIRUN_API own wasm_memorytype_t* wasirun_memorytype_new(const wasirun_memory_traits_t*);
WASIRUN_API void wasirun_memorytype_traits(const wasm_memorytype_t*, wasirun_memory_traits_t* out);
WASIRUN_API own wasm_tabletype_t* wasirun_tabletype_new(own wasm_valtype_t* element, const wasirun_table_traits_t*);
WASIRUN_API void wasirun_tabletype_traits(const wasm_tabletype_t*, wasirun_table_traits_t* out);

WASIRUN_API uint64_t wasirun_memory_size(const wasm_memory_t*);  // in pages
WASIRUN_API bool wasirun_memory_grow(wasm_memory_t*, uint64_t delta);
WASIRUN_API uint64_t wasirun_table_size(const wasm_table_t*);
WASIRUN_API own wasm_ref_t* wasirun_table_get(const wasm_table_t*, uint64_t index);
WASIRUN_API bool wasirun_table_set(wasm_table_t*, uint64_t index, wasm_ref_t*);
WASIRUN_API bool wasirun_table_grow(wasm_table_t*, uint64_t delta, wasm_ref_t* init);

// A vector of 128 bits, lane 0 first, little-endian. It does not fit into a wasm_val_t, which owns it by a pointer
// therefore: wasm_val_copy and wasm_val_delete see to it as to references.
typedef struct wasirun_v128_t {
  uint8_t bytes[16];
} wasirun_v128_t;
// The value is WASIRUN_V128, or without memory false and *out an i32.
WASIRUN_API bool wasirun_val_new_v128(own wasm_val_t* out, const wasirun_v128_t*);
// False when the value is of another kind.
WASIRUN_API bool wasirun_val_v128(const wasm_val_t*, wasirun_v128_t* out);

// What a reference refers to, whatever its static type says.
typedef uint8_t wasirun_ref_kind_t;
enum wasirun_ref_kind_enum {
  WASIRUN_REF_NULL,
  WASIRUN_REF_FUNCTION,
  WASIRUN_REF_HOST,  // a foreign object, or another object of this interface that a guest was given as externref
  WASIRUN_REF_I31,
  WASIRUN_REF_STRUCTURE,
  WASIRUN_REF_ARRAY,
  WASIRUN_REF_EXCEPTION,
};
WASIRUN_API wasirun_ref_kind_t wasirun_ref_kind(const wasm_ref_t*);
// The low 31 bits of a number as a reference. False when the reference is none of these.
WASIRUN_API own wasm_ref_t* wasirun_ref_new_i31(wasm_store_t*, int32_t value);
WASIRUN_API bool wasirun_ref_i31(const wasm_ref_t*, int32_t* value);

// ---- Host functions that see who calls them ----

// Exists during one call of a host function.
typedef struct wasirun_caller_t wasirun_caller_t;
typedef own wasm_trap_t* (*wasirun_func_callback_t)(void* env, wasirun_caller_t* caller, const wasm_val_vec_t* args,
                                                    wasm_val_vec_t* results);
WASIRUN_API own wasm_func_t* wasirun_func_new(wasm_store_t*, const wasm_functype_t*, wasirun_func_callback_t, void* env,
                                              void (*finalizer)(void* env));
// The store of the call, borrowed from the caller.
WASIRUN_API wasm_store_t* wasirun_caller_store(wasirun_caller_t*);
// The memory that the calling instance exports as "memory", or else its first one; NULL where it has none. Growing may
// move it: ask again after calls into the guest.
WASIRUN_API byte_t* wasirun_caller_memory(const wasirun_caller_t*, size_t* size);
// An export of the calling instance; NULL where there is none of that name.
WASIRUN_API own wasm_extern_t* wasirun_caller_export(const wasirun_caller_t*, const char* name);

// ---- The linker ----

// Names for what modules import. Functions and WASI are defined for any number of stores, also on several threads at
// once; objects for their store alone. A name that is defined a second time is an error, of that and of whatever is
// asked of the linker then, unless redefinition is allowed before.
WASIRUN_DECLARE_OWN(linker)
WASIRUN_API own wasirun_linker_t* wasirun_linker_new(wasm_engine_t*);
WASIRUN_API void wasirun_linker_allow_redefinition(wasirun_linker_t*, bool);
// Borrows the object.
WASIRUN_API own wasirun_error_t* wasirun_linker_define(wasirun_linker_t*, const char* module, const char* name,
                                                       const wasm_extern_t*);
// `finalizer`, which may be NULL, is called with `env` when the linker, all stores with the function are gone, and when
// this fails.
WASIRUN_API own wasirun_error_t* wasirun_linker_define_func(wasirun_linker_t*, const char* module, const char* name,
                                                            const wasm_functype_t*, wasirun_func_callback_t, void* env,
                                                            void (*finalizer)(void* env));
// All exports of an instance.
WASIRUN_API own wasirun_error_t* wasirun_linker_define_instance(wasirun_linker_t*, const char* module,
                                                                const wasm_instance_t*);
// The functions of WASI preview 1, and wasi-threads. Each store has a program of its own with this configuration.
WASIRUN_API own wasirun_error_t* wasirun_linker_define_wasi(wasirun_linker_t*, own wasi_config_t*);
// What becomes of imports that nobody defined.
typedef uint8_t wasirun_unknown_imports_t;
enum wasirun_unknown_imports_enum {
  WASIRUN_UNKNOWN_IMPORTS_ERROR,  // instantiation fails
  WASIRUN_UNKNOWN_IMPORTS_TRAP,   // functions trap when they are called
  WASIRUN_UNKNOWN_IMPORTS_ZERO,   // functions return zeros, and memories, tables and globals are new ones
};
WASIRUN_API void wasirun_linker_set_unknown_imports(wasirun_linker_t*, wasirun_unknown_imports_t);
// What an import of that name would get in the store.
WASIRUN_API own wasirun_error_t* wasirun_linker_get(const wasirun_linker_t*, wasm_store_t*, const char* module,
                                                    const char* name, own wasm_extern_t** out);
// Instantiates and runs the start function. A trap of that is in `*trap`, unless `trap` is NULL, and no error.
WASIRUN_API own wasirun_error_t* wasirun_linker_instantiate(const wasirun_linker_t*, wasm_store_t*,
                                                            const wasm_module_t*, own wasm_instance_t** out,
                                                            own wasm_trap_t** trap);

// An export by its name; NULL where there is none.
WASIRUN_API own wasm_extern_t* wasirun_instance_export(const wasm_instance_t*, const char* name);
// Runs a WASI program to its end (`_start`): its exit status, also where it asks to exit. NULL, or what stopped it.
WASIRUN_API own wasm_trap_t* wasirun_instance_run(const wasm_instance_t*, int32_t* status);
// Calls `_initialize`, which a WASI reactor wants before anything else; nothing where there is none.
WASIRUN_API own wasm_trap_t* wasirun_instance_initialize(const wasm_instance_t*);

// ---- Modules: text, files, compilation ----

// The text format as a binary module, and back.
WASIRUN_API own wasirun_error_t* wasirun_wat_to_wasm(const char* text, size_t size, own wasm_byte_vec_t* out);
WASIRUN_API own wasirun_error_t* wasirun_wasm_to_wat(const wasm_byte_vec_t* binary, own wasm_byte_vec_t* out);
// A file in the binary or the text format.
WASIRUN_API own wasirun_error_t* wasirun_module_from_file(wasm_store_t*, const char* path, own wasm_module_t** out);
// The name in the name section, with a NUL; empty where there is none.
WASIRUN_API void wasirun_module_name(const wasm_module_t*, own wasm_message_t* out);
// The contents of the custom section of that name, of the `index`th where there are several; false where there are not
// so many. Borrowed from the module.
WASIRUN_API bool wasirun_module_custom_section(const wasm_module_t*, const char* name, size_t index,
                                               const byte_t** data, size_t* size);
// Compiles all functions now, on `threads` threads (0: as many as there are processors), as the engine's tier says.
WASIRUN_API own wasirun_error_t* wasirun_module_compile(const wasm_module_t*, uint32_t threads);
// As wasm_module_serialize, to a file that appears whole or not at all; and from there, mapped, not read: such a file
// is replaced, never changed. Trust it like a program.
WASIRUN_API own wasirun_error_t* wasirun_module_serialize_file(const wasm_module_t*, const char* path);
WASIRUN_API own wasirun_error_t* wasirun_module_deserialize_file(wasm_store_t*, const char* path,
                                                                 own wasm_module_t** out);

// ---- Exceptions ----

// Tags: what kind of exception it is. wasirun_tag_t is an extern and a reference as wasm_func_t is.
typedef struct wasirun_tag_t wasirun_tag_t;
WASIRUN_API void wasirun_tag_delete(own wasirun_tag_t*);
// Of the types of the values that its exceptions carry; also as an extern type, and back.
typedef struct wasirun_tagtype_t wasirun_tagtype_t;
WASIRUN_API void wasirun_tagtype_delete(own wasirun_tagtype_t*);
WASIRUN_API own wasirun_tagtype_t* wasirun_tagtype_new(own wasm_valtype_vec_t* params);
WASIRUN_API const wasm_valtype_vec_t* wasirun_tagtype_params(const wasirun_tagtype_t*);
WASIRUN_API const wasm_externtype_t* wasirun_tagtype_as_externtype_const(const wasirun_tagtype_t*);
WASIRUN_API const wasirun_tagtype_t* wasirun_externtype_as_tagtype_const(const wasm_externtype_t*);

WASIRUN_API own wasirun_tag_t* wasirun_tag_new(wasm_store_t*, const wasirun_tagtype_t*);
WASIRUN_API own wasirun_tagtype_t* wasirun_tag_type(const wasirun_tag_t*);
WASIRUN_API wasm_extern_t* wasirun_tag_as_extern(wasirun_tag_t*);
WASIRUN_API wasirun_tag_t* wasirun_extern_as_tag(wasm_extern_t*);

// A trap that throws: a host function returns it, and guests may catch it. NULL when the values do not fit the tag.
WASIRUN_API own wasm_trap_t* wasirun_trap_new_exception(const wasirun_tag_t*, const wasm_val_vec_t* values);
// What a trap of WASIRUN_TRAP_UNCAUGHT_EXCEPTION carries; false, and nothing stored, for other traps.
WASIRUN_API bool wasirun_trap_exception(const wasm_trap_t*, own wasirun_tag_t** tag, own wasm_val_vec_t* values);

// ---- Memories that threads share ----

// Lives as long as a handle or a store that has it. Any thread may use it; what threads do to its bytes is for them to
// order.
WASIRUN_DECLARE_OWN(shared_memory)
// The type is shared and has a maximum.
WASIRUN_API own wasirun_shared_memory_t* wasirun_shared_memory_new(wasm_engine_t*, const wasm_memorytype_t*);
WASIRUN_API own wasirun_shared_memory_t* wasirun_shared_memory_copy(const wasirun_shared_memory_t*);
// The bytes stay where they are.
WASIRUN_API byte_t* wasirun_shared_memory_data(const wasirun_shared_memory_t*);
WASIRUN_API size_t wasirun_shared_memory_data_size(const wasirun_shared_memory_t*);
WASIRUN_API bool wasirun_shared_memory_grow(const wasirun_shared_memory_t*, uint64_t delta_pages);
// Of a store's memory; NULL when that is not shared. And as an object of a store.
WASIRUN_API own wasirun_shared_memory_t* wasirun_memory_share(const wasm_memory_t*);
WASIRUN_API own wasm_memory_t* wasirun_memory_obtain(wasm_store_t*, const wasirun_shared_memory_t*);

#undef own

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // WASIRUN_H
