package setup

import (
	"github.com/berth-oci/berth/internal/lsm"
	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
)

func labels(c *config.Config) lsm.Labels {
	return lsm.Labels{AppArmor: c.Process.AppArmorProfile, SELinux: c.Process.SELinuxLabel, Mount: c.MountLabel}
}

// chooseLabels sets the program's AppArmor profile and SELinux labels. The security
// modules keep them across forks and apply them on execve.
func chooseLabels(r *run) error {
	l := labels(r.cfg)
	if err := l.Check(); err != nil {
		return err
	}
	writes := l.Writes()
	if len(writes) == 0 {
		return nil
	}
	proc, err := r.openProcfs()
	if err != nil {
		return err
	}
	for _, w := range writes {
		f := procfs.Write(r.stub, proc, w.Path, w.Text)
		r.stub.Check(func() error { return w.Explain(f.Err()) })
	}
	r.stub.CloseFd(proc)
	return nil
}
