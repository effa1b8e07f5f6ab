package checkpoint

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

func TestVerifyIDs(t *testing.T) {
	mapped := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	s := status{"Uid": "7\t7\t7\t7", "Gid": "8\t8\t8\t8", "Groups": "8 9"}
	user := config.Process{NoNewPrivileges: true, UID: 7, GID: 8, AdditionalGIDs: []uint32{9}}
	for name, test := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"same":             {func(*config.Config) {}, ""},
		"other user":       {func(c *config.Config) { c.Process.UID = 0 }, "its Uid is 7, not 0"},
		"other group":      {func(c *config.Config) { c.Process.GID = 0 }, "its Gid is 8, not 0"},
		"additional group": {func(c *config.Config) { c.Process.AdditionalGIDs = nil }, "it is in the group 9"},
		"kept groups":      {func(c *config.Config) { c.Process.AdditionalGIDs, c.KeepGroups = nil, true }, ""},
		"set-user-ID":      {func(c *config.Config) { c.Process.UID, c.Process.NoNewPrivileges = 0, false }, ""},
		"CAP_SETUID":       {func(c *config.Config) { c.Process.UID, c.Process.Capabilities.Bounding = 0, 1<<unix.CAP_SETUID }, ""},
		"CAP_SETGID":       {func(c *config.Config) { c.Process.GID, c.Process.Capabilities.Bounding = 0, 1<<unix.CAP_SETGID }, ""},
		"mapped":           {func(c *config.Config) { c.Namespaces.New, c.UIDMappings = unix.CLONE_NEWUSER, mapped }, "its Uid is 7, not 100007"},
		"not mapped": {func(c *config.Config) {
			c.Namespaces.New, c.UIDMappings, c.Process.UID = unix.CLONE_NEWUSER, mapped, 70000
		}, "Uid 70000 is not mapped"},
		"mapped group": {func(c *config.Config) { c.Namespaces.New, c.GIDMappings = unix.CLONE_NEWUSER, mapped }, "its Gid is 8, not 100008"},
		"another namespace": {func(c *config.Config) {
			c.Process.UID, c.Namespaces.Join = 0, []config.Namespace{{Type: unix.CLONE_NEWUSER}}
		}, ""},
	} {
		c := config.Config{Process: user}
		test.change(&c)
		err := verifyIDs(s, &c)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

// The limits of this process are its own at least.
func TestVerifyLimits(t *testing.T) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
		t.Fatal(err)
	}
	low, high := -1000, 1000
	admin := config.Capabilities{Bounding: 1 << unix.CAP_SYS_RESOURCE}
	limit := func(hard uint64) []config.Rlimit {
		return []config.Rlimit{{Field: "process.rlimits[0]", Resource: unix.RLIMIT_NOFILE, Hard: hard}}
	}
	for name, test := range map[string]struct {
		p    config.Process
		want string
	}{
		"none":           {config.Process{}, ""},
		"same":           {config.Process{Rlimits: limit(own.Max), OOMScoreAdj: &low}, ""},
		"above":          {config.Process{Rlimits: limit(own.Max - 1)}, "process.rlimits[0]: its hard limit is"},
		"OOM score":      {config.Process{OOMScoreAdj: &high}, "process.oomScoreAdj: it has"},
		"with privilege": {config.Process{Rlimits: limit(own.Max - 1), OOMScoreAdj: &high, Capabilities: admin}, ""},
	} {
		err := verifyLimits(unix.Gettid(), &test.p)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}
