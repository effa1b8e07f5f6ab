package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// unitSlice has the scopes of the rig's containers.
const unitSlice = "faults.slice"

// unit is the scope of the container.
func (r *rig) unit() string { return "berth-" + r.id + ".scope" }

// cgroupsPath is linux.cgroupsPath.
func (r *rig) cgroupsPath() string {
	if r.task.bedOf().systemd {
		return unitSlice + ":berth:" + r.id
	}
	return filepath.Join(r.cgroup, r.id)
}

// containerCgroup is the container's, in each hierarchy.
func (r *rig) containerCgroup() string {
	if r.task.bedOf().systemd {
		return r.cgroup + "/" + r.unit()
	}
	return r.cgroup + "/" + r.id
}

// manager is the cgroup of the user's systemd.
func (u *user) manager() string {
	id := strconv.Itoa(userID)
	return "/user.slice/user-" + id + ".slice/user@" + id + ".service"
}

// systemctl runs systemctl for the systemd that has the container's unit.
func (r *rig) systemctl(args ...string) (string, error) {
	command := r.user.command(append([]string{"/usr/bin/systemctl"}, args...))
	if r.user != nil {
		command = append(command, "--user")
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), r.user.environment()...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return string(out), nil
}

// unitFiles are the directories in which systemd keeps files of transient units, and of
// properties that were set, below that of the system or of the user.
var unitFiles = []string{"systemd/transient", "systemd/system.control", "systemd/user.control"}

// units counts the scopes and slices that systemd has loaded, with their states, and the
// files of transient units.
func (r *rig) units(c census) error {
	if !r.task.bedOf().systemd {
		return nil
	}
	list, err := r.systemctl("list-units", "--all", "--full", "--plain", "--no-legend", "--type=scope,slice")
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); !strings.HasPrefix(f[0], "run-") { // of systemd-run
			c["unit "+strings.Join(f[:4], " ")] = true
		}
	}
	runtimeDir := "/run"
	if r.user != nil {
		runtimeDir = r.user.dir
	}
	for _, dir := range unitFiles {
		files, e := filepath.Glob(filepath.Join(runtimeDir, dir, "*"))
		err = errors.Join(err, e)
		for _, file := range files {
			c["file "+file] = true
		}
	}
	return err
}

// foreign reports whether a process is one of systemd, or of another service: those come
// and go.
func (r *rig) foreign(pid int) bool {
	if !r.task.bedOf().systemd {
		return false
	}
	cgroup := cgroupOf(pid)
	last := filepath.Base(cgroup)
	return last == "init.scope" || strings.HasSuffix(last, ".service") && cgroup != r.ownCgroup
}

// cgroupOf returns the v2 cgroup of a process, "" if it has ended.
func cgroupOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)) // empty if it has ended
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return path
		}
	}
	return ""
}

// stopUnit removes by force the unit that a finding has left.
func (r *rig) stopUnit() error {
	if !r.task.bedOf().systemd {
		return nil
	}
	for _, command := range []string{"stop", "reset-failed"} {
		if _, err := r.systemctl(command, r.unit()); err != nil && !strings.Contains(err.Error(), "not loaded") {
			return err
		}
	}
	return nil
}

// admitUser makes the account of the user, its ranges of IDs and its systemd.
func (r *rig) admitUser() error {
	id, name := strconv.Itoa(userID), "faults"
	ids := fmt.Sprintf("%d-%d", userRange, userRange+65535)
	for _, line := range [][]string{
		{"useradd", "--uid", id, "--home-dir", "/", "-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0", name},
		{"usermod", "--add-subuids", ids, "--add-subgids", ids, name},
		{"loginctl", "enable-linger", name},
		{"systemctl", "start", "user@" + id + ".service"},
	} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(line, " "), err, out)
		}
	}
	r.user.dir = "/run/user/" + id
	return nil
}

// startSlice starts what would stay after the first container: the slice, and the user's
// message bus.
func (r *rig) startSlice() error {
	if r.user != nil {
		if err := r.openSession(); err != nil {
			return err
		}
	}
	_, err := r.systemctl("start", unitSlice, "dbus.service")
	return err
}

// openSession starts a scope like that of a login session, and has the user's commands run
// there: the user's systemd may not move a process out of it.
func (r *rig) openSession() error {
	id := strconv.Itoa(userID)
	unit := "session-faults.scope"
	r.session = exec.Command("systemd-run", "--quiet", "--scope", "--slice=user-"+id+".slice", "--unit="+unit, "sleep", "infinity")
	if err := r.session.Start(); err != nil {
		return err
	}
	dir := "/sys/fs/cgroup/user.slice/user-" + id + ".slice/" + unit
	for end := time.Now().Add(patient(5 * time.Second)); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if r.user.cgroup, err = os.Open(dir); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// closeSession ends the session.
func (r *rig) closeSession() error {
	if r.session == nil {
		return nil
	}
	err := r.session.Process.Kill()
	_ = r.session.Wait() // killed
	return err
}
