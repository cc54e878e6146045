// Runs a WASI module in node (V8), with the bench.start and bench.end of the sightglass suite. Usage:
// node node_run.mjs MODULE REPORT|- [arguments...]; "-" is for plain programs.
import { readFileSync, writeFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [path, report, ...rest] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [path, ...rest], preopens: { ".": ".", "/": "/" }, returnOnExit: true });
let started = 0n;
let total = 0n;
const bench = {
  start: () => { started = process.hrtime.bigint(); },
  end: () => { total += process.hrtime.bigint() - started; },
};
const module = new WebAssembly.Module(readFileSync(path));
const instance = new WebAssembly.Instance(module, { ...wasi.getImportObject(), bench });
process.exitCode = wasi.start(instance);
if (report !== "-") writeFileSync(report, `timed_ns ${total}\n`);
