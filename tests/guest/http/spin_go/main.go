// A component of Spin in Go: exports and imports of its interface by hand, built as a reactor (-buildmode=c-shared).
// Pointers have 64 bits in Go's memory and 32 in the interface's, so they are numbers in what both see.
package main

import (
	"fmt"
	"os"
	"unsafe"
)

type address uint32

func addressOf(p unsafe.Pointer) address { return address(uintptr(p)) }

// A string or a list.
type list struct {
	data address
	size uint32
}

func listOf(s string) list {
	return list{addressOf(unsafe.Pointer(unsafe.StringData(s))), uint32(len(s))}
}

func (l list) String() string {
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(nil), uintptr(l.data))), l.size)
}

type field struct {
	name, value list
}

// Each list behind a byte that says whether there is one.
type response struct {
	status     uint32
	hasHeaders uint32
	headers    list
	hasBody    uint32
	body       list
}

// What the host was given, so that the garbage collector leaves it alone.
var given [][]byte

//go:wasmexport canonical_abi_realloc
func realloc(old unsafe.Pointer, oldSize, alignment, size uint32) unsafe.Pointer {
	memory := make([]byte, size+8) // of a size that is aligned to 8
	given = append(given, memory)
	return unsafe.Pointer(&memory[0])
}

//go:wasmexport canonical_abi_free
func free(memory unsafe.Pointer, size, alignment uint32) {}

// expected<string, error>
type configResult struct {
	isError uint32
	value   list
	_       uint32
}

//go:wasmimport spin-config get-config
func getConfig(key unsafe.Pointer, size uint32, result unsafe.Pointer)

func config(key string) string {
	var result configResult
	getConfig(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), unsafe.Pointer(&result))
	if result.isError&0xFF != 0 {
		return "none"
	}
	return result.value.String()
}

// What the host reads when the handler has returned.
var (
	answer      response
	body        string
	contentType = field{listOf("content-type"), listOf("text/plain")}
)

//go:wasmexport handle-http-request
func handle(method, uri, uriSize, headers, headerCount, params, paramCount, hasBody, content, size uint32) unsafe.Pointer {
	fmt.Println("from Go")
	body = fmt.Sprintf("Go: %s, config %s, environment %s, body %s\n", list{address(uri), uriSize}, config("greeting"),
		os.Getenv("GREETING"), list{address(content), size})
	answer = response{200, 1, list{addressOf(unsafe.Pointer(&contentType)), 1}, 1, listOf(body)}
	return unsafe.Pointer(&answer)
}

func main() {}
