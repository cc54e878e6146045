module wasirun.test/spin

go 1.24
