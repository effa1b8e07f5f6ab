// Command lifecycle writes docs/lifecycle.md from the step table. With -check
// it only reports whether the file is up to date.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/berth-oci/berth/libcontainer"
)

const file = "docs/lifecycle.md"

const head = `# What happens, in which order

Generated from the step table (libcontainer/steps.go) by "make generate"; do not edit.

The runtime takes each step on the host, or queues it as system calls for the stub:
the container's init before it executes the program, or the stub of an exec, a hook
or a mount. *Ground* is the view and the privileges that the stub still has after the
step; it only shrinks. When a step fails, the runtime undoes those marked ↶, last
first, and the error names the step.
`

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "lifecycle:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	text := page()
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s differs from the step table: run make generate", file)
	}
	return nil
}

func page() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	steps := libcontainer.Steps()
	section(&b, "create", steps, func(s libcontainer.Step) bool { return s.Create })
	section(&b, "start", steps, func(s libcontainer.Step) bool { return s.Start })
	section(&b, "exec", steps, func(s libcontainer.Step) bool { return s.Exec })
	section(&b, "mounts add", steps, func(s libcontainer.Step) bool { return s.AddMounts })
	section(&b, "mounts remove", steps, func(s libcontainer.Step) bool { return s.RemoveMounts })
	section(&b, "a createContainer hook", steps, func(s libcontainer.Step) bool { return s.CreateContainer })
	section(&b, "a startContainer hook", steps, func(s libcontainer.Step) bool { return s.StartContainer })
	return b.Bytes()
}

func section(b *bytes.Buffer, operation string, steps []libcontainer.Step, in func(libcontainer.Step) bool) {
	fmt.Fprintf(b, "\n## %s\n\n| step | by | ground | why it stands here |\n|---|---|---|---|\n", operation)
	for _, s := range steps {
		if !in(s) {
			continue
		}
		name := s.Name
		if len(s.When) > 0 {
			name += " (" + strings.Join(s.When, ", ") + ")"
		}
		if s.Undone {
			name += " ↶"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, s.Side, s.Ground, strings.ReplaceAll(s.Why, "|", `\|`))
	}
}
