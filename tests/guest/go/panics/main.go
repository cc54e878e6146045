// A panic ends the program with status 2 and a traceback.
package main

import "fmt"

type failure struct{ code int }

func (f failure) Error() string { return fmt.Sprint("failure ", f.code) }

func inner() { panic(failure{7}) }

func main() {
	fmt.Println("before")
	inner()
}
