// Package procfs writes to /proc files through a private procfs. Other
// processes in a shared mount namespace could mount something else over a file
// of its /proc (CVE-2025-52881).
package procfs

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Proc is a procfs.
type Proc struct {
	// Root is its root directory.
	Root *stub.Value

	calls []*stub.Value // the calls that mount it
}

// Mount queues the calls that mount a procfs of the stub's PID namespace,
// attached nowhere. They need CAP_SYS_ADMIN in the user namespace that owns it.
// The caller must add a check that calls Err.
func Mount(p *stub.Proc) Proc {
	fs := p.Fsopen("proc").Checked()          // Err returns it
	created := p.FsconfigCreate(fs).Checked() // Err returns it
	root := p.Fsmount(fs, 0).Checked()        // Err returns it
	p.CloseFd(fs)
	return Proc{Root: root, calls: []*stub.Value{fs, created, root}}
}

// Err returns the first error of the calls, once they have been performed.
func (p Proc) Err() error {
	var first error
	for _, call := range p.calls { // read every result: after one failure the others fail too
		if err := call.Err(); err != nil && first == nil {
			first = fmt.Errorf("mount procfs: %w", err)
		}
	}
	return first
}

// File is a file that a text is written to.
type File struct {
	path, text      string
	opened, written *stub.Value
}

// Write queues the calls that write a text to a file of a procfs. The path
// cannot leave proc through a link (or "..", which specconv refuses) or, in the
// host's procfs, cross into another mount.
func Write(p *stub.Proc, proc *stub.Value, path, text string) File {
	f := File{path: path, text: text}
	f.opened = p.Openat2(proc, path, unix.O_WRONLY|unix.O_CLOEXEC, unix.RESOLVE_NO_XDEV|unix.RESOLVE_BENEATH).Checked() // Err returns it
	f.written = p.Write(f.opened, text).Checked()                                                                       // Err returns it
	p.CloseFd(f.opened)
	return f
}

// Err returns the error of the open or the write, once they have been
// performed.
func (f File) Err() error {
	if err := f.opened.Err(); err != nil {
		return fmt.Errorf("open %q: %w", "/proc/"+f.path, err)
	}
	if err := f.written.Err(); err != nil {
		return fmt.Errorf("write %q: %w", strings.TrimSuffix(f.text, "\n"), err)
	}
	return nil
}
