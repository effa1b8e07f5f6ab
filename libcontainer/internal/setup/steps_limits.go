package setup

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// setLimits sets the program's resource limits. The stub lowers limits itself, in the
// batch that executes the program. The runtime raises hard limits: that needs
// CAP_SYS_RESOURCE, which the stub has dropped.
func setLimits(r *run) error {
	for _, l := range r.cfg.Process.Rlimits {
		have, err := stubLimit(r.pid(), l.Resource)
		if err != nil {
			return fmt.Errorf("%s: getrlimit: %w", l.Field, err)
		}
		if l.Hard <= have.Max {
			r.stub.Label("%s: soft %d, hard %d", l.Field, l.Soft, l.Hard)
			r.stub.Setrlimit(l.Resource, l.Soft, l.Hard)
			continue
		}
		limit := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		err = unix.Prlimit(r.pid(), l.Resource, &limit, nil)
		if errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s: raise hard limit from %d to %d: %w (needs CAP_SYS_RESOURCE)", l.Field, have.Max, l.Hard, err)
		}
		if err != nil {
			return fmt.Errorf("%s: prlimit: %w", l.Field, err)
		}
	}
	return nil
}

// stubLimit returns a resource limit of the stub. On EPERM (an unprivileged runtime,
// and a stub with another user) it returns the runtime's own limit: the stub
// inherited its limits from create, which usually had the same.
func stubLimit(pid, resource int) (have unix.Rlimit, err error) {
	err = unix.Prlimit(pid, resource, nil, &have)
	if errors.Is(err, unix.EPERM) {
		err = unix.Getrlimit(resource, &have)
	}
	return have, err
}
