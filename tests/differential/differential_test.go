package differential

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var (
	configs = flag.Int("configs", 200, "how many configurations to try")
	seed    = flag.Uint64("seed", 0, "try the configuration of this seed only")
)

const reference = "/usr/sbin/runc"

func TestWhatAProgramSees(t *testing.T) {
	b := newBed(t)
	if *seed != 0 {
		b.compare(t, *seed)
		return
	}
	for n := range uint64(*configs) {
		b.compare(t, n+1)
		if t.Failed() {
			t.Fatalf("again: go test ./tests/differential -seed %d", n+1)
		}
	}
}

// bed has what all configurations share.
type bed struct {
	berth  string
	dir    string
	volume string
}

func newBed(t *testing.T) *bed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes containers: needs root")
	}
	if _, err := os.Stat(reference); err != nil {
		t.Skip("needs " + reference + " (Debian: runc)")
	}
	berth, err := filepath.Abs("../../bin/berth")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(berth); err != nil {
		t.Skip("needs bin/berth (make build)")
	}
	b := &bed{berth: berth, dir: t.TempDir()}
	b.volume = filepath.Join(b.dir, "volume")
	rootfs := filepath.Join(b.dir, "rootfs")
	for _, dir := range []string{
		"rootfs/proc", "rootfs/sys", "rootfs/dev", "rootfs/tmp", "rootfs/home/user",
		"rootfs/etc/secrets", "rootfs/etc/fixed", "volume/sub", "state-berth", "state-runc",
	} {
		check(t, os.MkdirAll(filepath.Join(b.dir, dir), 0o755))
	}
	for file, text := range map[string]string{
		"rootfs/etc/passwd":     "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
		"rootfs/etc/secret":     "secret\n",
		"rootfs/etc/secrets/in": "secret\n",
		"rootfs/etc/fixed/in":   "fixed\n",
		"volume/file":           "volume\n",
	} {
		check(t, os.WriteFile(filepath.Join(b.dir, file), []byte(text), 0o644))
	}
	check(t, os.Chmod(filepath.Join(rootfs, "tmp"), 0o1777))
	build := exec.Command("go", "build", "-o", filepath.Join(rootfs, "probe"), "./probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// compare runs the configuration of a seed with both runtimes.
func (b *bed) compare(t *testing.T, seed uint64) {
	t.Helper()
	id := fmt.Sprintf("berth-diff-%d-%d", os.Getpid(), seed) // the name of its cgroup, too
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), volume: b.volume}
	spec := g.spec(id, "/probe")
	text, err := json.MarshalIndent(spec, "", " ")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o644))
	want := normal(spec, b.run(t, reference, "state-runc", id))
	got := normal(spec, b.run(t, b.berth, "state-berth", id))
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("seed %d: runc only:  %s", seed, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("seed %d: berth only: %s", seed, line)
		}
	}
}

// run returns the probe's facts. Input and output are pipes for both runtimes.
func (b *bed) run(t *testing.T, runtime, state, id string) []string {
	t.Helper()
	cmd := exec.Command(runtime, "--root", filepath.Join(b.dir, state), "run", "--bundle", b.dir, id)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(""), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s run %s: %v\n%s%s", runtime, id, err, &stderr, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// normal removes values that differ from run to run, and wanted differences.
func normal(spec *specs.Spec, facts []string) []string {
	var list []string
	for _, f := range facts {
		name, rest, _ := strings.Cut(f, " ")
		switch name {
		case "mount":
			rest = normalMount(spec, rest)
		case "ns":
			rest = normalNamespace(rest)
		case "file":
			if rest == "" || strings.HasPrefix(rest, "/dev/core ") {
				continue // runc links to a /proc/kcore that may not be there
			}
		case "env":
			if rest == "HOME=" {
				continue
			}
		}
		if rest != "" {
			list = append(list, name+" "+rest)
		}
	}
	slices.Sort(list)
	return list
}

// normalMount keeps the parts of a line of mountinfo that do not depend on the order of
// mounting: the root, the mount point, options, the kind of propagation, the file system
// with its source and options.
func normalMount(spec *specs.Spec, line string) string {
	fields := strings.Fields(line)
	sep := slices.Index(fields, "-")
	if sep < 6 || len(fields) < sep+4 {
		return line
	}
	root, point, options := fields[3], fields[4], fields[5]
	kinds := fields[6:sep]
	for i, k := range kinds {
		kinds[i], _, _ = strings.Cut(k, ":")
	}
	fs := fields[sep+1:]
	if slices.Contains(spec.Linux.MaskedPaths, point) {
		// The runtimes cover paths with different mounts; the facts named "reach" show
		// the effect.
		return "masked " + point
	}
	switch point {
	case "/sys/fs/cgroup":
		// berth makes the tmpfs of v1 read-only if the mount is; with runc
		// 1.1 a file could be made in it.
		options = strings.Replace(options, "ro,", "rw,", 1)
	case "/sys/fs/cgroup/systemd":
		fs[1] = "cgroup" // runc calls the source of this one hierarchy "systemd"
	}
	if fs[0] == "tmpfs" {
		// With "ro" berth makes the superblock read-only too; runc only remounts the
		// mount, after the others.
		fs[2] = strings.Replace(fs[2], "ro", "rw", 1)
		// berth sets the mode of the mount point by an option; runc changes the mode of
		// the mount afterwards.
		fs[2] = strings.Replace(fs[2], ",mode=755", "", 1)
	}
	return strings.Join([]string{root, point, options, strings.Join(kinds, ","), strings.Join(fs, " ")}, " | ")
}

// normalNamespace reports whether this process is in the namespace too.
func normalNamespace(line string) string {
	name, link, _ := strings.Cut(line, " ")
	own, err := os.Readlink("/proc/self/ns/" + name)
	if err == nil && own == link {
		return name + " shared"
	}
	return name + " new"
}
