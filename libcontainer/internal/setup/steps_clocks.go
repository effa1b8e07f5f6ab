package setup

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// setClocks makes a time namespace for the stub's children, and sets its clock offsets
// if the configuration has any.
func setClocks(r *run) error {
	r.makeDumpable()
	r.stub.Label("linux.namespaces: new time namespace")
	r.stub.Unshare(unix.CLONE_NEWTIME)
	if err := r.flush(); err != nil || len(r.cfg.TimeOffsets) == 0 {
		return err
	}
	var text strings.Builder
	for _, o := range r.cfg.TimeOffsets {
		fmt.Fprintf(&text, "%s %d %d\n", o.Clock, o.Secs, o.Nanosecs)
	}
	path := fmt.Sprintf("/proc/%d/timens_offsets", r.child.Pid)
	err := sys.WriteFile(path, []byte(text.String()), 0)
	switch {
	case errors.Is(err, unix.ERANGE):
		err = fmt.Errorf("%w (a clock must be between the boot and 146 years after it)", err)
		fallthrough
	case err != nil:
		return &config.FieldError{Field: "linux.timeOffsets", Err: err}
	}
	return nil
}
