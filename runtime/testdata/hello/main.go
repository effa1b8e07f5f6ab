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
	case "code": // of its input
		text, _ := io.ReadAll(os.Stdin)
		code, _ := strconv.Atoi(string(text))
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
	case "leave": // a process that outlives this one
		p, err := os.StartProcess("/hello", []string{"/hello", "sleep"}, &os.ProcAttr{})
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Pid)
	case "hold": // a process that outlives this one and keeps the output open
		fmt.Println("held")
		argv := append([]string{"/hello"}, os.Args[2:]...)
		if _, err := os.StartProcess("/hello", argv, &os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}}); err != nil {
			panic(err)
		}
	case "flood":
		for {
			fmt.Println("flood")
		}
	case "sleep":
		time.Sleep(time.Minute)
	}
}
