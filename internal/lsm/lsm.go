// Package lsm describes how to run a program under an AppArmor profile or an
// SELinux label. The kernel reads both from files in the /proc directory of the
// process that calls execve(2), and applies them in that call
// (proc_pid_attr(5)). This package knows the files and texts and whether the
// host supports them; it does not write the files.
package lsm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/selinux/go-selinux"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Unconfined is the name of the AppArmor profile that always exists and
// confines nothing.
const Unconfined = "unconfined"

// Labels are the profile and labels of a program. Each may be empty.
type Labels struct {
	// AppArmor is the name of a loaded profile.
	AppArmor string
	// SELinux is the label of the process and of the keys that it creates.
	SELinux string
	// Mount is the SELinux label of the container's mounts.
	Mount string
}

// None reports whether no label is set.
func (l Labels) None() bool { return l == Labels{} }

// Check reports whether the host has the security modules that the labels need,
// and whether the SELinux policy knows the labels. Only the kernel knows at
// execve(2) whether a profile is loaded. The error is a *config.FieldError.
func (l Labels) Check() error {
	if l.AppArmor != "" && l.AppArmor != Unconfined && !appArmorEnabled(appArmorSwitch) {
		return config.FieldErrorf("process.apparmorProfile", "%q: AppArmor is not enabled on this host (%s does not say Y): boot with apparmor=1 security=apparmor, or leave the profile out",
			l.AppArmor, appArmorSwitch)
	}
	for _, label := range []struct{ field, value string }{
		{"process.selinuxLabel", l.SELinux},
		{"linux.mountLabel", l.Mount},
	} {
		if err := checkSELinux(label.field, label.value); err != nil {
			return err
		}
	}
	return nil
}

// appArmorSwitch contains Y if AppArmor is enabled.
const appArmorSwitch = "/sys/module/apparmor/parameters/enabled"

func appArmorEnabled(file string) bool {
	text, err := sys.ReadFile(file)
	return err == nil && strings.HasPrefix(string(text), "Y")
}

func checkSELinux(field, label string) error {
	if label == "" {
		return nil
	}
	if !selinux.GetEnabled() {
		return config.FieldErrorf(field, "%q: selinux label is specified in config, but selinux is disabled or not supported on this host (no policy is loaded, or selinuxfs is not mounted on /sys/fs/selinux)", label)
	}
	if err := selinux.SecurityCheckContext(label); err != nil {
		return config.FieldErrorf(field, "%q is not a label of the loaded policy: %w", label, err)
	}
	return nil
}

// Write is a text for a file below /proc.
type Write struct {
	// Field of config.json that asks for it.
	Field string
	// Path relative to /proc.
	Path string
	Text string
}

// Writes returns the texts that the process must write before it calls
// execve(2). The kernel lets no other process write them, and clears them after
// execve(2).
func (l Labels) Writes() []Write {
	var list []Write
	if l.AppArmor != "" && (l.AppArmor != Unconfined || appArmorEnabled(appArmorSwitch)) {
		// Before Linux 5.8, all modules shared the files in attr.
		list = append(list, Write{"process.apparmorProfile", "self/attr/apparmor/exec", "exec " + l.AppArmor})
	}
	if l.SELinux != "" {
		list = append(list,
			Write{"process.selinuxLabel", "self/attr/exec", l.SELinux},
			Write{"process.selinuxLabel", "self/attr/keycreate", l.SELinux})
	}
	return list
}

// Explain adds the likely cause to the error of a write. The result is a
// *config.FieldError that wraps the errno.
func (w Write) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case w.Field == "process.apparmorProfile" && errors.Is(err, unix.ENOENT):
		// Without "no such file or directory": engines take it for a missing
		// program.
		return &config.FieldError{Field: w.Field, Err: &notLoaded{strings.TrimPrefix(w.Text, "exec ")}}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return config.FieldErrorf(w.Field, "%w (the runtime is confined, and its policy does not allow the change)", err)
	}
	return config.FieldErrorf(w.Field, "%w", err)
}

// notLoaded reports that the kernel does not have a profile.
type notLoaded struct{ profile string }

func (e *notLoaded) Error() string {
	return fmt.Sprintf("AppArmor profile %q is not loaded: load it with apparmor_parser(8); /sys/kernel/security/apparmor/profiles lists the loaded profiles", e.profile)
}

func (e *notLoaded) Unwrap() error { return unix.ENOENT }

// Verify returns an error if a thread that this package did not prepare, such as a restored
// one, does not have the labels: an AppArmor profile, also with a child profile, or an
// SELinux label, also in other words with the same meaning.
func (l Labels) Verify(tid int) error {
	if l.AppArmor != "" && l.AppArmor != Unconfined {
		got, err := attribute(tid, "apparmor/current")
		if err != nil {
			return config.FieldErrorf("process.apparmorProfile", "%w", err)
		}
		if !inProfile(got, l.AppArmor) {
			return config.FieldErrorf("process.apparmorProfile", "it has the AppArmor profile %q, not %q", got, l.AppArmor)
		}
	}
	if l.SELinux == "" {
		return nil
	}
	got, err := attribute(tid, "current")
	if err != nil {
		return config.FieldErrorf("process.selinuxLabel", "%w", err)
	}
	want, err := selinux.CanonicalizeContext(l.SELinux)
	if err != nil {
		return config.FieldErrorf("process.selinuxLabel", "%q: %w", l.SELinux, err)
	}
	if got != want {
		return config.FieldErrorf("process.selinuxLabel", "it has the SELinux label %q, not %q (CRIU restores labels only if it was built with SELinux: ldd criu names libselinux then)", got, want)
	}
	return nil
}

// attribute reads a file of /proc/TID/attr.
func attribute(tid int, name string) (string, error) {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/attr/%s", tid, name))
	return strings.TrimRight(string(text), "\x00\n"), err
}

// inProfile reports whether a label as the kernel prints it, "NAME (MODE)", is a profile or
// a child of it. A profile of another namespace, ":NAMESPACE:NAME", is printed as
// ":NAMESPACE://NAME".
func inProfile(label, profile string) bool {
	name, _, _ := strings.Cut(label, " (")
	if namespace, rest, ok := strings.Cut(strings.TrimPrefix(profile, ":"), ":"); ok && profile[0] == ':' {
		profile = ":" + namespace + "://" + strings.TrimPrefix(rest, "//")
	}
	return name == profile || strings.HasPrefix(name, profile+"//")
}
