package setup

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/config"
)

// warn logs the settings of the process that are ignored, as the specification requires.
func (r *run) warn() {
	if r.log == nil || r.hook != nil {
		return
	}
	for _, w := range r.cfg.Process.Warnings {
		r.log.Warn(w)
	}
	if r.cfg.KeepGroups && len(r.cfg.Process.AdditionalGIDs) > 0 {
		r.log.Warn(fmt.Sprintf("process.user.additionalGids: not set, as annotations[%q] keeps the groups of the caller", config.KeepGroupsAnnotation))
	}
}

// dropPrivileges gives the stub the program's user, groups and capabilities. It first
// enters the working directory as root: only root may be able to reach it.
func dropPrivileges(r *run) error {
	last, err := probe.LastCap()
	if err != nil {
		return err
	}
	proc := &r.cfg.Process
	r.warn()
	caps := capabilities.Known(proc.Capabilities, last)
	// Retried as the program's user: root may lack access (FUSE, NFS), and an entry
	// of /proc/self may exist only after the fork.
	r.entered = r.stub.Chdir(proc.Cwd).MayFail(unix.EACCES, unix.EPERM, unix.ENOENT, unix.ENOTDIR)
	capabilities.LimitBounding(r.stub, caps.Bounding, last)
	capabilities.KeepOverSetuid(r.stub)
	if !r.cfg.KeepGroups {
		r.setGroups()
	}
	r.stub.Setresgid(proc.GID)
	r.stub.Setresuid(proc.UID)
	if filterNeedsAdmin(r.cfg) {
		caps = capabilities.WithAdmin(caps)
		r.stub.Label("linux.seccomp without process.noNewPrivileges needs CAP_SYS_ADMIN")
	}
	capabilities.Apply(r.stub, caps)
	r.stub.Label("")
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0) // the change of user set it to fs.suid_dumpable
	if proc.NoNewPrivileges {
		r.stub.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	r.stub.Umask(proc.Umask)
	return nil
}
