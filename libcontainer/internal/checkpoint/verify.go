package checkpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// An image can have any processes, with any privileges: Verify is called before they run.

// Verify returns an error if a restored container has more than its configuration allows:
// namespaces of the runtime, capabilities, mounts of the host's files, or a path that must
// be masked. Init and its descendants are stopped.
func Verify(init int, cfg *config.Config) error {
	pids, err := descendants(init)
	if err != nil {
		return err
	}
	user, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", init))
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := verifyNamespaces(pid, cfg); err != nil {
			return fmt.Errorf("process %d of the image: %w", pid, err)
		}
		if err := verifyPrivileges(pid, user, cfg); err != nil {
			return fmt.Errorf("process %d of the image: %w", pid, err)
		}
	}
	if mayMount(cfg) {
		return nil // it could have changed its mounts itself
	}
	if err := verifyMounts(init, cfg); err != nil {
		return fmt.Errorf("the image: %w", err)
	}
	return verifyPaths(init, cfg)
}

// mayMount reports whether the configuration lets the container change its mounts.
func mayMount(cfg *config.Config) bool {
	return all(&cfg.Process.Capabilities)&(1<<unix.CAP_SYS_ADMIN) != 0
}

// all returns the capabilities of all sets.
func all(c *config.Capabilities) uint64 {
	return c.Bounding | c.Effective | c.Inheritable | c.Permitted | c.Ambient
}

// descendants returns a process and all below it.
func descendants(pid int) ([]int, error) {
	list := []int{pid}
	for i := 0; i < len(list); i++ {
		dir := fmt.Sprintf("/proc/%d/task", list[i])
		threads, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, t := range threads {
			text, err := sys.ReadFile(dir + "/" + t.Name() + "/children")
			if err != nil {
				return nil, err
			}
			for word := range strings.FieldsSeq(string(text)) {
				child, err := strconv.Atoi(word)
				if err != nil {
					return nil, err
				}
				list = append(list, child)
			}
		}
	}
	return list, nil
}

// namespaceFiles are the names of namespaces in /proc/PID/ns.
var namespaceFiles = [...]struct {
	flag uint64
	name string
}{
	{unix.CLONE_NEWNS, "mnt"},
	{unix.CLONE_NEWPID, "pid"},
	{unix.CLONE_NEWNET, "net"},
	{unix.CLONE_NEWIPC, "ipc"},
	{unix.CLONE_NEWUTS, "uts"},
	{unix.CLONE_NEWUSER, "user"},
	{unix.CLONE_NEWCGROUP, "cgroup"},
	{unix.CLONE_NEWTIME, "time"},
}

// verifyNamespaces refuses a process that is in a namespace of the runtime although the
// container has its own.
func verifyNamespaces(pid int, cfg *config.Config) error {
	for _, ns := range namespaceFiles {
		if cfg.Namespaces.New&ns.flag == 0 {
			continue
		}
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, ns.name))
		if err != nil {
			return err
		}
		ours, err := os.Readlink("/proc/self/ns/" + ns.name)
		if err != nil {
			return err
		}
		if theirs == ours {
			return fmt.Errorf("linux.namespaces: it is in the %s namespace of the runtime", ns.name)
		}
	}
	return nil
}

// verifyPrivileges compares a process with process.capabilities and noNewPrivileges, and
// demands a filter if the configuration has one. A process in a user namespace that the
// container has made has all capabilities there.
func verifyPrivileges(pid int, user string, cfg *config.Config) error {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
			set, err := strconv.ParseUint(value, 16, 64)
			if err != nil {
				return err
			}
			if more := set &^ all(&cfg.Process.Capabilities); more != 0 && ns == user {
				return fmt.Errorf("process.capabilities: its %s has %#x too much", name, more)
			}
		case "NoNewPrivs":
			if cfg.Process.NoNewPrivileges && value != "1" {
				return fmt.Errorf("process.noNewPrivileges: it lacks no_new_privs")
			}
		case "Seccomp":
			if cfg.Seccomp != nil && value != "2" {
				return fmt.Errorf("linux.seccomp: it has no filter")
			}
		}
	}
	return nil
}
