// What a WASI program is given, in C: arguments, environment, streams, directories. Nothing is given by itself. The
// names are those that embedders know from wasmtime; wasirun_linker_define_wasi of wasirun.h gives a configuration to
// programs. For ownership and errors see wasm.h.
#ifndef WASI_H
#define WASI_H

#include "wasm.h"

#ifndef WASI_API_EXTERN
#define WASI_API_EXTERN WASM_API_EXTERN
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own

// Texts are copied. A configuration is changed by one thread at a time.
typedef struct wasi_config_t wasi_config_t;
WASI_API_EXTERN void wasi_config_delete(own wasi_config_t*);
WASI_API_EXTERN own wasi_config_t* wasi_config_new(void);

// All arguments, the program's name first; or those of this process. False without memory.
WASI_API_EXTERN bool wasi_config_set_argv(wasi_config_t* config, size_t argc, const char* argv[]);
WASI_API_EXTERN void wasi_config_inherit_argv(wasi_config_t* config);

// All variables; or those of this process. False for a name that is empty or has a "=" in it, with nothing set.
WASI_API_EXTERN bool wasi_config_set_env(wasi_config_t* config, size_t envc, const char* names[], const char* values[]);
WASI_API_EXTERN void wasi_config_inherit_env(wasi_config_t* config);

// Each program reads the file, or the bytes, from the beginning on. False when the file cannot be opened.
WASI_API_EXTERN bool wasi_config_set_stdin_file(wasi_config_t* config, const char* path);
WASI_API_EXTERN void wasi_config_set_stdin_bytes(wasi_config_t* config, own wasm_byte_vec_t* binary);
WASI_API_EXTERN void wasi_config_inherit_stdin(wasi_config_t* config);

// The file is created, or cut to nothing. False when it cannot be opened.
WASI_API_EXTERN bool wasi_config_set_stdout_file(wasi_config_t* config, const char* path);
WASI_API_EXTERN bool wasi_config_set_stderr_file(wasi_config_t* config, const char* path);
WASI_API_EXTERN void wasi_config_inherit_stdout(wasi_config_t* config);
WASI_API_EXTERN void wasi_config_inherit_stderr(wasi_config_t* config);
// `callback` is given `data` and what is written, and returns how many bytes it took, or an errno as a negative number,
// which the program sees. Programs with threads, and several programs with one configuration, call it from any of
// their threads. `finalizer`, which may be NULL, is called with `data` when the configuration and all programs that
// have it are gone.
WASI_API_EXTERN void wasi_config_set_stdout_custom(wasi_config_t* config,
                                                   ptrdiff_t (*callback)(void* data, const unsigned char* bytes,
                                                                         size_t size),
                                                   void* data, void (*finalizer)(void* data));
WASI_API_EXTERN void wasi_config_set_stderr_custom(wasi_config_t* config,
                                                   ptrdiff_t (*callback)(void* data, const unsigned char* bytes,
                                                                         size_t size),
                                                   void* data, void (*finalizer)(void* data));

// What a program may do with directories and files below one that it is given.
typedef size_t wasi_dir_perms;
enum wasi_dir_perms_flags {
  WASI_DIR_PERMS_READ = 1,
  WASI_DIR_PERMS_WRITE = 2,
};
typedef size_t wasi_file_perms;
enum wasi_file_perms_flags {
  WASI_FILE_PERMS_READ = 1,
  WASI_FILE_PERMS_WRITE = 2,
};
// The directory `host_path` and all below it, as `guest_path`. Reading is always allowed, writing for both or for
// neither: else false. Directories are opened when a program is instantiated, and failures reported there.
WASI_API_EXTERN bool wasi_config_preopen_dir(wasi_config_t* config, const char* host_path, const char* guest_path,
                                             wasi_dir_perms dir_perms, wasi_file_perms file_perms);

#undef own

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // WASI_H
