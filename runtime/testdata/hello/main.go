// Command hello is what the tests run in containers.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	switch os.Args[1] {
	case "greet":
		name, _ := os.Hostname()
		fmt.Printf("hello from %s, process %d\n", name, os.Getpid())
	case "copy":
		n, err := io.Copy(os.Stdout, os.Stdin)
		fmt.Fprintln(os.Stderr, n, err)
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		os.Exit(code)
	case "eat": // more memory than there is
		var all [][]byte
		for {
			piece := make([]byte, 1<<20)
			for i := range piece {
				piece[i] = 1
			}
			all = append(all, piece)
		}
	case "sleep":
		time.Sleep(time.Minute)
	}
}
