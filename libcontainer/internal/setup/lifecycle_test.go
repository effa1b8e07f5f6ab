package setup

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

const lifecycleFile = "../../../docs/lifecycle.md"

const lifecycleHead = `# What happens, in which order

Generated from the step tables (libcontainer/internal/setup/steps.go and restore.go) by "make generate"; do not edit.

The runtime takes a step itself (*host*), or queues it for the stub, which performs it as system calls. The stub is the
container's init; a hook in the container, exec, and each change of mounts have a stub of their own, which joins the container.
*Ground* is the view and the privileges that the stub still has after the step; no step enlarges it. The runtime takes a step if
all its conditions (*if*) hold. *Needs* and *makes* are values that steps pass on; "?" marks an optional one. When a step fails,
the runtime undoes the earlier steps marked ↶, last first, and the error names the step.
`

// TestLifecyclePage compares docs/lifecycle.md with the table; -update writes it.
func TestLifecyclePage(t *testing.T) {
	page := lifecyclePage()
	if *update {
		if err := os.WriteFile(lifecycleFile, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(lifecycleFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page) {
		t.Error("docs/lifecycle.md differs from the step table: run make generate")
	}
}

func lifecyclePage() []byte {
	var b bytes.Buffer
	b.WriteString(lifecycleHead)
	for _, section := range []struct {
		title string
		op    operation
	}{
		{"create", inCreate},
		{"start", inStart},
		{"exec", inExec},
		{"mounts add", inAddMounts},
		{"mounts remove", inRemoveMounts},
		{"a createContainer hook", inCreateHook},
		{"a startContainer hook", inStartHook},
		{"restore", inRestore},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| step | by | if | needs | makes | ground | reason |\n|---|---|---|---|---|---|---|\n", section.title)
		for _, s := range append(rowsOf(steps[:], section.op), rowsOf(restoreSteps[:], section.op)...) {
			name := s.name
			if s.undo != nil {
				name += " ↶"
			}
			var when []string
			for _, c := range s.when {
				when = append(when, c.String())
			}
			cells := []string{name, string(s.side), strings.Join(when, ", "), s.needs, s.makes, s.ground.String(), s.why}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	return b.Bytes()
}
