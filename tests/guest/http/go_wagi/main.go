// A WAGI program by Go's own net/http/cgi: it says what it was asked.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		writer.Header().Set("X-Guest", "Go")
		writer.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(writer, "%s %s %s %s %q\n", request.Method, request.Host, request.URL.Path,
			request.URL.RawQuery, body)
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
