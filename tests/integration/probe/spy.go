package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// spy looks, without an end, at all processes that it can see and prints what it can
// access of the runtime's: descriptors, directories, memory, and capabilities that it
// does not have itself. It prints once that it has started, and counts in "spied" the
// processes that it has seen.
func spy() error {
	fmt.Println("spying")
	met := map[string]bool{}
	own, _ := capabilities("/proc/self")
	for {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return err
		}
		for _, e := range entries {
			dir := filepath.Join("/proc", e.Name())
			if !isRuntime(dir) || e.Name() == "1" {
				continue
			}
			if !met[e.Name()] {
				met[e.Name()] = true
				fmt.Printf("spied %d\n", len(met))
			}
			if caps, ok := capabilities(dir); ok && caps&^own != 0 {
				fmt.Printf("privileged %x\n", caps)
			}
			// A process that has meanwhile become the program may be accessed.
			if got := lookInto(dir); isRuntime(dir) {
				fmt.Print(got)
			}
		}
	}
}

// isRuntime reports by the name whether a process is the runtime's.
func isRuntime(dir string) bool {
	name, err := os.ReadFile(filepath.Join(dir, "comm"))
	return err == nil && strings.HasPrefix(string(name), "berth")
}

// capabilities returns the permitted set of a process.
func capabilities(dir string) (caps uint64, ok bool) {
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(status), "\nCapPrm:\t")
	_, err = fmt.Sscanf(rest, "%x", &caps)
	return caps, err == nil
}

// lookInto returns a line for each thing of a process that the spy can access.
func lookInto(dir string) string {
	var got strings.Builder
	for _, name := range []string{"root", "cwd", "exe"} {
		if link, err := os.Readlink(filepath.Join(dir, name)); err == nil {
			fmt.Fprintf(&got, "got %s: %s\n", name, link)
		}
	}
	fds, _ := os.ReadDir(filepath.Join(dir, "fd")) // their numbers may be seen
	for _, fd := range fds {
		if link, err := os.Readlink(filepath.Join(dir, "fd", fd.Name())); err == nil {
			fmt.Fprintf(&got, "got descriptor %s: %s\n", fd.Name(), link)
		}
	}
	if f, err := os.OpenFile(filepath.Join(dir, "mem"), os.O_RDWR, 0); err == nil {
		f.Close()
		got.WriteString("got memory\n")
	}
	return got.String()
}
