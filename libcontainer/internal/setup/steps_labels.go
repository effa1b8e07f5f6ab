package setup

import (
	"strings"

	"github.com/berth-oci/berth/internal/lsm"
	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
)

func labels(c *config.Config) lsm.Labels {
	return lsm.Labels{AppArmor: c.Process.AppArmorProfile, SELinux: c.Process.SELinuxLabel, Mount: c.MountLabel}
}

// restoredLabels returns the labels that restored processes must have: RestoreOptions.LSMProfile
// replaces the one of its type.
func restoredLabels(c *config.Config, profile string) lsm.Labels {
	l := labels(c)
	switch module, name, _ := strings.Cut(profile, ":"); module {
	case "apparmor":
		l.AppArmor = name
	case "selinux":
		l.SELinux = name
	}
	return l
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
