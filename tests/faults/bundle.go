package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// object is an object of config.json.
type object = map[string]any

// owner is the ID of root in the user namespace of the configuration "full".
const owner = 100000

// makeBundle makes the bundle of a configuration.
func (r *rig) makeBundle() error {
	if err := r.makeRoot(); err != nil {
		return err
	}
	args := []string{"spec", "--bundle", r.path("bundle")}
	if r.user != nil {
		args = append(args, "--rootless")
	}
	if out, err := exec.Command(r.runtime, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("spec: %w: %s", err, out)
	}
	text, err := os.ReadFile(r.path("bundle/config.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &r.config); err != nil {
		return err
	}
	r.config["process"].(object)["terminal"] = false
	if r.user == nil || r.task.bedOf().systemd {
		r.config["linux"].(object)["cgroupsPath"] = r.cgroupsPath()
	}
	r.config["mounts"] = append(r.config["mounts"].([]any), object{
		"destination": "/out", "type": "none", "source": r.path("out"), "options": []string{"bind", "rw"},
	})
	switch r.task.config {
	case "full":
		return r.full()
	case "rootless":
		return r.rootless()
	}
	return nil
}

// makeRoot makes the root file system: busybox, and this program.
func (r *rig) makeRoot() error {
	root := r.path("bundle/rootfs")
	for _, dir := range []string{"bin", "etc", "tmp", "proc", "sys", "dev", "out", "added"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"out", "added"} {
		if err := os.MkdirAll(r.path(dir), 0o711); err != nil {
			return err
		}
	}
	if err := r.makeState(); err != nil {
		return err
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	for from, to := range map[string]string{busybox: "bin/busybox", r.self: "bin/faults"} {
		if out, err := exec.Command("cp", from, filepath.Join(root, to)).CombinedOutput(); err != nil {
			return fmt.Errorf("cp: %w: %s", err, out)
		}
	}
	for _, name := range []string{"sh", "sleep", "true"} {
		if err := os.Link(filepath.Join(root, "bin/busybox"), filepath.Join(root, "bin", name)); err != nil {
			return err
		}
	}
	// Of any user.
	return os.Chmod(r.path("out"), 0o777)
}

// makeState makes the state root.
func (r *rig) makeState() error {
	if err := os.Mkdir(r.path("state"), 0o711); err != nil {
		return err
	}
	return r.own(r.path("state"))
}

// full adds a seccomp filter, a user namespace, hooks of all kinds, a device, a network
// device, sysctls, a terminal, another user, a property of the unit and, where the host has
// the controllers, limits.
func (r *rig) full() error {
	profile, err := os.ReadFile("seccomp/testdata/docker.json")
	if err != nil {
		return err
	}
	linux, process := r.config["linux"].(object), r.config["process"].(object)
	ids := []object{{"containerID": 0, "hostID": owner, "size": 65536}}
	linux["namespaces"] = append(linux["namespaces"].([]any), object{"type": "user"})
	linux["uidMappings"], linux["gidMappings"] = ids, ids
	linux["seccomp"] = json.RawMessage(profile)
	linux["sysctl"] = object{"kernel.shm_rmid_forced": "1", "net.ipv4.ip_forward": "1"}
	linux["devices"] = []object{{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666}}
	linux["netDevices"] = object{netDevice: object{"name": "data"}}
	if r.task.bedOf().controllers {
		resources := linux["resources"].(object)
		resources["pids"] = object{"limit": 100}
		resources["memory"] = object{"limit": 256 << 20}
	}
	if r.task.bedOf().systemd {
		// A failed scope stays then, until it is reset.
		r.config["annotations"] = object{"org.systemd.property.CollectMode": "'inactive'"}
	}
	process["terminal"] = true
	process["oomScoreAdj"] = 100
	process["user"] = object{"uid": 1000, "gid": 1000, "additionalGids": []int{10, 20}, "umask": 0o27}
	hook := []object{{"path": "/bin/true"}}
	r.config["hooks"] = object{
		"prestart": hook, "createRuntime": hook, "createContainer": hook, "startContainer": hook,
		"poststart": hook, "poststop": hook,
	}
	out, err := exec.Command("chown", "-R", fmt.Sprintf("%d:%d", owner, owner), r.path("bundle/rootfs")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	return nil
}

// program sets the program of the container.
func (r *rig) program(args ...string) error {
	r.config["process"].(object)["args"] = args
	text, err := json.MarshalIndent(r.config, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(r.path("bundle/config.json"), text, 0o644)
}
