// An HTTP server on descriptor 3: net/http, without a word about how the listener is. /quit ends it.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := &http.Server{}
	quit := make(chan struct{})
	waiting := make(chan struct{})
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello from Go") })
	http.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("abcdefghijklmnopqrstuvwxyz", 1<<20/26+1)[:1<<20])
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Write(body)
	})
	// Answered only when /release has been asked for, on another connection.
	http.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		<-waiting
		fmt.Fprintln(w, "released")
	})
	http.HandleFunc("/release", func(w http.ResponseWriter, r *http.Request) { close(waiting) })
	http.HandleFunc("/sleep", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Millisecond)
		fmt.Fprintln(w, "slept")
	})
	// A file of a directory that lies behind the sockets.
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile("/data/file.txt")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(text)
	})
	http.HandleFunc("/quit", func(w http.ResponseWriter, r *http.Request) { close(quit) })
	go func() {
		<-quit
		limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		server.Shutdown(limit)
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
