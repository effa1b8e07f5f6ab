// Package hostinfo describes the host for reports of faults: what it offers to
// containers, what it lacks, and which features that costs. It has no names of
// users and hosts.
package hostinfo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Info are the facts. The names of its JSON members are an interface.
type Info struct {
	// System is PRETTY_NAME of os-release(5).
	System         string            `json:"system"`
	Kernel         Kernel            `json:"kernel"`
	Process        Process           `json:"process"`
	Cgroup         Cgroup            `json:"cgroup"`
	Security       Security          `json:"security"`
	UserNamespaces UserNamespaces    `json:"userNamespaces"`
	Rlimits        map[string]Rlimit `json:"rlimits"`
	// Sysctls are those that limit containers; one that the kernel does not have is
	// absent.
	Sysctls map[string]string `json:"sysctls"`
	CRIU    CRIU              `json:"criu"`
	Missing []Missing         `json:"missing"`
	// Unread are the errors of files that exist and could not be read: the facts in
	// them are unknown.
	Unread []string `json:"unread"`
}

// Kernel describes the kernel.
type Kernel struct {
	Release string `json:"release"`
	Machine string `json:"machine"`
	// Namespaces are the kinds in /proc/self/ns.
	Namespaces []string `json:"namespaces"`
	// AbsentCalls are required system calls that the kernel does not have or that
	// a seccomp filter denies.
	AbsentCalls []string `json:"absentCalls"`
	// Resctrl is set if the resctrl file system is mounted.
	Resctrl bool `json:"resctrl"`
}

// Process describes the calling process. Its privileges limit those of containers.
type Process struct {
	UID             int  `json:"uid"`
	InUserNamespace bool `json:"inUserNamespace"`
	// LackedCapabilities are those that the kernel knows and that are not in the
	// permitted set.
	LackedCapabilities []string `json:"lackedCapabilities"`
	NoNewPrivs         bool     `json:"noNewPrivs"`
	// SeccompFilter is set if a filter of a sandbox applies to the process.
	SeccompFilter bool `json:"seccompFilter"`
}

// Rlimit is a limit of setrlimit(2): a number, or "unlimited".
type Rlimit struct {
	Soft string `json:"soft"`
	Hard string `json:"hard"`
}

// CRIU is the program for checkpoints, if $PATH has it.
type CRIU struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// Missing is something that the host lacks.
type Missing struct {
	Name string `json:"name"`
	// Costs are the features that do not work without it.
	Costs string `json:"costs"`
}

// Options select how containers would be created.
type Options struct {
	// SystemdCgroup is set if systemd is to create their cgroups.
	SystemdCgroup bool
}

// Collect asks the kernel and reads files. It changes nothing. ctx bounds the time
// of "criu --version".
func Collect(ctx context.Context, o Options) *Info {
	h := &host{}
	i := &Info{
		System:         h.system(),
		Kernel:         h.kernel(),
		Process:        h.process(),
		Cgroup:         h.cgroup(o),
		Security:       h.security(),
		UserNamespaces: h.userNamespaces(),
		Rlimits:        rlimits(),
		Sysctls:        h.sysctls(),
		CRIU:           h.criu(ctx),
		Unread:         []string{},
	}
	i.Unread = append(i.Unread, h.unread...)
	i.Missing = missing(i)
	return i
}

// host reads the files of a host.
type host struct {
	// root precedes the paths of files, for tests.
	root   string
	unread []string
}

// text returns a file without blanks around its text, and "" for one that does not
// exist.
func (h *host) text(path string) string {
	b, err := sys.ReadFile(h.root + path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.note(err)
	}
	return string(bytes.TrimSpace(b))
}

func (h *host) note(err error) { h.unread = append(h.unread, err.Error()) }

// exists reports whether a path exists.
func (h *host) exists(path string) bool {
	err := unix.Access(h.root+path, unix.F_OK)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
		h.note(fmt.Errorf("access %q: %w", path, err))
	}
	return err == nil
}

// system returns the name of the distribution.
func (h *host) system() string {
	for line := range strings.Lines(h.text("/etc/os-release")) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(name), `"'`)
		}
	}
	return ""
}
