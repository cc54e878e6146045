// Runs a WASI preview1 module in node (V8). The tier is chosen by flags of node itself, before this file's name.
//
//   node [FLAGS] run.mjs [--packages DIR] [--dir HOST::GUEST]... [--report FILE]
//        [--compile | --load | --instances COUNT] MODULE [ARGUMENTS...]
//
// --packages is where node_modules lies. --compile stops after compiling, --load before the first call; --instances
// makes that many of a module without imports. REPORT gets lines "name value". WASI is @tybys/wasm-util's on node's own
// file system (the WASI that node has was seen to crash in long computations); the standard streams are ours, since
// that package's hold text of whole lines only.
import fs from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const usage = () => {
  console.error("usage: run.mjs [--packages DIR] [--dir HOST::GUEST]... [--report FILE] " +
                "[--compile | --load | --instances COUNT] MODULE [ARGUMENTS...]");
  process.exit(2);
};

const words = process.argv.slice(2);
let packages = ".";
const preopens = {};
let report = null;
let compiles = false;
let loads = false;
let instances = 0;
while (words.length > 0 && words[0].startsWith("--")) {
  const option = words.shift();
  if (option === "--load" || option === "--compile") {
    loads = true;
    compiles = option === "--compile";
    continue;
  }
  const value = words.shift() ?? usage();
  if (option === "--packages") {
    packages = value;
  } else if (option === "--dir") {
    const [host, guest] = value.split("::");
    preopens[guest ?? host] = host;
  } else if (option === "--report") {
    report = value;
  } else if (option === "--instances") {
    instances = Number(value);
  } else {
    usage();
  }
}
const path = words[0] ?? usage();

const figures = {};
let last = process.hrtime.bigint();
const lap = (name) => {
  const now = process.hrtime.bigint();
  figures[name] = Number(now - last);
  last = now;
};
const writeReport = () => {
  if (report !== null) {
    fs.writeFileSync(report, Object.entries(figures).map(([name, value]) => `${name} ${value}\n`).join(""));
  }
};
const residentBytes = () => Number(fs.readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;

const bytes = fs.readFileSync(path);
lap("read_ns");
const module = new WebAssembly.Module(bytes);
lap("compile_ns");

// Replaces what the package does with the descriptors 0, 1 and 2: reads and writes that pass bytes on as they are.
function withStandardStreams(wasi, memory) {
  const kSuccess = 0, kAgain = 6, kIo = 29;
  const transfer = (name, isOwn, move) => {
    const otherwise = wasi[name];
    wasi[name] = (fd, list, count, result) => {
      const buffer = memory().buffer;
      if (!isOwn(fd)) {
        if (list !== 0) return otherwise(fd, list, count, result);
        // The package takes a list at address 0 for none: it gets a copy at the end of memory for so long.
        const moved = new Uint8Array(buffer, buffer.byteLength - count * 8);
        const saved = moved.slice();
        moved.set(new Uint8Array(buffer, 0, count * 8));
        const code = otherwise(fd, moved.byteOffset, count, result);
        moved.set(saved);
        return code;
      }
      const view = new DataView(buffer);
      let total = 0;
      try {
        for (let at = list >>> 0, end = at + (count >>> 0) * 8; at < end; at += 8) {
          const size = view.getUint32(at + 4, true);
          if (size === 0) continue;
          const moved = move(fd, new Uint8Array(buffer, view.getUint32(at, true), size));
          total += moved;
          if (moved < size) break;
        }
      } catch (error) {
        if (error.code !== "EOF" && total === 0) return error.code === "EAGAIN" ? kAgain : kIo;
      }
      view.setUint32(result >>> 0, total, true);
      return kSuccess;
    };
  };
  transfer("fd_read", (fd) => fd === 0, (fd, part) => fs.readSync(fd, part));
  transfer("fd_write", (fd) => fd === 1 || fd === 2, (fd, part) => {
    let done = 0;
    while (done < part.length) done += fs.writeSync(fd, part, done);
    return done;
  });
}

// Replaces the package's clocks, which count whole milliseconds.
function withClocks(wasi, memory) {
  const kSuccess = 0, kInval = 28, kRealtime = 0;
  const origin = BigInt(Math.round(performance.timeOrigin * 1e6)) - process.hrtime.bigint() +
    BigInt(Math.round(performance.now() * 1e6));
  const store = (address, value) => {
    new DataView(memory().buffer).setBigUint64(address >>> 0, value, true);
    return kSuccess;
  };
  wasi.clock_time_get = (clock, precision, result) => {
    if (clock > 3) return kInval;
    if (clock >= 2) {  // the CPU's time: of the process, of the thread
      const { user, system } = process.cpuUsage();
      return store(result, BigInt(user + system) * 1000n);
    }
    const now = process.hrtime.bigint();
    return store(result, clock === kRealtime ? origin + now : now);
  };
  wasi.clock_res_get = (clock, result) => (clock > 3 ? kInval : store(result, clock >= 2 ? 1000n : 1n));
}

if (compiles) {
  writeReport();
} else if (instances > 0) {
  const kept = new Array(instances);
  const before = residentBytes();
  last = process.hrtime.bigint();
  for (let i = 0; i < instances; i++) kept[i] = new WebAssembly.Instance(module, {});
  lap("instantiate_ns");
  figures.instantiate_ns /= instances;
  figures.instance_bytes = (residentBytes() - before) / kept.length;
  writeReport();
} else {
  const { WASI } = createRequire(resolve(packages, "package.json"))("@tybys/wasm-util");
  const wasi = new WASI({ version: "preview1", args: words, env: {}, preopens, fs, returnOnExit: true });
  let instance;
  withStandardStreams(wasi.wasiImport, () => instance.exports.memory);
  withClocks(wasi.wasiImport, () => instance.exports.memory);
  let started = 0n;
  figures.timed_ns = 0;
  const bench = {
    start: () => { started = process.hrtime.bigint(); },
    end: () => { figures.timed_ns += Number(process.hrtime.bigint() - started); },
  };
  last = process.hrtime.bigint();
  instance = new WebAssembly.Instance(module, { ...wasi.getImportObject(), bench });
  lap("instantiate_ns");
  if (!loads) {
    process.exitCode = wasi.start(instance);
    lap("run_ns");
  }
  writeReport();
}
