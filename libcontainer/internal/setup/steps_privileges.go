package setup

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/config"
)

// warn tells what of the process is left out, as the specification wants.
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

// dropPrivileges makes the stub the program's user. The working directory is
// tried as root first: one that only root can reach is no error.
func dropPrivileges(r *run) error {
	last, err := probe.LastCap()
	if err != nil {
		return err
	}
	proc := &r.cfg.Process
	r.warn()
	caps := capabilities.Known(proc.Capabilities, last)
	// As the program's user it is tried again: a directory may be out of root's
	// reach (FUSE, NFS), or one of /proc/self that exists after the fork.
	r.entered = r.stub.Chdir(proc.Cwd).MayFail(unix.EACCES, unix.EPERM, unix.ENOENT, unix.ENOTDIR)
	capabilities.LimitBounding(r.stub, caps.Bounding, last)
	capabilities.KeepOverSetuid(r.stub)
	if !r.noGroups && !r.cfg.KeepGroups {
		r.setGroups()
	}
	r.stub.Setresgid(proc.GID)
	r.stub.Setresuid(proc.UID)
	if keepsAdmin(r.cfg) {
		caps = capabilities.WithAdmin(caps)
		r.stub.Label("linux.seccomp without process.noNewPrivileges takes CAP_SYS_ADMIN")
	}
	capabilities.Apply(r.stub, caps)
	r.stub.Label("")
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0) // a change of user has made it what fs.suid_dumpable says
	if proc.NoNewPrivileges {
		r.stub.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	r.stub.Umask(proc.Umask)
	return nil
}
