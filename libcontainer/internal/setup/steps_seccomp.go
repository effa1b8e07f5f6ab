package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/seccomp/agent"
)

func awaitFilter(r *run) error {
	_, err := r.filter.wait()
	return err
}

const seccompField = "linux.seccomp"

// filterNeedsAdmin reports whether the stub must keep CAP_SYS_ADMIN until execve: the
// kernel requires it to install a filter without no_new_privs (seccomp(2)). Only the
// stub's permitted and effective sets have it; execve does not pass them on
// (capabilities(7), Transformation of capabilities during execve).
func filterNeedsAdmin(c *config.Config) bool { return c.Seccomp != nil && !c.Process.NoNewPrivileges }

// compileFilter starts a task that compiles the filter and saves it in the state
// directory for start and exec.
func compileFilter(r *run) error {
	r.filter = begin(r, func() ([]byte, error) { return writeFilter(r.dir, r.cfg.Seccomp) })
	return nil
}

func writeFilter(dir string, s *config.Seccomp) ([]byte, error) {
	if s.Notify {
		if err := agent.Check(s.ListenerPath); err != nil {
			return nil, config.Below(seccompField, err)
		}
	}
	filter, err := seccomp.Compile(s.Profile)
	if err != nil {
		return nil, config.Below(seccompField, err)
	}
	f, err := sys.OpenFile(filepath.Join(dir, state.FilterFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(filter.Bytes())
	return filter.Bytes(), errors.Join(err, f.Close())
}

// readFilter returns the container's filter as BPF bytecode.
func (j *job) readFilter() ([]byte, error) {
	if j.bytecode != nil {
		return j.bytecode, nil
	}
	filter, err := sys.ReadFile(filepath.Join(j.dir, state.FilterFile))
	if err == nil {
		_, err = seccomp.Parse(filter)
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return filter, nil
}

// installFilter queues the filter in one batch with execve. If the filter notifies an
// agent, the runtime sends the listener to the agent between the two calls; the stub
// waits without a system call, as the filter could suspend it before the agent has the
// listener.
func installFilter(r *run) error {
	filter, err := r.readFilter()
	if err != nil {
		return err
	}
	s := r.cfg.Seccomp
	r.stub.Atomic()
	r.stub.Label(seccompField)
	r.sealed = true
	if !s.Notify {
		r.stub.Seccomp(s.Flags, filter)
		return nil
	}
	pidfd, err := r.stubPidfd()
	if err != nil {
		return err
	}
	conn, err := agent.Dial(r.ctx, s.ListenerPath)
	if err != nil {
		return errors.Join(config.Below(seccompField, err), pidfd.Close())
	}
	r.atEnd(conn.Close)
	if !r.root {
		// pidfd_getfd(2) needs ptrace access, which the kernel denies to an
		// unprivileged runtime if the stub is not dumpable. execve resets this.
		r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	}
	listener := r.stub.Seccomp(s.Flags, filter)
	r.stub.Hold(listener, func(fd int) error {
		err := r.sendListener(conn, pidfd, fd)
		if err != nil {
			err = errors.Join(err, unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0))
		}
		return errors.Join(err, pidfd.Close())
	})
	return nil
}

// stubPidfd returns a pidfd of the stub. The caller closes it.
func (r *run) stubPidfd() (*os.File, error) {
	if r.child == nil {
		return r.state.OpenProcess()
	}
	fd, err := unix.FcntlInt(r.child.Pidfd.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// sendListener sends the listener, the stub's descriptor fd, to the agent.
func (r *run) sendListener(conn *agent.Conn, pidfd *os.File, fd int) error {
	n, err := unix.PidfdGetfd(int(pidfd.Fd()), fd, 0)
	if err != nil {
		return config.FieldErrorf(seccompField, "pidfd_getfd: %w", err)
	}
	listener := os.NewFile(uintptr(n), "listener")
	defer listener.Close()
	const want = "anon_inode:seccomp notify"
	if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", n)); err != nil || link != want {
		return errors.Join(config.FieldErrorf(seccompField, "descriptor %d of the container's process is not a seccomp listener: %q", fd, link), err)
	}
	state := specs.ContainerProcessState{
		Version: specs.Version, Pid: r.pid(), Metadata: r.cfg.Seccomp.Metadata,
		State: r.hookState(r.statusForAgent(), r.state.Pid),
	}
	return config.Below(seccompField, conn.Send(listener, state))
}

// statusForAgent returns the container's status for the agent. For the program it is
// "creating", as with other runtimes, which install the filter during create.
func (j *job) statusForAgent() specs.ContainerState {
	switch j.op {
	case inStartHook:
		return specs.StateCreated
	case inExec:
		return specs.StateRunning
	}
	return specs.StateCreating
}

// filterError explains why the kernel refused the filter; nil if err has another
// cause.
func filterError(err error) error {
	var call *stub.Error
	if !errors.As(err, &call) || call.Call != "seccomp" {
		return nil
	}
	switch call.Errno {
	case unix.EACCES:
		return config.FieldErrorf(seccompField, "%w (needs CAP_SYS_ADMIN, or process.noNewPrivileges)", err)
	case unix.EINVAL:
		return config.FieldErrorf(seccompField+".flags", "%w (\"features\" lists the flags that the kernel supports)", err)
	}
	return err
}
