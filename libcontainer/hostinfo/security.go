package hostinfo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/seccomp"
)

// Security describes the security modules and seccomp.
type Security struct {
	// Modules are those of /sys/kernel/security/lsm, empty without securityfs.
	Modules []string `json:"modules"`
	// AppArmor is set if profiles can be applied.
	AppArmor bool `json:"appArmor"`
	// SELinux is enforcing, permissive or disabled.
	SELinux string `json:"seLinux"`
	// Seccomp is set if the kernel has filters, SeccompFlags are their flags.
	Seccomp      bool     `json:"seccomp"`
	SeccompFlags []string `json:"seccompFlags"`
}

func (h *host) security() Security {
	s := Security{Modules: []string{}, SELinux: "disabled", SeccompFlags: append([]string{}, seccomp.SupportedFlags()...)}
	if list := h.text("/sys/kernel/security/lsm"); list != "" {
		s.Modules = strings.Split(list, ",")
	}
	s.AppArmor = strings.HasPrefix(h.text("/sys/module/apparmor/parameters/enabled"), "Y")
	switch h.text("/sys/fs/selinux/enforce") {
	case "1":
		s.SELinux = "enforcing"
	case "0":
		s.SELinux = "permissive"
	}
	s.Seccomp = h.exists("/proc/sys/kernel/seccomp/actions_avail")
	return s
}

// UserNamespaces describes user namespaces, and the IDs that an unprivileged caller
// may map.
type UserNamespaces struct {
	Supported bool `json:"supported"`
	// Denied is the setting that denies them to unprivileged users, as NAME=VALUE.
	Denied string `json:"denied"`
	// Newuidmap and Newgidmap are the paths of the programs that map ranges.
	Newuidmap Helper `json:"newuidmap"`
	Newgidmap Helper `json:"newgidmap"`
	// Subuids and Subgids are the ranges of the calling user in /etc/subuid and
	// /etc/subgid, as FIRST:COUNT.
	Subuids []string `json:"subuids"`
	Subgids []string `json:"subgids"`
}

// Helper is a program that writes ID mappings.
type Helper struct {
	// Path is empty if $PATH does not have it.
	Path string `json:"path"`
	// Privileged is set if it is set-uid root or has file capabilities.
	Privileged bool `json:"privileged"`
}

func (h *host) userNamespaces() UserNamespaces {
	names := []string{strconv.Itoa(os.Geteuid())}
	if u, err := user.Current(); err == nil { // a user without an entry has ranges by number only
		names = append(names, u.Username)
	}
	return UserNamespaces{
		Supported: h.exists("/proc/self/ns/user"),
		Denied:    probe.UserNamespacesDenied(),
		Newuidmap: h.helper("newuidmap"),
		Newgidmap: h.helper("newgidmap"),
		Subuids:   h.ranges("/etc/subuid", names),
		Subgids:   h.ranges("/etc/subgid", names),
	}
}

// ranges returns the ranges of a user from a file of subuid(5).
func (h *host) ranges(path string, names []string) []string {
	list := []string{}
	for line := range strings.Lines(h.text(path)) {
		owner, granted, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, name := range names {
			if owner == name && granted != "" {
				list = append(list, granted)
				break
			}
		}
	}
	return list
}

func (h *host) helper(name string) Helper {
	path, err := exec.LookPath(name)
	if err != nil {
		return Helper{}
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		h.note(fmt.Errorf("stat %q: %w", path, err))
		return Helper{Path: path}
	}
	setuid := st.Mode&unix.S_ISUID != 0 && st.Uid == 0
	value := make([]byte, 64)
	n, err := unix.Getxattr(path, "security.capability", value)
	if err != nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) {
		h.note(fmt.Errorf("getxattr %q: %w", path, err))
	}
	return Helper{Path: path, Privileged: setuid || n > 4 && len(bytes.Trim(value[4:n], "\x00")) > 0}
}
