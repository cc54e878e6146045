//! Runs WASI preview1 modules in Wasmer. Modes: `cranelift` and `singlepass`.

#[path = "../../common/runner.rs"]
mod runner;

use runner::{fail, resident_bytes, Action, Options, Report};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use wasmer::sys::{CompilerConfig, Cranelift, EngineBuilder, Singlepass};
use wasmer::{Engine, Function, Imports, Instance, Module, RuntimeError, Store};
use wasmer_wasix::virtual_fs::host_fs;
use wasmer_wasix::{WasiEnv, WasiError};

fn main() {
    let options = Options::parse();
    let compiler: Box<dyn CompilerConfig> = match options.mode.as_str() {
        "" | "cranelift" => Box::new(Cranelift::default()),
        "singlepass" => Box::new(Singlepass::default()),
        other => fail(format!("unknown mode {other}: cranelift or singlepass")),
    };
    let engine: Engine = EngineBuilder::new(compiler).into();
    let mut report = Report::new(options.report.clone());
    let path = options.module();
    let module = if options.is_precompiled {
        // It was written by this program, for this machine.
        let module = unsafe { Module::deserialize_from_file(&engine, path) }.unwrap_or_else(|error| fail(error));
        report.lap("read_ns");
        module
    } else {
        let bytes = std::fs::read(path).unwrap_or_else(|error| fail(format!("{path}: {error}")));
        report.lap("read_ns");
        let module = Module::from_binary(&engine, &bytes).unwrap_or_else(|error| fail(error));
        report.lap("compile_ns");
        module
    };
    let code = match &options.action {
        Action::Instances(count) => make_instances(&engine, &module, *count, &mut report),
        Action::Compile(file) => {
            module.serialize_to_file(file).unwrap_or_else(|error| fail(error));
            0
        }
        Action::Run | Action::Load => run(&options, engine, &module, &mut report),
    };
    report.write();
    std::process::exit(code);
}

fn make_instances(engine: &Engine, module: &Module, count: usize, report: &mut Report) -> i32 {
    let mut kept = Vec::with_capacity(count);
    let before = resident_bytes();
    let start = Instant::now();
    for _ in 0..count {
        let mut store = Store::new(engine.clone());
        let instance = Instance::new(&mut store, module, &Imports::new()).unwrap_or_else(|error| fail(error));
        kept.push((store, instance));
    }
    report.add("instantiate_ns", start.elapsed().as_nanos() as f64 / count as f64);
    report.add("instance_bytes", (resident_bytes() - before) / count as f64);
    // Their end is not measured, and takes long.
    std::mem::forget(kept);
    0
}

fn run(options: &Options, engine: Engine, module: &Module, report: &mut Report) -> i32 {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap_or_else(|error| fail(error));
    let _guard = tokio.enter();
    let mut store = Store::new(engine.clone());
    let mut builder = WasiEnv::builder(options.module()).args(&options.words[1..]);
    builder.set_engine(engine);
    let host = host_fs::FileSystem::new(tokio.handle().clone(), "/").unwrap_or_else(|error| fail(error));
    builder.set_fs(Arc::new(host) as Arc<dyn wasmer_wasix::virtual_fs::FileSystem + Send + Sync>);
    for (host, guest) in &options.dirs {
        let host = std::fs::canonicalize(host).unwrap_or_else(|error| fail(format!("{host}: {error}")));
        builder.add_map_dir(guest, host).unwrap_or_else(|error| fail(error));
    }
    let mut wasi = builder.finalize(&mut store).unwrap_or_else(|error| fail(error));
    // A module that imports nothing of WASI is no error here.
    let mut imports = match wasi.import_object(&mut store, module) {
        Ok(imports) => imports,
        Err(WasiError::UnknownWasiVersion) => Imports::new(),
        Err(error) => fail(error),
    };
    let watch = Arc::new(Mutex::new((Instant::now(), 0u128)));
    let started = watch.clone();
    imports.define("bench", "start", Function::new_typed(&mut store, move || started.lock().unwrap().0 = Instant::now()));
    let ended = watch.clone();
    imports.define(
        "bench",
        "end",
        Function::new_typed(&mut store, move || {
            let mut watch = ended.lock().unwrap();
            watch.1 += watch.0.elapsed().as_nanos();
        }),
    );

    report.begin();
    let instance = Instance::new(&mut store, module, &imports).unwrap_or_else(|error| fail(error));
    wasi.initialize(&mut store, instance.clone()).unwrap_or_else(|error| fail(error));
    report.lap("instantiate_ns");
    if options.action == Action::Load {
        return 0;
    }
    let start = instance.exports.get_function("_start").unwrap_or_else(|error| fail(error)).clone();
    report.begin();
    let done = start.call(&mut store, &[]);
    report.lap("run_ns");
    report.add("timed_ns", watch.lock().unwrap().1 as f64);
    match done {
        Ok(_) => 0,
        Err(error) => exit_code(error),
    }
}

fn exit_code(error: RuntimeError) -> i32 {
    match error.downcast_ref::<WasiError>() {
        Some(WasiError::Exit(code)) => code.raw(),
        _ => fail(error),
    }
}
