package main

import (
	"regexp"
	"slices"
)

// tests are those that should notice a mutation, the quickest first: packages of Go, which
// begin with "./", and files of tests/integration, as BED:FILE FILTER or just FILE.
type tests []string

// target is code that protects.
type target struct {
	files string // a pattern
	tests tests
}

const setup = "libcontainer/internal/setup/"

// integration returns the tests of setup, and others.
func integration(others ...string) tests {
	return append(tests{"./libcontainer/internal/setup"}, others...)
}

// targets are all of them: the rows of the step table, and the functions that mask, drop
// privileges, filter, limit devices and set the flags of mounts.
var targets = []target{
	{setup + "steps_privileges.go", integration("capabilities.bats", "process.bats", "exec-attacks.bats", "userns.bats")},
	{setup + "steps_seccomp.go", integration("seccomp.bats agent|listener", "seccomp.bats")},
	{setup + "steps_groups.go", integration("process.bats group", "userns.bats group", "rootless.bats group|exec", "exec-attacks.bats")},
	{setup + "steps_devices.go", integration("userns.bats device", "rootless.bats device", "cgroups.bats device")},
	{setup + "steps_labels.go", integration("lsm.bats", "guest:lsm.bats", "guest-selinux:lsm.bats")},
	{setup + "steps_session.go", integration("process.bats", "exec.bats", "cve.bats")},
	{setup + "steps_limits.go", integration("limits.bats", "process.bats limit", "userns.bats limit", "rootless.bats limit")},
	{setup + "steps_root.go", integration("nopivot.bats", "mounts.bats", "cgroups.bats", "paths.bats", "shared-mounts.bats", "v2:namespaces.bats", "hanging.bats", "rootless-cgroups.bats")},
	{"internal/rootfs/protect.go", integration("paths.bats", "procfs.bats", "shared-mounts.bats")},
	{"internal/rootfs/remount.go", integration("overlay.bats remount", "mount-options.bats", "mounts-userns.bats")},
	{"libcontainer/capabilities/apply_linux.go", integration("./libcontainer/capabilities", "capabilities.bats", "process.bats")},
	{"internal/cgroups/devices/*.go", tests{"./internal/cgroups/devices", "cgroups.bats device", "v2:cgroups.bats device"}},
	{setup + "steps.go", integration("create-start.bats", "process.bats")},
}

// subjects are the tests for the steps of the table, by their names. Those of all matches
// run.
var subjects = []struct {
	steps *regexp.Regexp
	tests tests
}{
	{regexp.MustCompile(`read mappings`), tests{"userns.bats exec reads|without mappings"}},
	{regexp.MustCompile(`labels`), tests{"lsm.bats", "guest:lsm.bats", "guest-selinux:lsm.bats"}},
	{regexp.MustCompile(`without its root|enter container's root`), tests{"shared-mounts.bats", "namespaces.bats"}},
	{regexp.MustCompile(`[hH]ook: "chown stdio`), tests{"hooks-userns.bats", "rootless.bats hook"}},
	{regexp.MustCompile(`[hH]ook: "install filter`), tests{"seccomp.bats hook"}},
	{regexp.MustCompile(`[hH]ook`), tests{"hooks.bats", "hooks-userns.bats", "descriptors.bats"}},
	{regexp.MustCompile(`resctrl`), tests{"./runtime"}},
	{regexp.MustCompile(`(leave|keep) stub`), tests{"./runtime"}},
	{regexp.MustCompile(`joining stub`), tests{"exec.bats"}},
	{regexp.MustCompile(`notify`), tests{"notify.bats"}},
	{regexp.MustCompile(`unit`), tests{"systemd:systemd.bats", "systemd:systemd-root.bats"}},
	{regexp.MustCompile(`chown cgroup`), tests{"userns.bats cgroup"}},
	{regexp.MustCompile(`await limits`), tests{"rootless-cgroups.bats limits"}},
	{regexp.MustCompile(`cgroup`), tests{"cgroups.bats", "exec.bats", "v2:cgroups.bats"}},
	{regexp.MustCompile(`filter`), tests{"seccomp.bats", "exec.bats"}},
	{regexp.MustCompile(`stdio`), tests{"userns.bats", "process.bats", "rootless.bats", "shared-mounts.bats", "exec.bats"}},
	{regexp.MustCompile(`mappings|user|groups`), tests{"userns.bats", "process.bats", "rootless.bats", "namespaces.bats", "exec-attacks.bats"}},
	{regexp.MustCompile(`oom score`), tests{"process.bats", "exec-process.bats", "userns.bats", "rootless.bats"}},
	{regexp.MustCompile(`I/O priority|affinity|personality|memory policy|schedule`), tests{"scheduling.bats", "exec.bats", "exec-process.bats"}},
	{regexp.MustCompile(`clocks`), tests{"timens.bats"}},
	{regexp.MustCompile(`network|loopback`), tests{"netdevices.bats", "namespaces.bats", "userns.bats"}},
	{regexp.MustCompile(`mount stub|become container|prepare (locked )?mounts|join container|detach (added )?mounts|attach mounts|fork (into container|for procfs)`), tests{"mounts-added.bats", "hooks.bats", "hooks-userns.bats"}},
	{regexp.MustCompile(`move root`), tests{"nopivot.bats"}},
	{regexp.MustCompile(`change root|shared root|root directory`), tests{"shared-mounts.bats"}},
	{regexp.MustCompile(`root|mount|paths|/dev|devices|working directory`), tests{"mounts.bats", "paths.bats", "namespaces.bats", "cve.bats", "userns.bats", "process.bats"}},
	{regexp.MustCompile(`namespaces?`), tests{"namespaces.bats", "userns.bats", "exec.bats"}},
	{regexp.MustCompile(`keyring|limits`), tests{"limits.bats", "exec.bats", "exec-process.bats"}},
	{regexp.MustCompile(`terminal|session`), tests{"terminal.bats", "process.bats"}},
	{regexp.MustCompile(`sysctl|host name`), tests{"sysctl.bats", "namespaces.bats"}},
	{regexp.MustCompile(`sockets`), tests{"descriptors.bats"}},
	{regexp.MustCompile(`privileges|descriptors`), tests{"capabilities.bats", "process.bats", "descriptors.bats", "cve.bats"}},
}

// others are the tests for the other steps.
var others = tests{"create-start.bats", "process.bats", "delete.bats"}

// testsOf returns the tests that should notice that a step is missing.
func testsOf(step string) tests {
	var found tests
	for _, s := range subjects {
		if !s.steps.MatchString(step) {
			continue
		}
		for _, test := range s.tests {
			if !slices.Contains(found, test) {
				found = append(found, test)
			}
		}
	}
	if found == nil {
		found = others
	}
	return integration(found...)
}
