//! Runs WASI preview1 modules in wasmi. Modes: `lazy` (functions are translated at their first call, as wasmi's own
//! command line does) and `eager` (all of them before the module starts).

#[path = "../../common/runner.rs"]
mod runner;

use runner::{fail, resident_bytes, Action, Options, Report};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;
use wasmi::{CompilationMode, Config, Engine, Instance, Linker, Module, Store};
use wasmi_wasi::{ambient_authority, Dir, WasiCtx, WasiCtxBuilder};

fn main() {
    let options = Options::parse();
    let mut config = Config::default();
    config.compilation_mode(match options.mode.as_str() {
        "" | "lazy" => CompilationMode::LazyTranslation,
        "eager" => CompilationMode::Eager,
        other => fail(format!("unknown mode {other}: lazy or eager")),
    });
    // Its defaults, 1000 calls and 1 MB, are less than some benchmarks need.
    config.set_max_recursion_depth(100_000);
    config.set_max_stack_height(16 << 20);
    let engine = Engine::new(&config);
    let mut report = Report::new(options.report.clone());
    let bytes = std::fs::read(options.module()).unwrap_or_else(|error| fail(format!("{}: {error}", options.module())));
    report.lap("read_ns");
    let module = Module::new(&engine, &bytes[..]).unwrap_or_else(|error| fail(error));
    report.lap("compile_ns");
    let code = match options.action {
        Action::Instances(count) => make_instances(&engine, &module, count, &mut report),
        // wasmi has no compiled form: this is for the time alone.
        Action::Compile(_) => 0,
        Action::Run | Action::Load => run(&options, &engine, &module, &mut report),
    };
    report.write();
    std::process::exit(code);
}

fn make_instances(engine: &Engine, module: &Module, count: usize, report: &mut Report) -> i32 {
    let mut kept: Vec<(Store<()>, Instance)> = Vec::with_capacity(count);
    let before = resident_bytes();
    let start = Instant::now();
    for _ in 0..count {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).unwrap_or_else(|error| fail(error));
        kept.push((store, instance));
    }
    report.add("instantiate_ns", start.elapsed().as_nanos() as f64 / count as f64);
    report.add("instance_bytes", (resident_bytes() - before) / count as f64);
    0
}

/// The host's side of bench.start and bench.end.
#[derive(Clone)]
struct Watch(Rc<Cell<(Instant, u128)>>);

struct Host {
    wasi: WasiCtx,
    watch: Watch,
}

// A store's data has to be Send for wasmi_wasi; there is one thread here.
unsafe impl Send for Host {}

fn run(options: &Options, engine: &Engine, module: &Module, report: &mut Report) -> i32 {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio();
    builder.args(&options.words).unwrap_or_else(|error| fail(error));
    for (host, guest) in &options.dirs {
        let dir = Dir::open_ambient_dir(host, ambient_authority()).unwrap_or_else(|error| fail(format!("{host}: {error}")));
        builder.preopened_dir(dir, guest).unwrap_or_else(|error| fail(error));
    }
    let watch = Watch(Rc::new(Cell::new((Instant::now(), 0))));
    let mut store = Store::new(engine, Host { wasi: builder.build(), watch: watch.clone() });
    let mut linker = Linker::<Host>::new(engine);
    wasmi_wasi::add_to_linker(&mut linker, |host: &mut Host| &mut host.wasi).unwrap_or_else(|error| fail(error));
    linker
        .func_wrap("bench", "start", |caller: wasmi::Caller<'_, Host>| {
            let watch = &caller.data().watch.0;
            watch.set((Instant::now(), watch.get().1));
        })
        .unwrap_or_else(|error| fail(error));
    linker
        .func_wrap("bench", "end", |caller: wasmi::Caller<'_, Host>| {
            let watch = &caller.data().watch.0;
            let (start, total) = watch.get();
            watch.set((start, total + start.elapsed().as_nanos()));
        })
        .unwrap_or_else(|error| fail(error));
    report.begin();
    let instance = linker.instantiate_and_start(&mut store, module).unwrap_or_else(|error| fail(error));
    report.lap("instantiate_ns");
    if options.action == Action::Load {
        return 0;
    }
    let start = instance.get_typed_func::<(), ()>(&store, "_start").unwrap_or_else(|error| fail(error));
    report.begin();
    let done = start.call(&mut store, ());
    report.lap("run_ns");
    report.add("timed_ns", watch.0.get().1 as f64);
    match done {
        Ok(()) => 0,
        Err(error) => error.i32_exit_status().unwrap_or_else(|| fail(error)),
    }
}
