//go:build linux

package seccomp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// installEnv names the function of installers that the test binary runs, in a process of
// its own: a filter remains until the process ends.
const installEnv = "BERTH_SECCOMP_INSTALL"

var installers = map[string]func() error{"all threads": installOnAll, "refused": installRefused}

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(installEnv); ok {
		if err := installers[name](); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestInstall(t *testing.T) {
	for name := range installers {
		for _, root := range []bool{true, false} {
			if root && os.Geteuid() != 0 {
				continue
			}
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), installEnv+"="+name)
			if !root && os.Geteuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, root %t: %v: %s", name, root, err, out)
			}
		}
	}
}

// noParent is a filter that refuses getppid(2), which Go programs do not need.
func noParent() (*Filter, error) {
	return Compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"getppid"}, Action: specs.ActErrno}},
	})
}

// askParent asks a thread of its own for its parent, again and again.
func askParent(ask <-chan struct{}) <-chan syscall.Errno {
	answer := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		for range ask {
			_, _, errno := unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
			answer <- errno
		}
	}()
	return answer
}

func installOnAll() error {
	f, err := noParent()
	if err != nil {
		return err
	}
	ask := make(chan struct{})
	var threads []<-chan syscall.Errno
	for range 4 {
		threads = append(threads, askParent(ask))
	}
	for _, want := range []syscall.Errno{0, unix.EPERM} {
		if want != 0 {
			if err := Install(f); err != nil {
				return err
			}
			threads = append(threads, askParent(ask)) // a thread of later
		}
		for range threads {
			ask <- struct{}{}
		}
		for i, thread := range threads {
			if got := <-thread; got != want {
				return fmt.Errorf("thread %d: getppid: errno %d, want %d", i, int(got), int(want))
			}
		}
	}
	if err := threadsHave("Seccomp:\t2", "NoNewPrivs:\t1"); err != nil {
		return err
	}
	program := exec.Command("/proc/self/exe", "-test.list=^$") // of the filter's architecture
	program.Env = []string{}
	if out, err := program.CombinedOutput(); err != nil {
		return fmt.Errorf("a program under the filter: %w: %s", err, out)
	}
	return nil
}

// ownState returns the lines of /proc/thread-self/status that Install changes. Tests can run
// under a filter themselves.
func ownState() (lines []string, err error) {
	status, err := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "Seccomp:") || strings.HasPrefix(line, "NoNewPrivs:") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines, err
}

// threadsHave returns an error unless /proc/self/task/TID/status has the lines, for each
// thread.
func threadsHave(lines ...string) error {
	names, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(names) < 2 {
		return fmt.Errorf("threads %q, %w", names, err)
	}
	for _, name := range names {
		status, err := os.ReadFile(name)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !strings.Contains(string(status), line+"\n") {
				return fmt.Errorf("%s lacks %q:\n%s", name, line, status)
			}
		}
	}
	return nil
}

// installRefused installs nothing, for several reasons.
func installRefused() error {
	if err := Install(&Filter{Manner: Manner{Notify: true}}); !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("a filter that notifies: %w", err)
	}
	if err := Install(&Filter{}); !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("an empty filter: %w", err)
	}
	f, err := noParent()
	if err != nil {
		return err
	}
	before, err := ownState()
	if err != nil {
		return err
	}
	filtered, end := make(chan error), make(chan struct{})
	go func() {
		_ = onThread(func() error {
			err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
			filtered <- errors.Join(err, sys.SeccompInstall(f.Program))
			<-end
			return errors.New("end the thread")
		})
	}()
	if err := <-filtered; err != nil {
		return err
	}
	if err := Install(f); !errors.Is(err, unix.ESRCH) || !strings.Contains(err.Error(), "has another filter") {
		return fmt.Errorf("a thread with a filter: %w", err)
	}
	close(end)
	// The threads that failed end after Install has returned.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if err := threadsHave(before...); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
