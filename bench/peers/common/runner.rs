//! What the runners in Rust share: the command line of every runner here, and the report.
//!
//!     RUNNER [--mode MODE] [--dir HOST::GUEST]... [--report FILE] [ACTION] MODULE [ARGUMENTS...]
//!
//! Without ACTION the program runs. `--load` stops before its first call, `--instances COUNT` makes that many of a
//! module without imports, `--compile FILE` writes what `--precompiled` reads in place of a module.

use std::fmt::Write as _;
use std::time::Instant;

#[derive(PartialEq)]
pub enum Action {
    Run,
    Load,
    Instances(usize),
    Compile(String),
}

pub struct Options {
    pub mode: String,
    pub dirs: Vec<(String, String)>,
    pub report: Option<String>,
    pub action: Action,
    #[allow(dead_code)] // not every runner has a compiled form
    pub is_precompiled: bool,
    /// The module and its arguments.
    pub words: Vec<String>,
}

pub fn fail(message: impl std::fmt::Display) -> ! {
    eprintln!("{}: {message}", env!("CARGO_PKG_NAME"));
    std::process::exit(1)
}

impl Options {
    pub fn parse() -> Options {
        let mut options = Options {
            mode: String::new(),
            dirs: Vec::new(),
            report: None,
            action: Action::Run,
            is_precompiled: false,
            words: Vec::new(),
        };
        let mut words = std::env::args().skip(1).peekable();
        while let Some(word) = words.next_if(|word| word.starts_with("--")) {
            let mut value = || words.next().unwrap_or_else(|| fail(format!("{word} needs a value")));
            match word.as_str() {
                "--mode" => options.mode = value(),
                "--dir" => {
                    let value = value();
                    let (host, guest) = value.split_once("::").unwrap_or((&value, &value));
                    options.dirs.push((host.to_string(), guest.to_string()));
                }
                "--report" => options.report = Some(value()),
                "--load" => options.action = Action::Load,
                "--instances" => match value().parse() {
                    Ok(count) if count > 0 => options.action = Action::Instances(count),
                    _ => fail("--instances needs a count"),
                },
                "--compile" => options.action = Action::Compile(value()),
                "--precompiled" => options.is_precompiled = true,
                _ => fail(format!("unknown option {word}")),
            }
        }
        options.words = words.collect();
        if options.words.is_empty() {
            fail("a module is missing");
        }
        options
    }

    pub fn module(&self) -> &str {
        &self.words[0]
    }
}

/// Lines "name value" of what was measured.
pub struct Report {
    path: Option<String>,
    text: String,
    last: Instant,
}

impl Report {
    pub fn new(path: Option<String>) -> Report {
        Report { path, text: String::new(), last: Instant::now() }
    }

    /// Forgets the time since the last lap: what follows is measured by the next one.
    pub fn begin(&mut self) {
        self.last = Instant::now();
    }

    /// The nanoseconds since the last lap, reported under `name`.
    pub fn lap(&mut self, name: &str) -> f64 {
        let elapsed = self.last.elapsed().as_nanos() as f64;
        self.add(name, elapsed);
        self.last = Instant::now();
        elapsed
    }

    pub fn add(&mut self, name: &str, value: f64) {
        let _ = writeln!(self.text, "{name} {value}");
    }

    pub fn write(&self) {
        if let Some(path) = &self.path {
            if let Err(error) = std::fs::write(path, &self.text) {
                fail(format!("{path}: {error}"));
            }
        }
    }
}

/// Bytes of this process that lie in memory.
pub fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0) * 4096.0
}
