package seccomp

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Install installs a filter on the calling process: on all of its threads and, by
// inheritance, on all that they will start. The process cannot remove it. Install sets
// no_new_privs on the threads, too; without CAP_SYS_ADMIN the kernel requires it, and
// otherwise a set-user-ID program would run under the caller's filter.
//
// The filter must allow the calls of the Go runtime, which makes threads and maps memory at
// any time. The error is errors.ErrUnsupported for a filter that notifies an agent
// (Filter.Notify), and unix.ESRCH if a thread has a filter of its own; no thread is changed
// then.
func Install(f *Filter) error {
	if f.Notify {
		return fmt.Errorf("install seccomp filter: SCMP_ACT_NOTIFY: %w (for the calling process: nothing would answer its calls)", errors.ErrUnsupported)
	}
	if err := onThread(func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		return sys.SetSeccompFilter(f.Program, f.Flags)
	}); err != nil {
		return fmt.Errorf("install seccomp filter: %w", err)
	}
	return nil
}

// onThread calls do on a thread that ends if do fails: it then has no_new_privs, unlike the
// others.
func onThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread does not end with the goroutine
			err := onThread(do)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		err := do()
		if err == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}
