"""The benchmark suite: what bench/run, bench/report and bench/compare are made of.

process      one process: what it cost, with a time limit
contenders   who is measured: wasirun's tiers and the peers of peers.toml, as command lines
workloads    what is run: kernels in C and WAT, modules of ../shared/bench, big programs from npm
measures     the measurements, each a batch of steps that are run in turn
rounds       runs batches in interleaved rounds, keeps what was measured, shows how long it will take
machine      what machine this is, and whether it was quiet
results      the results file
stats        medians, spreads, intervals, growth
summary      the figures that reports are made of
report       report.html and the Markdown tables
compare      two results files
"""
