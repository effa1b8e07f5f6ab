package checkpoint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/libcontainer/config"
)

func TestTreesOfTheHost(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	trees, err := namedTrees(&config.Config{
		Rootfs: dir, Mounts: []config.Mount{{Source: link, Destination: "/x", Bind: true}, {Type: "tmpfs", Source: "none"}},
		Devices: []config.Device{{Path: "/dev/no such device"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(trees) != 3 || trees[0] != trees[2] || !strings.HasSuffix(trees[0].root, dir[strings.LastIndexByte(dir, '/'):]) {
		t.Errorf("trees of the root, the null device and the source: %v", trees)
	}
	inside := mountinfo.Mount{Device: trees[0].device, Root: trees[0].root + "/sub"}
	for _, test := range []struct {
		m  mountinfo.Mount
		ok bool
	}{
		{inside, true},
		{mountinfo.Mount{Device: inside.Device, Root: trees[0].root}, true},
		{mountinfo.Mount{Device: inside.Device, Root: trees[0].root + "x"}, false},
		{mountinfo.Mount{Device: inside.Device, Root: "/"}, trees[0].root == "/"},
		{mountinfo.Mount{Device: "0:999999", Root: inside.Root}, false},
	} {
		if got := trees[0].has(test.m); got != test.ok {
			t.Errorf("%v has %v: %t", trees[0], test.m, got)
		}
	}
}

func TestNamedMounts(t *testing.T) {
	cfg := &config.Config{Mounts: []config.Mount{
		{Type: "hugetlbfs", Destination: "/huge"}, {Type: "overlay", Destination: "/over"}, {Bind: true, Destination: "/data"},
	}}
	for point, want := range map[string]bool{"/huge hugetlbfs": true, "/huge ramfs": false, "/other hugetlbfs": false, "/over overlay": false, "/data ": false} {
		at, kind, _ := strings.Cut(point, " ")
		if got := isNamed(mountinfo.Mount{Point: at, Type: kind}, cfg); got != want {
			t.Errorf("%s: %t", point, got)
		}
	}
}

func TestThreads(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(stdin.Close(), child.Wait()); err != nil {
			t.Error(err)
		}
	}()
	list, err := threads(os.Getpid())
	for _, want := range []int{os.Getpid(), unix.Gettid(), child.Process.Pid} {
		if err != nil || !slices.Contains(list, want) {
			t.Errorf("no %d in %v, %v", want, list, err)
		}
	}
}

// This process is in the namespaces of the runtime, and has its privileges.
func TestVerifyThisProcess(t *testing.T) {
	pid := os.Getpid()
	if err := verifyNamespaces(pid, &config.Config{}); err != nil {
		t.Error(err)
	}
	err := verifyNamespaces(pid, &config.Config{Namespaces: config.Namespaces{New: unix.CLONE_NEWUTS}})
	if err == nil || !strings.Contains(err.Error(), "uts namespace of the runtime") {
		t.Error(err)
	}
	user, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		t.Fatal(err)
	}
	every := config.Capabilities{Bounding: ^uint64(0)}
	for want, cfg := range map[string]*config.Config{
		"":                 {Process: config.Process{Capabilities: every}},
		"no_new_privs":     {Process: config.Process{Capabilities: every, NoNewPrivileges: true}},
		"it has no filter": {Process: config.Process{Capabilities: every}, Seccomp: &config.Seccomp{}},
	} {
		err := verifyPrivileges(pid, user, cfg)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
