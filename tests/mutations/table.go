package main

import "regexp"

// tests are those that should notice a mutation, the quickest first.
type tests struct {
	packages []string // of Go
	files    []string // of tests/integration: BED:FILE FILTER, or just the file
}

// target is code that protects.
type target struct {
	files    string         // a pattern
	function *regexp.Regexp // nil means all
	tests    tests
}

const setup = "libcontainer/internal/setup/"

// integration returns the tests of setup, and files of tests/integration.
func integration(files ...string) tests {
	return tests{packages: []string{"./libcontainer/internal/setup"}, files: files}
}

// targets are all of them: the rows of the step table, and the functions that mask, drop
// privileges, filter, limit devices and set the flags of mounts.
var targets = []target{
	{setup + "steps_privileges.go", nil, integration("capabilities.bats", "process.bats", "exec-attacks.bats", "userns.bats")},
	{setup + "steps_seccomp.go", nil, integration("seccomp.bats", "exec.bats")},
	{setup + "steps_groups.go", nil, integration("process.bats", "userns.bats", "rootless.bats")},
	{setup + "steps_devices.go", nil, integration("cgroups.bats device", "userns.bats", "process.bats")},
	{setup + "steps_labels.go", nil, integration("lsm.bats")},
	{setup + "steps_session.go", nil, integration("process.bats", "exec.bats", "cve.bats")},
	{setup + "steps_limits.go", nil, integration("process.bats", "limits.bats")},
	{setup + "steps_root.go", nil, integration("mounts.bats", "namespaces.bats", "cve.bats", "nopivot.bats")},
	{"internal/rootfs/protect.go", nil, integration("procfs.bats", "paths.bats", "cve.bats", "mounts.bats")},
	{"internal/rootfs/remount.go", nil, integration("mount-options.bats", "mounts.bats", "mounts-userns.bats")},
	{"libcontainer/capabilities/apply_linux.go", nil, tests{
		packages: []string{"./libcontainer/capabilities", "./libcontainer/internal/setup"},
		files:    []string{"capabilities.bats", "process.bats"},
	}},
	{"internal/cgroups/devices/*.go", nil, tests{
		packages: []string{"./internal/cgroups/devices"}, files: []string{"cgroups.bats device"},
	}},
	{setup + "steps.go", nil, integration("process.bats", "mounts.bats", "namespaces.bats", "cgroups.bats", "seccomp.bats", "hooks.bats", "userns.bats",
		"exec.bats", "capabilities.bats", "create-start.bats", "terminal.bats", "procfs.bats", "lsm.bats", "sysctl.bats", "timens.bats", "scheduling.bats",
		"netdevices.bats", "mounts-added.bats", "shared-mounts.bats", "notify.bats", "kill.bats", "rootless.bats", "exec-attacks.bats", "cve.bats", "descriptors.bats")},
}
