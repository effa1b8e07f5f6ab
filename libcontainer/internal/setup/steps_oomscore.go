package setup

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

func setOOMScore(r *run) error {
	r.stub.Label("process.oomScoreAdj")
	proc, err := r.openProcfs()
	if err != nil {
		return err
	}
	f := procfs.Write(r.stub, proc, "self/oom_score_adj", strconv.Itoa(*r.cfg.Process.OOMScoreAdj))
	r.stub.CloseFd(proc)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		return oomScoreError(f.Err())
	})
	return nil
}

// oomScoreError names the field, and the remedy for a score that is too low.
func oomScoreError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EACCES):
		err = fmt.Errorf("%w (a lower value needs CAP_SYS_RESOURCE; omit it, or set at least the value in /proc/self/oom_score_adj)", err)
	}
	return &config.FieldError{Field: "process.oomScoreAdj", Err: err}
}

// raiseOOMScore sets the score if the runtime may not mount a procfs. The stub still
// sees the host's procfs; it must be dumpable for the write, to own its files there.
func raiseOOMScore(r *run) error {
	score := strconv.Itoa(*r.cfg.Process.OOMScoreAdj)
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	f := r.stub.Openat(stub.Num(unix.AT_FDCWD), "/proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	wrote := r.stub.Write(f, score).Checked() // the check adds the remedy
	r.stub.CloseFd(f)
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		if err := wrote.Err(); err != nil {
			return oomScoreError(fmt.Errorf("write %q: %w", score, err))
		}
		return nil
	})
	return nil
}
