package main

import (
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// scenarios set up a configuration and the attacks on its root file system, by name.
var scenarios = map[string]func(*bundle){
	"mounts":  mounts,
	"missing": missing,
	"dev":     dev,
	"proc":    proc,
	"volume":  volume,
	"user": func(b *bundle) {
		mounts(b)
		boundDevices(b)
		b.userNamespace()
	},
	"added": func(b *bundle) {
		mounts(b)
		b.added, b.spec.Mounts = b.spec.Mounts, nil
	},
	"no-pivot": func(b *bundle) {
		mounts(b)
		b.args = append(b.args, "--no-pivot")
	},
}

// mounts attacks mount points and their parents, the working directory, and masked and
// read-only paths.
func mounts(b *bundle) {
	b.has("/d1", "/d2/x", "/d3/x/y/z", "/d4/x", "/d5/x/y", "/w/x/y", "/k1/x/dir", "/k2", "/r1/x/dir", "/run/lock")
	b.hasFile("/f1", "/f2/x/file", "/k3/x/file", "/r2/x/file")
	b.must(os.Symlink("../run", filepath.Join(b.rootfs, "d1.run")))

	b.tmpfs("/d1", "mode=755")
	b.bind("/d2/x", false)
	b.tmpfs("/d3/x/y/z", "mode=755", "ro")
	b.tmpfs("/d4/x")
	b.bind("/d5/x/y", false, "rbind", "ro")
	b.bind("/d1.run/lock", false)
	b.bind("/f1", true)
	b.bind("/f2/x/file", true, "ro")
	b.spec.Process.Cwd = "/w/x/y"
	b.mask("/k1/x/dir", "/k2", "/k3/x/file")
	b.readonly("/r1/x/dir", "/r2/x/file")

	b.swap(absolute, "/d1", "/d3/x", "/d4/x", "/f2/x", "/w/x", "/k2", "/k3/x", "/r1/x/dir")
	b.swap(climbing, "/d2/x", "/d3/x/y/z", "/d5/x", "/f1", "/w/x/y", "/k1/x", "/r2/x/file")
}

// missing attacks mount points, their parents, and the directories of devices, all of
// which the runtime has to make again and again, and the files that tmpcopyup copies.
func missing(b *bundle) {
	b.has("/m1", "/m2", "/m3/x", "/m4", "/graveyard", "/l1/in", "/out/in")
	b.hasFile("/c1/file", "/c2/x/file")

	b.tmpfs("/m1/new/a/b", "mode=755")
	b.bind("/m2/new/file", true)
	b.spec.Process.Cwd = "/m3/x/new/cwd"
	b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/m4/new/null", Type: "c", Major: 1, Minor: 3}}
	b.copyUp("/c1")
	b.copyUp("/c2/x")
	// A directory moved out of the root file system is outside, and so is its "..": a
	// mount there is lost, but no mount may appear above it.
	b.must(os.MkdirAll(filepath.Join(b.limbo, "l1/in"), 0o755))
	b.must(os.Symlink("l1/in/../../../outside/out/in", filepath.Join(b.rootfs, "l1.up")))
	b.spec.Mounts = append(b.spec.Mounts, specs.Mount{
		Destination: "/l1.up", Type: "tmpfs", Source: "lost", Options: []string{"mode=755"},
	})
	b.swaps = append(b.swaps, swap{filepath.Join(b.rootfs, "l1"), filepath.Join(b.limbo, "l1")})

	b.swap(absolute, "/m1", "/m3/x", "/c1", "/c2/x")
	b.swap(climbing, "/m2", "/m3", "/m4")
	for _, path := range []string{"/m1/new", "/m2/new", "/m4/new"} {
		b.swaps = append(b.swaps, swap{filepath.Join(b.rootfs, path), filepath.Join(b.rootfs, "graveyard") + "/"})
	}
}

// dev attacks the devices and the terminal in the image's own /dev.
func dev(b *bundle) {
	b.has("/dev/pts", "/dev/shm", "/x/devices")
	b.hasFile("/dev/ptmx.decoy", "/dev/console.decoy")
	for _, name := range []string{"ptmx", "core", "fd", "console", "null", "zero"} {
		// Only outside: these must stay unchanged.
		b.must(os.WriteFile(filepath.Join(b.outside, "dev", name), []byte(secret), 0o600))
	}
	b.must(os.WriteFile(filepath.Join(b.outside, "dev/pts/ptmx"), []byte(secret), 0o600))
	b.mount(specs.Mount{
		Destination: "/dev/pts", Type: "devpts", Source: "attacked-devpts",
		Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"},
	})
	b.tmpfs("/dev/shm", "mode=1777")
	b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/x/devices/null", Type: "c", Major: 1, Minor: 3}}
	b.terminal()
	b.swap(absolute, "/dev/pts", "/x/devices")
	b.swap(climbing, "/dev", "/dev/shm", "/x")
}

// proc attacks the mounts of procfs and sysfs, which follow no links, and masked paths
// in them.
func proc(b *bundle) {
	b.has("/proc", "/sys", "/d1")
	b.hasFile("/proc/timer_list", "/proc/keys", "/proc/self/oom_score_adj", "/proc/sys/kernel/domainname")
	b.mount(specs.Mount{Destination: "/proc", Type: "proc", Source: "attacked-proc"})
	b.mount(specs.Mount{Destination: "/sys", Type: "sysfs", Source: "attacked-sys", Options: []string{"ro"}})
	b.tmpfs("/d1", "mode=755")
	b.mask("/proc/timer_list", "/proc/acpi", "/proc/keys", "/sys/firmware")
	b.readonly("/proc/bus", "/proc/sys", "/proc/irq")
	b.spec.Linux.Namespaces = append(b.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UTSNamespace})
	b.spec.Linux.Sysctl = map[string]string{"kernel.domainname": "attacked"}
	score := 77
	b.oomScore = "77"
	b.spec.Process.OOMScoreAdj = &score
	b.swap(absolute, "/proc")
	b.swap(climbing, "/sys")
	b.swap(magic, "/d1")
}

// volume attacks mount points in a volume that the attacker shares: it exchanges them
// for links into /proc, where config.json may mount nothing.
func volume(b *bundle) {
	b.has("/proc", "/v")
	shared := filepath.Join(b.limbo, "v")
	for _, dir := range []string{"d1", "d2", "d3/x"} {
		b.must(os.MkdirAll(filepath.Join(shared, dir), 0o755))
	}
	for _, file := range []string{"f1", "f2"} {
		b.must(os.WriteFile(filepath.Join(shared, file), nil, 0o644))
	}
	b.mount(specs.Mount{Destination: "/proc", Type: "proc", Source: "attacked-proc"})
	b.mount(specs.Mount{Destination: "/v", Type: "none", Source: shared, Options: []string{"bind"}})
	b.tmpfs("/v/d1", "mode=755")
	b.bind("/v/d2", false)
	b.tmpfs("/v/d3/x")
	b.bind("/v/f1", true)
	b.bind("/v/f2", true)
	b.mask("/proc/timer_list", "/proc/keys")
	b.readonly("/proc/sys")
	for path, to := range map[string]string{
		"d1": "/proc", "d2": "../proc/sys", "d3": "/proc/self", "f1": "/proc/sys/kernel/core_pattern", "f2": "../proc/self/attr/exec",
	} {
		at := filepath.Join(shared, path)
		b.must(os.Symlink(to, at+".link"))
		b.swaps = append(b.swaps, swap{at, at + ".link"})
	}
}

// boundDevices attacks the devices of a user namespace, which are bound into the image's
// own /dev.
func boundDevices(b *bundle) {
	b.has("/dev", "/x/devices")
	b.hasFile("/dev/null", "/dev/zero", "/x/devices/null")
	b.masks++ // the null device that is bound looks like one that masks
	b.swap(absolute, "/dev/zero", "/dev/null")
	b.swap(climbing, "/dev")
}
