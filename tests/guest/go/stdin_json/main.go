// A filter: JSON lines on stdin, a summary on stdout, a count on stderr.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

func main() {
	totals := map[string]int{}
	scanner := bufio.NewScanner(os.Stdin)
	lines := 0
	for scanner.Scan() {
		var entry struct {
			Key   string `json:"key"`
			Value int    `json:"value"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &entry); err != nil {
			fmt.Println("bad line:", err)
			os.Exit(3)
		}
		totals[entry.Key] += entry.Value
		lines++
	}
	keys := make([]string, 0, len(totals))
	for key := range totals {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Println(key, totals[key])
	}
	fmt.Fprintln(os.Stderr, lines, "lines")
}
