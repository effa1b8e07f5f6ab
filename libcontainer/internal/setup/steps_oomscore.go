package setup

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

func setOOMScore(r *run) error {
	r.stub.Label("process.oomScoreAdj")
	proc := procfs.Mount(r.stub)
	f := procfs.Write(r.stub, proc.Root, "self/oom_score_adj", strconv.Itoa(*r.cfg.Process.OOMScoreAdj))
	r.stub.CloseFd(proc.Root)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		err := proc.Err()
		if err == nil {
			err = f.Err()
		}
		if err != nil {
			return &config.FieldError{Field: "process.oomScoreAdj", Err: err}
		}
		return nil
	})
	return nil
}

// raiseOOMScore is for those who may not mount a procfs. The stub is still
// where the runtime itself is, so the host's can be used; for a moment it must
// be dumpable to own its files there.
func raiseOOMScore(r *run) error {
	score := *r.cfg.Process.OOMScoreAdj
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	f := r.stub.Openat(stub.Num(unix.AT_FDCWD), "/proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	wrote := r.stub.Write(f, strconv.Itoa(score)).Checked() // the remedy is added
	r.stub.CloseFd(f)
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		if err := wrote.Err(); err != nil {
			return config.FieldErrorf("process.oomScoreAdj", "%d: %w (to lower it needs CAP_SYS_RESOURCE; leave it out, or ask for no less than /proc/self/oom_score_adj has)", score, err)
		}
		return nil
	})
	return nil
}
