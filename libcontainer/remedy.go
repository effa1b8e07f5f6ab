package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// remedyCgroup adds to an error what an unprivileged user can do about it, if it
// is that there is no permission to make or change a cgroup, or none was made.
func remedyCgroup(err error) error {
	if os.Geteuid() == 0 && !probe.InUserNamespace() || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, cgroups.ErrNoCgroup) {
		return err
	}
	return fmt.Errorf("%w (the container of an unprivileged user needs a cgroup v2 that is delegated to him: "+
		"create it by \"systemd-run --user --scope -p Delegate=yes\")", err)
}
