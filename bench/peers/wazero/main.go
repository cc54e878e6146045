// Runs WASI preview1 modules in wazero.
//
//	wazero-run [--mode compiler|interpreter] [--dir HOST::GUEST]... [--report FILE]
//	           [--load | --instances COUNT | --compile DIR] [--precompiled] MODULE [ARGUMENTS...]
//
// Without an action the program runs. --load stops before its first call, --instances makes that many of a module
// without imports. --compile makes a folder with the module and wazero's compilation cache, as compiled code has no
// file of its own there; --precompiled takes such a folder in place of a module.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

func fail(message any) {
	fmt.Fprintln(os.Stderr, "wazero-run:", message)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

type options struct {
	mode, report, compiled string
	dirs                   []string
	loads, isPrecompiled   bool
	instances              int
	words                  []string // the module and its arguments
}

func parse(words []string) (o options) {
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		option := words[0]
		words = words[1:]
		switch option {
		case "--load":
			o.loads = true
			continue
		case "--precompiled":
			o.isPrecompiled = true
			continue
		}
		if len(words) == 0 {
			fail(option + " needs a value")
		}
		value := words[0]
		words = words[1:]
		switch option {
		case "--mode":
			o.mode = value
		case "--report":
			o.report = value
		case "--compile":
			o.compiled = value
		case "--dir":
			o.dirs = append(o.dirs, value)
		case "--instances":
			count, err := strconv.Atoi(value)
			if err != nil || count <= 0 {
				fail("--instances needs a count")
			}
			o.instances = count
		default:
			fail("unknown option " + option)
		}
	}
	if len(words) == 0 {
		fail("a module is missing")
	}
	o.words = words
	return o
}

// report is lines "name value" of what was measured.
type report struct {
	text strings.Builder
	last time.Time
}

func (r *report) begin() { r.last = time.Now() }

func (r *report) lap(name string) {
	r.add(name, float64(time.Since(r.last).Nanoseconds()))
	r.last = time.Now()
}

func (r *report) add(name string, value float64) { fmt.Fprintf(&r.text, "%s %.3f\n", name, value) }

func (r *report) write(path string) {
	if path != "" {
		check(os.WriteFile(path, []byte(r.text.String()), 0o644))
	}
}

func residentBytes() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * 4096
}

const features = api.CoreFeaturesV2 | experimental.CoreFeaturesThreads | experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesExceptionHandling |
	experimental.CoreFeaturesTypedFunctionReferences

func main() {
	o := parse(os.Args[1:])
	ctx := context.Background()
	config := wazero.NewRuntimeConfigCompiler()
	switch o.mode {
	case "", "compiler":
	case "interpreter":
		config = wazero.NewRuntimeConfigInterpreter()
	default:
		fail("unknown mode " + o.mode + ": compiler or interpreter")
	}
	config = config.WithCoreFeatures(features)
	path, folder := o.words[0], o.compiled
	if o.isPrecompiled {
		folder = path
		path = filepath.Join(folder, "module.wasm")
	}
	if folder != "" {
		cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(folder, "cache"))
		check(err)
		config = config.WithCompilationCache(cache)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)

	var r report
	r.begin()
	bytes, err := os.ReadFile(path)
	check(err)
	r.lap("read_ns")
	module, err := runtime.CompileModule(ctx, bytes)
	check(err)
	r.lap("compile_ns")
	code := 0
	switch {
	case o.compiled != "":
		check(os.WriteFile(filepath.Join(folder, "module.wasm"), bytes, 0o644))
	case o.instances > 0:
		makeInstances(ctx, runtime, module, o.instances, &r)
	default:
		code = run(ctx, runtime, module, &o, &r)
	}
	r.write(o.report)
	os.Exit(code)
}

func makeInstances(ctx context.Context, runtime wazero.Runtime, module wazero.CompiledModule, count int, r *report) {
	kept := make([]api.Module, 0, count)
	config := wazero.NewModuleConfig().WithName("")
	before := residentBytes()
	start := time.Now()
	for i := 0; i < count; i++ {
		instance, err := runtime.InstantiateModule(ctx, module, config)
		check(err)
		kept = append(kept, instance)
	}
	r.add("instantiate_ns", float64(time.Since(start).Nanoseconds())/float64(count))
	r.add("instance_bytes", (residentBytes()-before)/float64(len(kept)))
}

func run(ctx context.Context, runtime wazero.Runtime, module wazero.CompiledModule, o *options, r *report) int {
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	var started time.Time
	var total time.Duration
	_, err := runtime.NewHostModuleBuilder("bench").
		NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) { started = time.Now() }), nil, nil).
		Export("start").
		NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) { total += time.Since(started) }), nil, nil).
		Export("end").
		Instantiate(ctx)
	check(err)
	folders := wazero.NewFSConfig()
	for _, dir := range o.dirs {
		host, guest, found := strings.Cut(dir, "::")
		if !found {
			guest = host
		}
		folders = folders.WithDirMount(host, guest)
	}
	config := wazero.NewModuleConfig().WithArgs(o.words...).WithStdin(os.Stdin).WithStdout(os.Stdout).
		WithStderr(os.Stderr).WithFSConfig(folders).WithRandSource(rand.Reader).WithSysNanosleep().WithSysNanotime().
		WithSysWalltime().WithStartFunctions()
	r.begin()
	instance, err := runtime.InstantiateModule(ctx, module, config)
	check(err)
	r.lap("instantiate_ns")
	if o.loads {
		return 0
	}
	start := instance.ExportedFunction("_start")
	if start == nil {
		fail("no function _start")
	}
	r.begin()
	_, err = start.Call(ctx)
	r.lap("run_ns")
	r.add("timed_ns", float64(total.Nanoseconds()))
	if exit, ok := err.(*sys.ExitError); ok {
		return int(exit.ExitCode())
	}
	check(err)
	return 0
}
