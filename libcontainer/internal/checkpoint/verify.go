package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/lsm"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// An image can have any processes, with any privileges: Verify is called before they run.

// Verify returns an error if a restored container has more than its configuration allows:
// namespaces of the runtime, IDs, capabilities, limits, mounts of the host's files, or a
// path that must be masked. Its threads must have the labels. Init and its descendants are
// stopped.
func Verify(init int, cfg *config.Config, labels lsm.Labels) error {
	tids, err := threads(init)
	if err != nil {
		return err
	}
	user, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", init))
	if err != nil {
		return err
	}
	if err := verifyMappings(init, cfg); err != nil {
		return fmt.Errorf("the image: %w", err)
	}
	tids = slices.DeleteFunc(tids, isZombie)
	for _, tid := range tids {
		err := verifyNamespaces(tid, cfg)
		if err == nil {
			err = verifyPrivileges(tid, user, cfg)
		}
		if err == nil {
			err = verifyLimits(tid, &cfg.Process)
		}
		if err == nil {
			err = labels.Verify(tid)
		}
		if err != nil {
			return fmt.Errorf("thread %d of the image: %w", tid, err)
		}
	}
	return verifyTree(init, tids, cfg)
}

// verifyTree compares the mounts with the configuration, unless the program may change them
// itself.
func verifyTree(init int, tids []int, cfg *config.Config) error {
	if all(&cfg.Process.Capabilities)&(1<<unix.CAP_SYS_ADMIN) != 0 {
		return nil
	}
	tree, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", init))
	if err != nil {
		return err
	}
	for _, tid := range tids {
		its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", tid))
		if err != nil {
			return err
		}
		if its != tree {
			return fmt.Errorf("thread %d of the image: linux.namespaces: it is in another mount namespace than init", tid)
		}
	}
	if err := verifyMounts(init, cfg); err != nil {
		return fmt.Errorf("the image: %w", err)
	}
	return verifyPaths(init, cfg)
}

// all returns the capabilities of all sets.
func all(c *config.Capabilities) uint64 {
	return c.Bounding | c.Effective | c.Inheritable | c.Permitted | c.Ambient
}

// threads returns the threads of a process and of all processes below it: a thread can have
// other privileges than the first of its process, and is in /proc under its own number, too.
func threads(pid int) ([]int, error) {
	pids := []int{pid}
	var tids []int
	for i := 0; i < len(pids); i++ {
		dir := fmt.Sprintf("/proc/%d/task", pids[i])
		list, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return nil, err
			}
			tids = append(tids, tid)
			text, err := sys.ReadFile(dir + "/" + t.Name() + "/children")
			if err != nil {
				return nil, err
			}
			for word := range strings.FieldsSeq(string(text)) {
				child, err := strconv.Atoi(word)
				if err != nil {
					return nil, err
				}
				pids = append(pids, child)
			}
		}
	}
	return tids, nil
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

// verifyNamespaces refuses a thread that is in a namespace of the runtime although the
// container has its own.
func verifyNamespaces(tid int, cfg *config.Config) error {
	for _, ns := range namespaceFiles {
		if cfg.Namespaces.New&ns.flag == 0 {
			continue
		}
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", tid, ns.name))
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

// status are the fields of /proc/TID/status.
type status map[string]string

func readStatus(tid int) (status, error) {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return nil, err
	}
	s := status{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		s[name] = value
	}
	return s, nil
}

// isZombie reports whether a thread has ended: it has no namespaces, and can do nothing.
func isZombie(tid int) bool {
	s, err := readStatus(tid)
	return err == nil && strings.HasPrefix(s["State"], "Z")
}

// verifyPrivileges compares a thread with process, and demands a filter if the configuration
// has one. A thread in a user namespace that the container has made has all capabilities
// there.
func verifyPrivileges(tid int, user string, cfg *config.Config) error {
	s, err := readStatus(tid)
	if err != nil {
		return err
	}
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", tid))
	if err != nil {
		return err
	}
	if ns == user {
		if err = verifyCapabilities(s, &cfg.Process); err == nil {
			err = verifyIDs(s, cfg)
		}
	}
	switch {
	case err != nil:
		return err
	case cfg.Process.NoNewPrivileges && s["NoNewPrivs"] != "1":
		return errors.New("process.noNewPrivileges: it lacks no_new_privs")
	case cfg.Seccomp != nil && s["Seccomp"] != "2":
		return errors.New("linux.seccomp: it has no filter")
	}
	return nil
}

func verifyCapabilities(s status, p *config.Process) error {
	for _, name := range [...]string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		set, err := strconv.ParseUint(s[name], 16, 64)
		if err != nil {
			return err
		}
		if more := set &^ all(&p.Capabilities); more != 0 {
			return fmt.Errorf("process.capabilities: its %s has %#x too much", name, more)
		}
	}
	return nil
}
