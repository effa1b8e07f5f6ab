package hostinfo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeHost makes the files of a host.
func fakeHost(t *testing.T, files map[string]string) *host {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &host{root: root}
}

func TestSecurityModules(t *testing.T) {
	h := fakeHost(t, map[string]string{
		"/sys/kernel/security/lsm":                   "lockdown,capability,selinux\n",
		"/sys/module/apparmor/parameters/enabled":    "N\n",
		"/sys/fs/selinux/enforce":                    "0",
		"/proc/sys/kernel/seccomp/actions_avail":     "kill_process allow\n",
		"/etc/os-release":                            "ID=x\nPRETTY_NAME=\"Some System 1\"\n",
		"/etc/subuid":                                "a:1:2\n1000:100000:65536\nb:5:6\nb:broken\n",
		"/proc/sys/user/max_user_namespaces":         "0\n",
		"/proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
	})
	s := h.security()
	if want := []string{"lockdown", "capability", "selinux"}; !slices.Equal(s.Modules, want) || s.AppArmor || s.SELinux != "permissive" || !s.Seccomp {
		t.Errorf("%+v", s)
	}
	if got := h.system(); got != "Some System 1" {
		t.Errorf("system %q", got)
	}
	if got := h.ranges("/etc/subuid", []string{"1000", "b"}); !slices.Equal(got, []string{"100000:65536", "5:6", "broken"}) {
		t.Errorf("ranges %q", got)
	}
	if got := h.sysctls(); len(got) != 2 || got["user.max_user_namespaces"] != "0" {
		t.Errorf("sysctls %q", got)
	}
	if h.unread != nil {
		t.Errorf("absent files are unread: %q", h.unread)
	}
}

func TestUnreadableFileIsReported(t *testing.T) {
	h := fakeHost(t, map[string]string{"/etc/os-release/file": ""}) // a directory
	if got := h.system(); got != "" || len(h.unread) != 1 || !strings.Contains(h.unread[0], "os-release") {
		t.Errorf("%q, unread %q", got, h.unread)
	}
}

// The caller's own cgroup has fewer controllers than the root, where its containers get theirs.
func TestControllersOfContainers(t *testing.T) {
	files := map[string]string{"/sys/fs/cgroup/cgroup.controllers": "cpu hugetlb\n", "/sys/fs/cgroup/own/cgroup.controllers": "pids\n"}
	own := own{"": "/sys/fs/cgroup/own"}
	if got := fakeHost(t, files).controllers(own); !slices.Equal(got, []string{"pids"}) {
		t.Errorf("where the root is not writable: %q", got)
	}
	files["/sys/fs/cgroup/cgroup.subtree_control"] = ""
	if got := fakeHost(t, files).controllers(own); !slices.Equal(got, []string{"cpu", "hugetlb"}) {
		t.Errorf("where the root is writable: %q", got)
	}
}

// TestMissing has a host that lacks nothing, then takes away one thing after the other.
func TestMissing(t *testing.T) {
	complete := func() *Info {
		return &Info{
			Kernel:   Kernel{Namespaces: []string{"pid", "net", "cgroup", "ipc", "time"}, Resctrl: true},
			Cgroup:   Cgroup{Version: "v2", Systemd: true, Controllers: []string{"memory", "pids", "cpu", "cpuset", "io", "hugetlb", "rdma"}, Devices: "yes", Kill: true, Peak: true},
			CRIU:     CRIU{Path: "/usr/sbin/criu"},
			Security: Security{AppArmor: true, SELinux: "enforcing", Seccomp: true},
			UserNamespaces: UserNamespaces{
				Supported: true, Newuidmap: Helper{"/bin/newuidmap", true}, Newgidmap: Helper{"/bin/newgidmap", true},
				Subuids: []string{"1:2"}, Subgids: []string{"1:2"},
			},
		}
	}
	if got := missing(complete()); len(got) != 0 {
		t.Errorf("a complete host lacks %v", got)
	}
	for want, take := range map[string]func(*Info){
		"AppArmor":                               func(i *Info) { i.Security.AppArmor = false },
		"SELinux":                                func(i *Info) { i.Security.SELinux = "disabled" },
		"seccomp filters":                        func(i *Info) { i.Security.Seccomp = false },
		"CRIU":                                   func(i *Info) { i.CRIU = CRIU{} },
		"resctrl":                                func(i *Info) { i.Kernel.Resctrl = false },
		"time namespaces":                        func(i *Info) { i.Kernel.Namespaces = []string{"pid", "net", "cgroup", "ipc"} },
		"system calls: openat2":                  func(i *Info) { i.Kernel.AbsentCalls = []string{"openat2"} },
		"device rules":                           func(i *Info) { i.Cgroup.Devices = "no" },
		"cgroup.kill (Linux 5.14)":               func(i *Info) { i.Cgroup.Kill = false },
		"memory.peak (Linux 5.19)":               func(i *Info) { i.Cgroup.Peak = false },
		"cgroup controller rdma":                 func(i *Info) { i.Cgroup.Controllers = i.Cgroup.Controllers[:6] },
		"systemd with cgroup v2":                 func(i *Info) { i.Cgroup.Systemd = false },
		"user namespaces":                        func(i *Info) { i.Sysctls = map[string]string{"user.max_user_namespaces": "0"} },
		"newuidmap and newgidmap":                func(i *Info) { i.UserNamespaces.Newgidmap.Privileged = false },
		"capabilities of root":                   func(i *Info) { i.Process.LackedCapabilities = []string{"CAP_BPF"} },
		"ranges in /etc/subuid and /etc/subgid":  func(i *Info) { i.Process.UID, i.UserNamespaces.Subgids = 1, nil },
		"user namespaces for unprivileged users": func(i *Info) { i.UserNamespaces.Denied = "kernel.unprivileged_userns_clone=0" },
		"privileges for set-uid programs (no_new_privs is set)": func(i *Info) { i.Process.UID, i.Process.NoNewPrivs = 1, true },
	} {
		i := complete()
		take(i)
		got := missing(i)
		if len(got) != 1 || got[0].Name != want || got[0].Costs == "" {
			t.Errorf("without %s: %v", want, got)
		}
	}
}

// Members are never null: a reader may iterate over each list.
func TestNoMemberIsNull(t *testing.T) {
	text, err := json.Marshal(Collect(t.Context(), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") {
		t.Errorf("%s", text)
	}
}
