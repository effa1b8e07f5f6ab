package setup

import (
	"github.com/berth-oci/berth/internal/lsm"
	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
)

func labels(c *config.Config) lsm.Labels {
	return lsm.Labels{AppArmor: c.Process.AppArmorProfile, SELinux: c.Process.SELinuxLabel, Mount: c.MountLabel}
}

// chooseLabels has the stub tell the security modules what the program is to
// run under. They keep it over forks, and apply it when it is executed.
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
