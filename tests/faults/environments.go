package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/seccomp"
)

// environment is a kernel or a sandbox that lacks a set of calls.
type environment struct {
	name string
	// release is what uname(2) reports there; the host's if empty.
	release string
	// absent are the errnos of the calls that it lacks.
	absent map[string]unix.Errno
	// sandbox is a command that executes its arguments in the real environment. absent
	// then only says what a message may name.
	sandbox []string
	// explained matches a message that says why the calls are absent.
	explained *regexp.Regexp
}

// version is a version of Linux, 5.12 for example as 512.
type version int

// introduced are the calls of names.go that came after Linux 4.18: the table of
// syscalls(2).
var introduced = map[string]version{
	"pidfd_send_signal": 501,
	"fsconfig":          502, "fsmount": 502, "fsopen": 502, "fspick": 502, "move_mount": 502, "open_tree": 502,
	"clone3": 503, "pidfd_open": 503,
	"openat2": 506, "pidfd_getfd": 506,
	"faccessat2":    508,
	"close_range":   509,
	"mount_setattr": 512,
}

// environments are all of them.
func environments() []environment {
	return []environment{
		oldKernel(418), oldKernel(504), oldKernel(510),
		{
			// The table of gVisor's sentry (pkg/sentry/syscalls/linux), September 2026.
			name: "gvisor", release: "4.19.0-gvisor",
			absent:    map[string]unix.Errno{"mount_setattr": unix.ENOSYS, "fspick": unix.ENOSYS, "add_key": unix.EACCES},
			explained: requires("4.19"),
		},
		{
			name: "docker", absent: deniedByDocker,
			sandbox:   []string{"sandboxed", "seccomp/testdata/docker.json"},
			explained: regexp.MustCompile(`denied, probably by the seccomp filter of a sandbox around the runtime`),
		},
	}
}

// deniedByDocker are the calls that Docker's default profile denies without
// CAP_SYS_ADMIN.
var deniedByDocker = map[string]unix.Errno{
	"add_key": unix.EPERM, "bpf": unix.EPERM, "clone3": unix.ENOSYS, "fsconfig": unix.EPERM, "fsmount": unix.EPERM, "fsopen": unix.EPERM,
	"fspick": unix.EPERM, "keyctl": unix.EPERM, "mount": unix.EPERM, "mount_setattr": unix.EPERM, "move_mount": unix.EPERM,
	"open_tree": unix.EPERM, "pidfd_getfd": unix.EPERM, "pivot_root": unix.EPERM, "sethostname": unix.EPERM, "setdomainname": unix.EPERM,
	"setns": unix.EPERM, "umount2": unix.EPERM, "unshare": unix.EPERM,
}

// oldKernel is a kernel without the calls that came later.
func oldKernel(v version) environment {
	release := fmt.Sprintf("%d.%d", v/100, v%100)
	absent := map[string]unix.Errno{}
	for name, since := range introduced {
		if since > v {
			absent[name] = unix.ENOSYS
		}
	}
	return environment{name: "linux-" + release, release: release + ".0-faults", absent: absent, explained: requires(release)}
}

// requires matches the message of a kernel that is too old.
func requires(release string) *regexp.Regexp {
	return regexp.MustCompile(`Linux 5\.12 or later is required, this is ` + regexp.QuoteMeta(release) + `: `)
}

// inEnvironments runs the command in each environment.
func inEnvironments([]*call) []*trial {
	var list []*trial
	for _, e := range environments() {
		// A command that makes none of the absent calls is as good as one that does.
		always := func() bool { return true }
		list = append(list, &trial{
			name: "in " + e.name, environment: &e, fault: &lackingSet{environment: e}, reached: always, judge: (*rig).judgeError,
		})
	}
	return list
}

// judgeMessage: the message names a call that is absent, and says why it is.
func (e *environment) judgeMessage(message string) []string {
	if !e.explained.MatchString(message) {
		return []string{"the message does not explain the environment: " + message}
	}
	for name := range e.absent {
		if strings.Contains(message, name) {
			return nil
		}
	}
	return []string{"the message does not name an absent call: " + message}
}

// lackingSet makes every call of a set fail.
type lackingSet struct{ environment }

func (l *lackingSet) enter(c *call) action {
	errno := l.absent[c.name]
	if errno == 0 || len(l.sandbox) > 0 {
		return action{}
	}
	return action{errno: errno}
}

// leave replaces the release that uname(2) has returned.
func (l *lackingSet) leave(c *call) action {
	if c.name == "uname" {
		return action{release: l.release}
	}
	return action{}
}

// around returns the command that executes another one in the environment.
func (l *lackingSet) around(self string) []string {
	if len(l.sandbox) == 0 {
		return nil
	}
	return append([]string{self}, l.sandbox...)
}

// dockerCapabilities are those of a container of Docker.
var dockerCapabilities = []string{
	"chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap", "net_bind_service",
	"sys_chroot", "kill", "audit_write",
}

// sandboxed executes a command as a container of Docker runs it: with a seccomp profile,
// and few capabilities.
func sandboxed(args []string) error {
	if len(args) < 2 {
		return errors.New("sandboxed: no command")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var profile specs.LinuxSeccomp
	if err := json.Unmarshal(text, &profile); err != nil {
		return err
	}
	filter, err := seccomp.Compile(&profile)
	if err != nil {
		return err
	}
	program, err := seccomp.Parse(filter.Bytes())
	if err != nil {
		return err
	}
	bounding := "--bounding-set=-all,+" + strings.Join(dockerCapabilities, ",+")
	command := slices.Concat([]string{"/usr/bin/setpriv", bounding, "--inh-caps=-all"}, args[1:])
	if err := sys.SeccompInstall(program); err != nil {
		return err
	}
	return syscall.Exec(command[0], command, os.Environ())
}
