package namespaces

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

const (
	user = unix.CLONE_NEWUSER
	pid  = unix.CLONE_NEWPID
	net  = unix.CLONE_NEWNET
	mnt  = unix.CLONE_NEWNS
	ipc  = unix.CLONE_NEWIPC
	cg   = unix.CLONE_NEWCGROUP
	tm   = unix.CLONE_NEWTIME
)

func TestPlanFor(t *testing.T) {
	cases := []struct {
		name string
		make uint64
		join []uint64
		want Plan // Paths: only their number counts
		user bool
	}{
		{"usual", mnt | pid | net | ipc | cg, nil, Plan{Clone: mnt | pid | ipc, Unshare: net, Cgroup: true}, false},
		{"joined", mnt | cg, []uint64{net, ipc}, Plan{Clone: mnt, Cgroup: true, Paths: make([]config.Namespace, 2)}, false},
		{"joined pid", mnt, []uint64{pid}, Plan{Clone: mnt, Fork: true, Paths: make([]config.Namespace, 1)}, false},
		{"time", mnt | pid | net | tm, nil, Plan{Clone: mnt, Alone: tm, Unshare: net | pid, Fork: true}, false},
		{"time alone", mnt | tm, nil, Plan{Clone: mnt, Alone: tm, Fork: true}, false},
		{"joined time", mnt | pid, []uint64{tm}, Plan{Clone: mnt | pid, Paths: make([]config.Namespace, 1)}, false},
		{"user", user | mnt | net | ipc, nil, Plan{Alone: user, Unshare: mnt | net | ipc}, false},
		{"user and pid", user | mnt | pid, nil, Plan{Alone: user, Unshare: mnt | pid, Fork: true}, false},
		{"user and time", user | mnt | tm, nil, Plan{Alone: user | tm, Unshare: mnt, Fork: true}, false},
		{"user, others joined", user | mnt, []uint64{net, pid}, Plan{Alone: user, Unshare: mnt, Fork: true, Paths: make([]config.Namespace, 2)}, false},
		{"joined user", mnt | pid | cg, []uint64{net, user}, Plan{Unshare: mnt | pid, Cgroup: true, Fork: true, Paths: make([]config.Namespace, 1)}, true},
	}
	for _, c := range cases {
		n := config.Namespaces{New: c.make}
		for _, flag := range c.join {
			n.Join = append(n.Join, config.Namespace{Type: flag})
		}
		got := PlanFor(n)
		if got.Clone != c.want.Clone || got.Alone != c.want.Alone || got.Unshare != c.want.Unshare || got.Fork != c.want.Fork || got.Cgroup != c.want.Cgroup ||
			len(got.Paths) != len(c.want.Paths) || (got.User != nil) != c.user {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
