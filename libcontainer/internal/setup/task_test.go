package setup

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// An error that contains itself would overflow the stack of every errors.As.
func TestFailedTaskIsReportedOnce(t *testing.T) {
	r := &run{job: new(job), step: "limit cgroup"}
	limits := begin(r, func() (int, error) { return 0, unix.EINVAL })
	r.step = "open control socket"
	begin(r, func() (int, error) { return 0, unix.ENOSPC })
	_, err := limits.wait()
	err = r.undo(-1, r.stepError("enter cgroup", err))
	const want = "limit cgroup: invalid argument\nopen control socket: no space left on device"
	if got := err.Error(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var step *StepError
	if !errors.As(err, &step) || errors.Is(AlsoFailed(err, err), errors.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}

func TestTaskDoesNotRepeatThatTheStubHasEnded(t *testing.T) {
	for _, test := range []struct {
		err, task error
		want      string
	}{
		{stub.ErrGone, unix.ESRCH, "setsid: container process ended unexpectedly"},
		{stub.ErrGone, unix.ENOENT, "setsid: container process ended unexpectedly"},
		{stub.ErrGone, unix.ENOSPC, "setsid: container process ended unexpectedly\nstart unit: no space left on device"},
		{unix.EPERM, unix.ESRCH, "setsid: operation not permitted\nstart unit: no such process"},
	} {
		r := &run{job: new(job), step: "start unit"}
		begin(r, func() (int, error) { return 0, test.task })
		if got := r.undo(-1, r.stepError("setsid", test.err)).Error(); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}
