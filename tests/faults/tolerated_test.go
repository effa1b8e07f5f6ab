package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const stubList = "../../internal/arch/testdata/tolerated.txt"

func TestStubTolerationsNameCalls(t *testing.T) {
	list, err := stubTolerations(stubList)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d, %v", len(list), err)
	}
	for _, x := range list {
		named := slices.ContainsFunc(slices.Collect(maps.Values(infos)), func(c callInfo) bool {
			return x.call.MatchString("create stub " + c.name + "(")
		})
		if !named && !strings.Contains(x.reason, "xattrs.go") {
			t.Errorf("no call of names.go: %s", x.reason)
		}
	}
}

func TestSuccessNeedsAToleration(t *testing.T) {
	ofStub, err := stubTolerations(stubList)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{rig: &rig{task: task{command: "create"}}, ofStub: ofStub}
	for _, test := range []struct {
		kind     kind
		name     string
		shown    string
		errno    unix.Errno
		tolerate bool
	}{
		{kindRuntime, "write", "DIR/state/ID/.state.json", unix.EINTR, true},
		{kindRuntime, "write", "DIR/state/ID/.state.json", unix.EIO, false},
		{kindRuntime, "close", "DIR/state/ID/state.json", unix.EIO, true},
		{kindRuntime, "close", "DIR/state/ID/.state.json", unix.EIO, false},
		{kindRuntime, "write", "DIR/stderr", unix.EAGAIN, true},
		{kindRuntime, "unlinkat", "/sys/fs/cgroup/cpu/ID/ID", unix.EIO, false}, // in create
		{kindStub, "mkdirat", "DIR/bundle/rootfs/proc", unix.EPERM, true},
		{kindStub, "mkdirat", "DIR/bundle/rootfs/proc", unix.EIO, false},
		{kindStub, "mount", "", unix.EPERM, false},
	} {
		c := &call{kind: test.kind, callInfo: callInfo{name: test.name}, shown: []string{test.shown}, nth: 1}
		found := w.untolerated(&trial{call: c, fault: &failing{errno: test.errno}}, result{})
		if (len(found) == 0) != test.tolerate {
			t.Errorf("%s of %s: %q", unix.ErrnoName(test.errno), c.text(), found)
		}
	}
}

func TestWarningIsNecessary(t *testing.T) {
	w := &worker{rig: &rig{task: task{command: "delete"}}}
	c := &call{kind: kindRuntime, callInfo: callInfo{name: "connect"}, shown: []string{"socket:[]"}, nth: 1}
	for stderr, want := range map[string]int{"": 1, `msg="systemd may still list the unit"`: 0} {
		if found := w.untolerated(&trial{call: c, fault: &failing{errno: unix.EIO}}, result{stderr: stderr}); len(found) != want {
			t.Errorf("%q: %q", stderr, found)
		}
	}
}
