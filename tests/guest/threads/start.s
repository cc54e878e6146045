# Where a thread begins: (thread id, argument). The argument points to the new thread's stack and thread-local block,
# which have to be in place before C can run.
    .globaltype __stack_pointer, i32
    .globaltype __tls_base, i32
    .functype thread_main (i32, i32) -> ()
    .export_name wasi_thread_start, wasi_thread_start
    .globl wasi_thread_start
    .type wasi_thread_start, @function
wasi_thread_start:
    .functype wasi_thread_start (i32, i32) -> ()
    local.get 1
    i32.load 0
    global.set __stack_pointer
    local.get 1
    i32.load 4
    global.set __tls_base
    local.get 0
    local.get 1
    call thread_main
    end_function
