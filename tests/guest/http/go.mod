module wasirun/guests

go 1.21
