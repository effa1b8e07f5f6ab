package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// measurements are timed, each from the start of the first command to the end of the
// last.
var measurements = []struct {
	name string
	do   func(*bundle, *candidate) error
}{
	{"run", func(b *bundle, c *candidate) error {
		return b.do(c, "run", "--bundle", b.dir, "bench")
	}},
	{"run, filtered", func(b *bundle, c *candidate) error {
		return b.do(c, "run", "--bundle", b.filtered(), "bench")
	}},
	{"create+start+delete", func(b *bundle, c *candidate) error {
		return errors.Join(
			b.do(c, "create", "--bundle", b.dir, "bench"),
			b.do(c, "start", "bench"),
			b.do(c, "delete", "--force", "bench"))
	}},
	{"exec", func(b *bundle, c *candidate) error { return b.do(c, "exec", "target", "/bin/true") }},
}

// bundle is the bundle of all runs: the default config, with busybox's /bin/true.
type bundle struct {
	dir    string
	roots  string // where the state roots are
	cgroup string
}

func newBundle(berth string) (*bundle, error) {
	dir, err := os.MkdirTemp("", "berth-bench.")
	if err != nil {
		return nil, err
	}
	b := &bundle{dir: dir, cgroup: "/" + filepath.Base(dir)}
	// A tmpfs, like /run.
	b.roots, err = os.MkdirTemp("/dev/shm", "berth-bench.")
	if err == nil {
		err = b.fill(berth)
	}
	if err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

func (b *bundle) fill(berth string) error {
	bin := filepath.Join(b.dir, "rootfs/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return err
	}
	for _, name := range []string{"true", "sleep"} {
		if err := os.WriteFile(filepath.Join(bin, name), busybox, 0o755); err != nil {
			return err
		}
	}
	if out, err := exec.Command(berth, "spec", "--bundle", b.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("spec: %w: %s", err, out)
	}
	if err := b.write(b.dir, "container", nil, "/bin/true"); err != nil {
		return err
	}
	return b.fillFiltered()
}

// filtered is the path of the same bundle with Docker's default seccomp profile.
func (b *bundle) filtered() string { return filepath.Join(b.dir, "filtered") }

func (b *bundle) fillFiltered() error {
	text, err := os.ReadFile("seccomp/testdata/docker.json")
	if err != nil {
		return err
	}
	if err := os.Mkdir(b.filtered(), 0o755); err != nil {
		return err
	}
	return b.write(b.filtered(), "container", text, "/bin/true")
}

// write makes a config.json in a directory from the one that "spec" made, with a seccomp
// profile unless that is nil.
func (b *bundle) write(dir, cgroup string, profile json.RawMessage, args ...string) error {
	text, err := os.ReadFile(filepath.Join(b.dir, "config.json"))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	// The newest version that Debian 12's crun supports.
	config["ociVersion"] = "1.0.0"
	process := config["process"].(map[string]any)
	process["terminal"] = false
	process["args"] = args
	config["root"].(map[string]any)["path"] = filepath.Join(b.dir, "rootfs")
	linux := config["linux"].(map[string]any)
	linux["cgroupsPath"] = b.cgroup + "/" + cgroup
	if profile != nil {
		linux["seccomp"] = profile
	}
	if text, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644)
}

// startTarget starts the container for a candidate's exec.
func (b *bundle) startTarget(c *candidate) error {
	dir := filepath.Join(b.dir, "target-"+c.name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := b.write(dir, "target-"+c.name, nil, "/bin/sleep", "1000000"); err != nil {
		return err
	}
	return b.do(c, "run", "--detach", "--bundle", dir, "target")
}

// do runs one command of a runtime. Its output goes to a file: the container would hold
// a pipe open.
func (b *bundle) do(c *candidate, args ...string) error {
	log, err := os.OpenFile(filepath.Join(b.dir, "log"), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.program, append([]string{"--root", b.root(c)}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name()) // the error is reported without it, too
		return fmt.Errorf("%s: %w: %s", args[0], err, bytes.TrimSpace(text))
	}
	return nil
}

func (b *bundle) root(c *candidate) string { return filepath.Join(b.roots, c.name) }

// measureInit measures the memory of a container that has not started.
func (b *bundle) measureInit(c *candidate) error {
	pidFile := filepath.Join(b.dir, "pid")
	if err := b.do(c, "create", "--bundle", b.dir, "--pid-file", pidFile, "bench"); err != nil {
		return err
	}
	pid, err := os.ReadFile(pidFile)
	if err == nil {
		c.rss, err = rssOf(string(pid))
	}
	return errors.Join(err, b.do(c, "delete", "--force", "bench"))
}

// rssOf reads VmRSS, in kB.
func rssOf(pid string) (int, error) {
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return 0, err
	}
	_, text, found := strings.Cut(string(status), "VmRSS:")
	if !found {
		return 0, fmt.Errorf("no VmRSS of process %s", pid)
	}
	var kB int
	_, err = fmt.Sscan(text, &kB)
	return kB, err
}

// remove deletes the bundle and its cgroup.
func (b *bundle) remove() {
	hierarchies, _ := filepath.Glob("/sys/fs/cgroup/*" + b.cgroup) // the pattern is ours
	for _, dir := range append(hierarchies, "/sys/fs/cgroup"+b.cgroup) {
		_ = os.Remove(dir) // there are as many as there are hierarchies
	}
	for _, dir := range []string{b.dir, b.roots} {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}
}
