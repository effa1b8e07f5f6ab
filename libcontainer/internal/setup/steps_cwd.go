package setup

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func makeWorkingDirectory(r *run) error { return r.tree.MakeDir(r.cfg.Process.Cwd) }

// enterWorkingDirectory enters process.cwd and checks that it is below the root: a
// leaked descriptor of the host could lead outside (CVE-2024-21626).
func enterWorkingDirectory(r *run) error {
	cwd := r.cfg.Process.Cwd
	again := r.stub.Chdir(cwd).Checked() // may fail if it was entered as root
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
