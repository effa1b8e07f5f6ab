package setup

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func makeWorkingDirectory(r *run) error { return r.tree.MakeDir(r.cfg.Process.Cwd) }

// enterWorkingDirectory goes to process.cwd and asks where it is: a descriptor
// of the host's could lead out of the root (CVE-2024-21626).
func enterWorkingDirectory(r *run) error {
	cwd := r.cfg.Process.Cwd
	again := r.stub.Chdir(cwd).Checked() // the directory may have been entered as root
	where := make([]byte, unix.PathMax)
	r.stub.Getcwd(where)
	r.stub.Check(func() error {
		if err := again.Err(); err != nil && r.entered.Err() != nil {
			return fmt.Errorf("process.cwd: chdir to %q: %w", cwd, err)
		}
		if where[0] != '/' {
			return fmt.Errorf("process.cwd: %q is outside of the container's root: possible container breakout", cwd)
		}
		return nil
	})
	return nil
}
