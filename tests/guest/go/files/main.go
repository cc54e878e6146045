// Files and directories through the standard library, JSON, hashes, big numbers, templates.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

type record struct {
	Name  string         `json:"name"`
	Score float64        `json:"score,omitempty"`
	Tags  []string       `json:"tags"`
	Extra map[string]any `json:"extra"`
	Sub   *record        `json:"sub,omitempty"`
}

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func tree() {
	check(os.MkdirAll("out/a/b", 0o755))
	for i, name := range []string{"out/one.txt", "out/a/two.txt", "out/a/b/three.txt"} {
		check(os.WriteFile(name, []byte(strings.Repeat("line\n", i+1)), 0o644))
	}
	check(filepath.WalkDir("out", func(path string, entry fs.DirEntry, err error) error {
		check(err)
		info, err := entry.Info()
		check(err)
		if entry.IsDir() {
			fmt.Println(path, "directory")
		} else {
			fmt.Println(path, info.Size())
		}
		return nil
	}))
	check(os.Rename("out/one.txt", "out/a/moved.txt"))
	entries, err := os.ReadDir("out/a")
	check(err)
	for _, entry := range entries {
		fmt.Println(entry.Name(), entry.IsDir())
	}
	_, err = os.Open("out/absent")
	var failed *fs.PathError
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.As(err, &failed) && failed.Path == "out/absent")
	check(os.RemoveAll("out/a/b"))
	_, err = os.Stat("out/a/b")
	fmt.Println(os.IsNotExist(err))
}

func streams() {
	file, err := os.Create("out/lines.txt")
	check(err)
	writer := bufio.NewWriter(file)
	for i := 0; i < 5000; i++ {
		fmt.Fprintf(writer, "line %d %x\n", i, i*i)
	}
	check(writer.Flush())
	position, err := file.Seek(100, io.SeekStart)
	check(err)
	buffer := make([]byte, 20)
	_, err = io.ReadFull(file, buffer)
	check(err)
	fmt.Printf("%d %q\n", position, buffer)
	check(file.Close())
	content, err := os.ReadFile("out/lines.txt")
	check(err)
	fmt.Printf("%d bytes, sha256 %x\n", len(content), sha256.Sum256(content))
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err = zip.Write(content)
	check(err)
	check(zip.Close())
	unzip, err := gzip.NewReader(&packed)
	check(err)
	back, err := io.ReadAll(unzip)
	check(err)
	fmt.Println("gzip:", bytes.Equal(back, content))
}

func texts() {
	in := record{"alpha", 1.5, []string{"x", "ü"}, map[string]any{"k": 1, "n": nil}, &record{Name: "beta"}}
	encoded, err := json.MarshalIndent(in, "", "  ")
	check(err)
	fmt.Println(string(encoded))
	var out record
	check(json.Unmarshal(encoded, &out))
	fmt.Println(out.Name, out.Sub.Name, out.Extra["k"], len(out.Tags))
	fmt.Println(json.Unmarshal([]byte(`{"name": 5}`), &out))
	expression := regexp.MustCompile(`(\w+)@(\w+)\.com`)
	fmt.Println(expression.ReplaceAllString("bob@example.com, eve@test.com", "$2/$1"))
	check(template.Must(template.New("t").Parse("{{range $i, $e := .}}{{$i}}:{{$e | printf \"%q\"}} {{end}}\n")).Execute(os.Stdout, in.Tags))
	factorial := big.NewInt(1)
	for i := int64(2); i <= 200; i++ {
		factorial.Mul(factorial, big.NewInt(i))
	}
	fmt.Println(factorial.String()[:40], len(factorial.String()))
}

func main() {
	content, err := os.ReadFile("input.txt")
	check(err)
	fmt.Printf("%q %q %s\n", content, os.Args[1:], os.Getenv("GREETING"))
	tree()
	streams()
	texts()
}
