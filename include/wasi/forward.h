// The names of the public classes, for headers that only mention them: costs nothing to compile.
#pragma once

#include <wasi/detail/export.h>

namespace wasi {

// engine.h, module.h, profile.h
class Engine;
struct EngineConfig;
class Module;
struct Profile;

// store.h, memory.h, exception.h
class Store;
class StoreContext;
struct StoreConfig;
class Interrupter;
class DeadlineScope;
class Memory;
class SharedMemory;
class Tag;
class Exception;

// function.h, instance.h, linker.h, caller.h
class Instance;
class Function;
template <class Signature>
class TypedFunction;
class Global;
class Table;
class Extern;
class Linker;
class InstantiationError;
class Caller;

// types.h, values.h
class ValueType;
struct FunctionType;
struct MemoryType;
struct TableType;
struct GlobalType;
struct TagType;
struct ExternType;
struct ImportType;
struct ExportType;
class Value;
struct V128;
struct ExternRef;

// defined_type.h, objects.h, host_object.h
class DefinedType;
struct FieldType;
class Struct;
class Array;
class AnyRef;
struct I31;
class HostObject;

// error.h, trap.h
struct Error;
struct Trap;
struct StackFrame;

// wasi_config.h, stdio.h, socket.h, memory_directory.h
class WasiConfig;
class Stdio;
class OutputBuffer;
class Pipe;
class Socket;
class MemoryDirectory;

}  // namespace wasi
