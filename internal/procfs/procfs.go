// Package procfs writes to files of /proc through an instance of procfs that
// nobody else sees. In the /proc of a mount namespace that others have a hand
// in, something else could be mounted over a file (CVE-2025-52881).
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

	calls []*stub.Value // that make it
}

// Mount queues the making of a procfs for the stub's pid namespace, which is
// attached nowhere. It takes the rights of that namespace's root. A check must
// ask for Err.
func Mount(p *stub.Proc) Proc {
	fs := p.Fsopen("proc").Checked()          // Err is asked for
	created := p.FsconfigCreate(fs).Checked() // Err is asked for
	root := p.Fsmount(fs, 0).Checked()        // Err is asked for
	p.CloseFd(fs)
	return Proc{Root: root, calls: []*stub.Value{fs, created, root}}
}

// Err tells, once the calls are done, whether there is a procfs.
func (p Proc) Err() error {
	var first error
	for _, call := range p.calls { // of all, as those after the first fail, too
		if err := call.Err(); err != nil && first == nil {
			first = fmt.Errorf("mount procfs: %w", err)
		}
	}
	return first
}

// File is a file that is written to.
type File struct {
	path, text      string
	opened, written *stub.Value
}

// Write queues the writing of a text to a file of a procfs. No link leads out
// of it (nor "..", which specconv has refused), and nothing that is mounted in
// it, where it is the host's.
func Write(p *stub.Proc, proc *stub.Value, path, text string) File {
	f := File{path: path, text: text}
	f.opened = p.Openat2(proc, path, unix.O_WRONLY|unix.O_CLOEXEC, unix.RESOLVE_NO_XDEV|unix.RESOLVE_BENEATH).Checked() // Err is asked for
	f.written = p.Write(f.opened, text).Checked()                                                                       // Err is asked for
	p.CloseFd(f.opened)
	return f
}

// Err tells, once the calls are done, whether the text was written.
func (f File) Err() error {
	if err := f.opened.Err(); err != nil {
		return fmt.Errorf("open %q: %w", "/proc/"+f.path, err)
	}
	if err := f.written.Err(); err != nil {
		return fmt.Errorf("write %q: %w", strings.TrimSuffix(f.text, "\n"), err)
	}
	return nil
}
