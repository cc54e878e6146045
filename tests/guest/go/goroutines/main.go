// Goroutines, channels, select, mutexes, timers, maps, closures, defer and recover.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func workers() {
	jobs := make(chan int)
	results := make(chan int, 16)
	var group sync.WaitGroup
	for w := 0; w < 8; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for job := range jobs {
				results <- job * job
			}
		}()
	}
	go func() {
		for i := 0; i < 2000; i++ {
			jobs <- i
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	fmt.Println("workers:", sum)
}

func primes() {
	source := make(chan int)
	go func(out chan<- int) {
		for i := 2; ; i++ {
			out <- i
		}
	}(source)
	var found []int
	for len(found) < 100 {
		prime := <-source
		found = append(found, prime)
		next := make(chan int)
		go func(in <-chan int, out chan<- int) {
			for n := range in {
				if n%prime != 0 {
					out <- n
				}
			}
		}(source, next)
		source = next
	}
	fmt.Println("primes:", found[:10], found[99])
}

func locks() {
	var mutex sync.RWMutex
	var counter atomic.Int64
	counts := map[string]int{}
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 20; j++ {
				mutex.Lock()
				counts[fmt.Sprintf("key%d", (i+j)%7)]++
				mutex.Unlock()
				counter.Add(1)
			}
		}(i)
	}
	group.Wait()
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Print(key, "=", counts[key], " ")
	}
	fmt.Println(counter.Load())
}

func timers() {
	start := time.Now()
	done := make(chan string)
	go func() {
		time.Sleep(10 * time.Millisecond)
		done <- "slept"
	}()
	select {
	case text := <-done:
		fmt.Println(text, time.Since(start) >= 10*time.Millisecond)
	case <-time.After(20 * time.Second):
		fmt.Println("too late")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	fmt.Println("context:", ctx.Err(), errors.Is(ctx.Err(), context.DeadlineExceeded))
}

func recovered() (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint("recovered: ", r)
		}
	}()
	var list []int
	index := 5
	return fmt.Sprint(list[index])
}

type shape interface{ Area() float64 }
type square struct{ side float64 }
type circle struct{ radius float64 }

func (s square) Area() float64  { return s.side * s.side }
func (c *circle) Area() float64 { return 3 * c.radius * c.radius }

func depth(n int) int {
	var pad [64]int
	pad[n%64] = n
	if n == 0 {
		return 0
	}
	return depth(n-1) + pad[n%64] - n + 1
}

func main() {
	workers()
	primes()
	locks()
	timers()
	fmt.Println(recovered())
	for _, s := range []shape{square{1.5}, &circle{2}} {
		fmt.Printf("%T %.3f\n", s, s.Area())
	}
	fmt.Println("depth:", depth(20000))
	big := map[int]string{}
	for i := 0; i < 50000; i++ {
		big[i*7919%100003] = strings.Repeat("x", i%5)
	}
	total := 0
	for key, value := range big {
		total += key * len(value)
	}
	fmt.Println("map:", len(big), total)
}
