package main

import "strings"

// shim is berth as containerd's shim.
const shim = "containerd-shim-berth-v2"

// engineBeds returns the beds of tests/engines: each engine of this host, of Debian 13 and
// of Debian's testing suite, with the cgroups that this host has, and with v2 only; those of
// Debian's suites also with systemd.
func engineBeds() []bed {
	var all []bed
	for _, generation := range []string{"", "trixie", "testing"} {
		for _, view := range []string{"", "v2"} {
			for _, engine := range []string{"podman", "docker", "containerd"} {
				all = append(all, engineBed(engine, generation, view))
			}
			all = append(all, shimBed(generation, view))
			if generation != "" {
				all = append(all, rootlessDockerBed(generation, view))
			}
		}
		if generation == "testing" {
			for _, view := range []string{"", "v2"} {
				all = append(all, buildkitBed("", view), buildkitBed("-rootless", view, "ROOTLESS=1"),
					buildkitBed("-rootless-nosandbox", view, "ROOTLESS=1", "NO_SANDBOX=1"))
			}
		}
		if generation != "" {
			for _, engine := range []string{"podman", "docker", "containerd"} {
				all = append(all, engineBed(engine, generation, "systemd"))
			}
			all = append(all, shimBed(generation, "systemd"), rootlessDockerBed(generation, "systemd"))
		}
	}
	return all
}

// shimBed returns the bed of containerd with berth as its shim.
func shimBed(generation, view string) bed {
	b := engineBed("containerd", generation, view)
	b.name = strings.Replace(b.name, "containerd", "shim", 1)
	b.tags[0] = "shim"
	b.enter = append([]string{"env", "SHIM=bin/" + shim}, b.enter[1:]...)
	b.own = true
	return b
}

// rootlessDockerBed returns the bed of the tests with the Docker of an unprivileged user.
func rootlessDockerBed(generation, view string) bed {
	b := engineBed("docker", generation, view)
	b.name = strings.Replace(b.name, "docker", "docker-rootless", 1)
	b.tags = append(b.tags, "rootless-docker")
	b.enter = append([]string{"env", "ROOTLESS=1"}, b.enter[1:]...)
	return b
}

// buildkitBed returns a bed of the tests with BuildKit, which Debian does not have; the tree
// of the testing suite has its client.
func buildkitBed(variant, view string, env ...string) bed {
	b := engineBed("buildkit", "testing", view)
	b.name = strings.Replace(b.name, "buildkit", "buildkit"+variant, 1)
	b.enter = append(append([]string{"env"}, env...), b.enter[1:]...)
	return b
}

// engineBed returns the bed of the tests with a container engine. The generation and the
// view may be empty: those of this host. The tag "new-ENGINE" is for the other generations,
// "systemd-ENGINE" for the view with systemd, "rootless-docker" for an unprivileged user.
func engineBed(engine, generation, view string) bed {
	var suffix string
	for _, part := range []string{generation, view} {
		if part != "" {
			suffix += "-" + part
		}
	}
	tags := []string{engine}
	if generation != "" {
		tags = append(tags, "new-"+engine)
	}
	if view == "systemd" {
		tags = append(tags, "systemd-"+engine)
	}
	return bed{
		name:  engine + suffix,
		group: "engines" + suffix,
		enter: []string{"env", "ENGINE=" + engine, "GENERATION=" + generation, "VIEW=" + view, enginesDir + "/bed"},
		tags:  tags,
		dir:   enginesDir,
		apart: suffix != "",
	}
}
