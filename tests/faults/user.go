package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The unprivileged user of the configuration "rootless", and the range of IDs granted to
// it in /etc/subuid and /etc/subgid of the rig's mount namespace.
const (
	userID    = 4711
	userRange = 200000
)

// user runs the commands of a rig. A nil user is root.
type user struct {
	dir string // XDG_RUNTIME_DIR
	// cgroup is the one to start commands in, below the delegated one; nil if none is
	// delegated.
	cgroup *os.File
}

// command returns the command line with which the user runs a program. It is not
// SysProcAttr.Credential: the kernel ignores the set-user-ID bit, of newuidmap, in a process
// that was unprivileged when it asked to be traced.
func (u *user) command(args []string) []string {
	if u == nil {
		return args
	}
	id := strconv.Itoa(userID)
	return append([]string{"/usr/bin/setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all"}, args...)
}

// attributes are those of a command's process.
func (u *user) attributes() *syscall.SysProcAttr {
	if u == nil || u.cgroup == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(u.cgroup.Fd())}
}

// environment are the variables of a command.
func (u *user) environment() []string {
	if u == nil {
		return nil
	}
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR=" + u.dir, "HOME=" + u.dir, "DBUS_SESSION_BUS_ADDRESS="}
}

// own makes the user of the rig own a file.
func (r *rig) own(path string) error {
	if r.user == nil {
		return nil
	}
	return os.Lchown(path, userID, userID)
}

// makeUser makes the user of the configuration "rootless": with a copy of the runtime, as
// the directory of the original may be closed to users, and with a range of IDs.
func (r *rig) makeUser() error {
	r.user = &user{dir: r.path("run")}
	for _, dir := range []string{"run", "etc"} {
		if err := os.MkdirAll(r.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := r.own(r.user.dir); err != nil {
		return err
	}
	text, err := os.ReadFile(r.runtime)
	if err != nil {
		return err
	}
	r.runtime = r.path("runtime")
	if err := os.WriteFile(r.runtime, text, 0o755); err != nil {
		return err
	}
	if r.task.bedOf().systemd {
		r.cgroup = r.user.manager() + "/" + unitSlice
		return r.admitUser()
	}
	return r.grantRange()
}

// grantRange mounts an /etc that knows the user.
func (r *rig) grantRange() error {
	granted := fmt.Sprintf("faults:%d:65536\n", userRange)
	account := fmt.Sprintf("faults:x:%d:%d::/:/bin/sh\n", userID, userID)
	for name, line := range map[string]string{"subuid": granted, "subgid": granted, "passwd": account, "group": "faults:x:4711:\n"} {
		text, err := os.ReadFile("/etc/" + name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(r.path("etc/"+name), append(text, line...), 0o644); err != nil {
			return err
		}
	}
	if err := unix.Mount("none", "/etc", "overlay", 0, "lowerdir="+r.path("etc")+":/etc"); err != nil {
		return fmt.Errorf("mount /etc: %w", err)
	}
	return nil
}

// rootless makes the bundle of the user, and its user namespace.
func (r *rig) rootless() error {
	linux := r.config["linux"].(object)
	ids := []object{
		{"containerID": 0, "hostID": userID, "size": 1},
		{"containerID": 1, "hostID": userRange, "size": 65536},
	}
	linux["uidMappings"], linux["gidMappings"] = ids, ids
	return filepath.WalkDir(r.path("bundle"), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, r.own(path))
	})
}

// delegate makes the user own the rig's cgroup, if v2 is the only hierarchy. The commands
// run in a cgroup below, as moving a process needs the right to write to the common
// parent.
func (r *rig) delegate(roots []string) error {
	if r.user == nil || len(roots) != 1 {
		return nil
	}
	dir := roots[0] + r.cgroup
	if err := os.MkdirAll(dir+commandsCgroup, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads", commandsCgroup, commandsCgroup + "/cgroup.procs"} {
		if err := r.own(dir + name); err != nil {
			return err
		}
	}
	var err error
	r.user.cgroup, err = os.Open(dir + commandsCgroup)
	return err
}

// commandsCgroup is the one of the user's commands.
const commandsCgroup = "/commands"
