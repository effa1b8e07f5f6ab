// Package lsm has a program run under an AppArmor profile or an SELinux label.
// The kernel takes both as texts for files in the /proc directory of the
// process that is about to execute the program, and applies them when it does
// (proc_pid_attr(5)). This package knows the files and the texts, and whether
// the host can do what is asked for; it writes nothing itself.
package lsm

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/selinux/go-selinux"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Unconfined is the AppArmor profile that is always there, and is none.
const Unconfined = "unconfined"

// Labels are what a program is to run under. Each may be empty.
type Labels struct {
	// AppArmor is the name of a profile that is loaded.
	AppArmor string
	// SELinux is the label of the process, and of the keys that it makes.
	SELinux string
	// Mount is the SELinux label of what is mounted for it.
	Mount string
}

// None reports whether nothing is asked for.
func (l Labels) None() bool { return l == Labels{} }

// Check reports whether the host has the security modules that the labels
// need, and whether its policy knows them as far as that can be told
// beforehand. The error is a *config.FieldError.
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

// appArmorSwitch says Y when AppArmor is on.
const appArmorSwitch = "/sys/module/apparmor/parameters/enabled"

func appArmorEnabled(file string) bool {
	text, err := os.ReadFile(file)
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

// Writes lists what the process that is to execute the program must write. The
// kernel allows it to nobody else, and forgets it when a program was executed.
func (l Labels) Writes() []Write {
	var list []Write
	if l.AppArmor != "" && (l.AppArmor != Unconfined || appArmorEnabled(appArmorSwitch)) {
		// Linux 5.8: before, the modules shared the files in attr.
		list = append(list, Write{"process.apparmorProfile", "self/attr/apparmor/exec", "exec " + l.AppArmor})
	}
	if l.SELinux != "" {
		list = append(list,
			Write{"process.selinuxLabel", "self/attr/exec", l.SELinux},
			Write{"process.selinuxLabel", "self/attr/keycreate", l.SELinux})
	}
	return list
}

// Explain turns the kernel's answer to a write into what it means. The error
// is a *config.FieldError, and still is the kernel's errno.
func (w Write) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case w.Field == "process.apparmorProfile" && errors.Is(err, unix.ENOENT):
		// Not in the kernel's words: engines take "no such file or
		// directory" for a program that is missing.
		return &config.FieldError{Field: w.Field, Err: &notLoaded{strings.TrimPrefix(w.Text, "exec ")}}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return config.FieldErrorf(w.Field, "%w (the policy does not allow the runtime, as it is confined itself, to change to it)", err)
	}
	return config.FieldErrorf(w.Field, "%w", err)
}

// notLoaded is about a profile that the kernel does not have.
type notLoaded struct{ profile string }

func (e *notLoaded) Error() string {
	return fmt.Sprintf("AppArmor profile %q is not loaded: load it with apparmor_parser(8); /sys/kernel/security/apparmor/profiles lists those that are", e.profile)
}

func (e *notLoaded) Unwrap() error { return unix.ENOENT }
