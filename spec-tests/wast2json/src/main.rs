//! wast2json SUITE OUT: converts every .wast below SUITE into OUT/<same path>.json, its modules into
//! numbered .wasm files beside it (text that is not meant to parse: .wat). spec-tests/README.md
//! describes the format. Exits with 1 when a script could not be converted.

mod json;
mod unfold;
mod values;

use json::Json;
use std::path::{Path, PathBuf};
use std::{env, fs, process};
use wast::core::ModuleKind;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

type Fallible<T> = Result<T, String>;

struct Converter {
    line_starts: Vec<usize>,
    folder: PathBuf,
    stem: String,
    files: usize,
}

impl Converter {
    fn line(&self, span: Span) -> u64 {
        self.line_starts
            .partition_point(|start| *start <= span.offset()) as u64
    }

    fn write(&mut self, extension: &str, bytes: &[u8]) -> Fallible<Json> {
        let name = format!("{}.{}.{extension}", self.stem, self.files);
        self.files += 1;
        fs::write(self.folder.join(&name), bytes).map_err(|e| format!("{name}: {e}"))?;
        Ok(name.into())
    }

    /// The members that describe a module: its file and its form. A text that is expected to fail is
    /// kept as text, since what is wrong with it may be its spelling alone.
    fn module<'a>(
        &mut self,
        module: QuoteWat<'a>,
        fails: bool,
    ) -> Fallible<Vec<(&'static str, Json)>> {
        let mut module = module;
        let form = match &module {
            QuoteWat::Wat(Wat::Module(m)) if matches!(m.kind, ModuleKind::Binary(_)) => "binary",
            QuoteWat::Wat(_) => "text",
            _ => "quote",
        };
        let name = module.name().map(|id| id.name().to_string());
        let mut members = vec![("form", form.into())];
        if let Some(name) = name {
            members.push(("name", name.into()));
        }
        let source = match &module {
            QuoteWat::QuoteModule(_, parts) => {
                let mut text = Vec::new();
                for (_, part) in parts {
                    text.extend_from_slice(part);
                    text.push(b' ');
                }
                Some(text)
            }
            _ => None,
        };
        if let Some(text) = &source {
            members.push(("text", self.write("wat", text)?));
        }
        match module.encode() {
            Ok(bytes) => members.push(("binary", self.write("wasm", &bytes)?)),
            Err(error) if fails => members.push(("parse_error", error.message().into())),
            Err(error) => return Err(format!("line {}: {error}", self.line(module.span()))),
        }
        Ok(members)
    }

    fn invoke(&self, invoke: &WastInvoke<'_>) -> Fallible<Json> {
        let mut arguments = Vec::new();
        for arg in &invoke.args {
            match arg {
                WastArg::Core(arg) => arguments.push(values::argument(arg)),
                _ => return Err("an argument is no core value".to_string()),
            }
        }
        let mut members = vec![("type", "invoke".into()), ("field", invoke.name.into())];
        push_name(&mut members, "module", invoke.module);
        members.push(("args", Json::List(arguments)));
        Ok(Json::Object(members))
    }

    fn execute<'a>(&mut self, execute: WastExecute<'a>) -> Fallible<Json> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(module) => {
                let mut members = vec![("type", "instantiate".into())];
                members.extend(self.module(QuoteWat::Wat(module), false)?);
                Ok(Json::Object(members))
            }
            WastExecute::Get { module, global, .. } => {
                let mut members = vec![("type", "get".into()), ("field", global.into())];
                push_name(&mut members, "module", module);
                Ok(Json::Object(members))
            }
        }
    }

    fn command<'a>(&mut self, directive: WastDirective<'a>) -> Fallible<Json> {
        let line = self.line(directive.span());
        let command =
            |kind: &'static str| vec![("type", kind.into()), ("line", Json::Number(line))];
        let members = match directive {
            WastDirective::Module(module) => {
                let mut members = command("module");
                members.extend(self.module(module, false)?);
                members
            }
            WastDirective::ModuleDefinition(module) => {
                let mut members = command("module_definition");
                members.extend(self.module(module, false)?);
                members
            }
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let mut members = command("module_instance");
                push_name(&mut members, "name", instance);
                push_name(&mut members, "module", module);
                members
            }
            WastDirective::Register { name, module, .. } => {
                let mut members = command("register");
                push_name(&mut members, "module", module);
                members.push(("as", name.into()));
                members
            }
            WastDirective::Invoke(invoke) => {
                let mut members = command("action");
                members.push(("action", self.invoke(&invoke)?));
                members
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let mut members = command("assert_return");
                members.push(("action", self.execute(exec)?));
                let mut expected = Vec::new();
                for pattern in &results {
                    match pattern {
                        WastRet::Core(pattern) => expected.push(values::result(pattern)),
                        _ => return Err(format!("line {line}: a result is no core value")),
                    }
                }
                members.push(("expected", Json::List(expected)));
                members
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let mut members = command("assert_trap");
                members.push(("message", message.into()));
                members.push(("action", self.execute(exec)?));
                members
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let mut members = command("assert_exhaustion");
                members.push(("message", message.into()));
                members.push(("action", self.invoke(&call)?));
                members
            }
            WastDirective::AssertException { exec, .. } => {
                let mut members = command("assert_exception");
                members.push(("action", self.execute(exec)?));
                members
            }
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => {
                let mut members = command("assert_unlinkable");
                members.push(("message", message.into()));
                members.extend(self.module(QuoteWat::Wat(module), false)?);
                members
            }
            WastDirective::AssertMalformed {
                module, message, ..
            } => self.rejected("assert_malformed", line, module, message)?,
            WastDirective::AssertInvalid {
                module, message, ..
            } => self.rejected("assert_invalid", line, module, message)?,
            WastDirective::AssertMalformedCustom {
                module, message, ..
            } => self.rejected("assert_malformed_custom", line, module, message)?,
            WastDirective::AssertInvalidCustom {
                module, message, ..
            } => self.rejected("assert_invalid_custom", line, module, message)?,
            WastDirective::Thread(thread) => {
                let mut members = command("thread");
                push_name(&mut members, "name", Some(thread.name));
                push_name(&mut members, "shared_module", thread.shared_module);
                let mut commands = Vec::new();
                for directive in thread.directives {
                    commands.push(self.command(directive)?);
                }
                members.push(("commands", Json::List(commands)));
                members
            }
            WastDirective::Wait { thread, .. } => {
                let mut members = command("wait");
                push_name(&mut members, "thread", Some(thread));
                members
            }
            WastDirective::AssertSuspension { .. } => {
                return Err(format!("line {line}: assert_suspension is not supported"));
            }
        };
        Ok(Json::Object(members))
    }

    fn rejected<'a>(
        &mut self,
        kind: &'static str,
        line: u64,
        module: QuoteWat<'a>,
        message: &'a str,
    ) -> Fallible<Vec<(&'static str, Json)>> {
        let mut members = vec![
            ("type", kind.into()),
            ("line", Json::Number(line)),
            ("message", message.into()),
        ];
        members.extend(self.module(module, true)?);
        Ok(members)
    }
}

fn push_name(members: &mut Vec<(&'static str, Json)>, key: &'static str, name: Option<Id<'_>>) {
    if let Some(name) = name {
        members.push((key, name.name().into()));
    }
}

fn convert(source: &Path, relative: &Path, out: &Path) -> Fallible<()> {
    let mut text = fs::read_to_string(source).map_err(|e| e.to_string())?;
    if unfold::is_needed(&text) {
        text = unfold::unfold(&text)?;
    }
    let mut lexer = wast::lexer::Lexer::new(&text);
    // Identifiers and strings of the suite hold characters that look like others on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| e.to_string())?;
    let wast = parser::parse::<Wast>(&buffer).map_err(|e| e.to_string())?;
    let mut line_starts = vec![0];
    line_starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let folder = out.join(relative.parent().unwrap_or(Path::new("")));
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let stem = relative
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_string();
    let mut converter = Converter {
        line_starts,
        folder,
        stem,
        files: 0,
    };
    let mut out_text = format!(
        "{{\"source\": {},\n\"commands\": [",
        Json::from(relative.to_string_lossy().as_ref())
    );
    for (i, directive) in wast.directives.into_iter().enumerate() {
        let command = converter.command(directive)?;
        out_text.push_str(if i == 0 { "\n" } else { ",\n" });
        out_text.push_str(&command.to_string());
    }
    out_text.push_str("\n]}\n");
    let target = converter.folder.join(format!("{}.json", converter.stem));
    fs::write(&target, out_text).map_err(|e| e.to_string())
}

fn find_scripts(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_scripts(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "wast") {
            found.push(path);
        }
    }
    Ok(())
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let [_, suite, out] = arguments.as_slice() else {
        eprintln!("usage: wast2json SUITE OUT");
        process::exit(2);
    };
    let (suite, out) = (Path::new(suite), Path::new(out));
    let mut scripts = Vec::new();
    if let Err(error) = find_scripts(suite, &mut scripts) {
        eprintln!("{}: {error}", suite.display());
        process::exit(1);
    }
    scripts.sort();
    let mut failed = 0;
    for script in &scripts {
        let relative = script.strip_prefix(suite).expect("found below the suite");
        if let Err(error) = convert(script, relative, out) {
            eprintln!("{}: {error}", relative.display());
            failed += 1;
        }
    }
    println!(
        "converted {} of {} scripts",
        scripts.len() - failed,
        scripts.len()
    );
    process::exit(if failed == 0 { 0 } else { 1 });
}
