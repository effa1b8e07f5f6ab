package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Remedy adds to an error what an unprivileged user can do about it, if it is
// that there is no permission to make or change a cgroup, or none was made.
func Remedy(err error) error {
	if os.Geteuid() == 0 || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, ErrNoCgroup) {
		return err
	}
	return fmt.Errorf("%w (an unprivileged user needs a cgroup v2 that is delegated to him: start berth by "+
		"\"systemd-run --user --scope -p Delegate=yes\", or leave linux.resources and linux.cgroupsPath out)", err)
}
