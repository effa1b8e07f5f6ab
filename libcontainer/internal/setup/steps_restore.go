package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// startCriuStub starts the stub that becomes CRIU. Its descriptors after those of the
// connection are the standard descriptors of the container, and the namespaces that it
// joins.
func startCriuStub(r *run) (err error) {
	if r.conn, err = criu.NewConn(); err != nil {
		return err
	}
	r.atEnd(r.conn.Close)
	files, err := r.criuFiles()
	if err != nil {
		return err
	}
	cgroup, err := openCgroup(r.cgroup, r.unit)
	if err != nil {
		return err
	}
	defer cgroup.Close() // nil without v2
	r.child, err = stub.Start(r.ctx, stub.Options{Files: files, Cgroup: cgroup, Dir: r.dir, Log: r.log})
	if err != nil {
		return err
	}
	r.stub = r.child.Proc
	r.stub.Meanwhile(r.workOff)
	r.saved = meanwhile(r, func() (struct{}, error) { return struct{}{}, state.WriteConfig(r.dir, r.cfg) })
	r.followContext()
	return r.notePid(r.child.Pid)
}

// setDeviceRules sets them before a process is in the cgroup: an image can name any device
// as an open file, and the root can have its node. CRIU makes the nodes of /dev.
func setDeviceRules(r *run) error {
	rules := slices.Concat(r.resources().Devices, []specs.LinuxDeviceCgroup{
		{Allow: true, Type: "c", Access: "m"}, {Allow: true, Type: "b", Access: "m"},
	})
	return state.ExplainCgroup(r.cgroup.Set(&specs.LinuxResources{Devices: rules}))
}

// canSeek reports whether CRIU can set the position of a file.
func canSeek(f *os.File) bool {
	_, err := f.Seek(0, io.SeekCurrent)
	return !errors.Is(err, unix.ESPIPE)
}

// criuFiles returns the descriptors of CRIU, and adds those that replace files of the
// image to its options.
func (r *run) criuFiles() ([]*os.File, error) {
	files := r.conn.Files()
	stdio, err := checkpoint.ReadStdio(r.images.Images)
	if err != nil {
		return nil, err
	}
	r.images.Inherit = stdio.Inherit(len(files))
	null, err := sys.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	r.atEnd(func() { null.Close() })
	for fd, f := range r.Stdio {
		if f == nil || stdio.WasNull(fd) && !canSeek(f) {
			f = null
		}
		files = append(files, f)
	}
	for _, n := range r.cfg.Namespaces.Join {
		key := checkpoint.NamespaceKey(n)
		if key == "" {
			continue
		}
		f, err := sys.OpenFile(n.Path, unix.O_RDONLY, 0)
		if err != nil {
			return nil, &config.FieldError{Field: n.Field, Err: err}
		}
		r.atEnd(func() { f.Close() })
		r.images.Inherit = append(r.images.Inherit, criu.Inherited{Key: key, FD: len(files)})
		files = append(files, f)
	}
	return files, nil
}

// undoCriu kills CRIU. If it does not end, delete removes the rest.
func undoCriu(r *run) error {
	if r.child == nil {
		return nil
	}
	return r.keepForDelete(r.child.End())
}

// isolateCriu makes a mount namespace; its mounts do not appear on the host.
func isolateCriu(r *run) error {
	r.stub.Unshare(unix.CLONE_NEWNS)
	return rootfs.Isolate(r.stub, unix.MS_SLAVE|unix.MS_REC, r.cfg.Rootfs)
}

// coverRamdisk changes the root to a copy of it that is mounted on it.
func coverRamdisk(r *run) error {
	rootfs.Cover(r.stub)
	return nil
}

func makePoints(r *run) error { return r.tree.Run(rootfs.Points(r.cfg)) }

func executeCriu(r *run) error {
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	if err := r.images.Reopen(r.child.Pid); err != nil {
		return fmt.Errorf("open image in CRIU's mounts: %w", err)
	}
	r.child.CloseOthers(criu.FirstFile + len(r.Stdio) + len(r.cfg.Namespaces.Join))
	r.sealed = true
	return errors.Join(r.conn.Execute(r.child, r.criu), r.child.Close())
}

// verifyFilters compares the filters of the image with that of the configuration.
func verifyFilters(r *run) error {
	filter, err := r.filter.wait()
	if err != nil {
		return err
	}
	return checkpoint.VerifyFilters(r.images.Images, filter, r.cfg.Seccomp.Flags)
}

// restoreProcesses lets CRIU restore the processes. They run when it returns.
func restoreProcesses(r *run) error {
	stop := context.AfterFunc(r.ctx, func() { r.child.Kill() }) //nolint:errcheck // it has ended, or its end is awaited
	defer stop()
	if err := r.describeRestore(); err != nil {
		return err
	}
	_, err := r.conn.Do(criu.Restore, &r.images.Options, r.notified)
	if err == nil && r.restored == nil {
		err = errNoInit
	}
	if err != nil {
		return r.images.Explain(err)
	}
	return r.conn.Finish()
}

// describeRestore completes the options of CRIU.
func (r *run) describeRestore() (err error) {
	o := &r.images.Options
	o.Root, o.RestoreAsSibling, o.EvasiveDevices = r.cfg.Rootfs, true, true
	if o.ExternalMounts, err = checkpoint.Sources(r.cfg, rootfs.CgroupHost{Root: manager.DefaultRoot, Paths: r.state.Cgroups}); err != nil {
		return err
	}
	o.JoinNamespaces = checkpoint.Joins(r.cfg)
	if len(r.state.Cgroups) == 0 {
		o.Cgroups = criu.CgroupsIgnore
		return nil
	}
	o.CgroupRoots, err = checkpoint.CgroupRoots(r.child.Pid)
	return err
}

// notified is called when the restored processes have reached a stage; CRIU waits for it.
func (r *run) notified(n criu.Notification) error {
	if r.log != nil {
		r.log.Debug("CRIU", "stage", n.Script, "pid", n.Pid)
	}
	switch n.Script {
	case "orphan-pts-master":
		return r.takeTerminal(n.File)
	case "setup-namespaces":
		return r.setUpRestored(n.Pid)
	case "post-restore":
		return r.finishRestored()
	case "pre-resume":
		return r.verifyRestored()
	}
	return r.ctx.Err()
}

func (r *run) takeTerminal(master *os.File) error {
	switch {
	case master == nil:
		return errors.New("CRIU has sent no terminal")
	case r.Console == nil:
		master.Close()
		return errors.New("the image has a terminal, but RestoreOptions has no Console that takes it")
	}
	return r.Console(master)
}

// setUpRestored completes the namespaces of the restored init, before it has mounts and
// children: an image has no network devices and no sysctls of its network namespace.
func (r *run) setUpRestored(pid int) (err error) {
	if r.restored, err = stub.Adopt(pid); err != nil {
		return err
	}
	if err := r.notePid(pid); err != nil {
		return err
	}
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	r.state.Pid, r.state.StartTime = r.noted.Pid, r.noted.StartTime
	if r.cfg.Namespaces.New&unix.CLONE_NEWNET != 0 {
		if err := r.setUpNetwork(); err != nil {
			return err
		}
	}
	if err := r.moveRestoredDevices(); err != nil {
		return err
	}
	return runRuntimeHooks(r)
}

// setUpNetwork brings up the loopback device and sets the sysctls of the restored
// network namespace, with a stub that joins it.
func (r *run) setUpNetwork() error {
	helper, err := stub.Start(r.ctx, stub.Options{Files: []*os.File{nil, nil, nil, r.restored.Pidfd}, Dir: r.dir, Log: r.log})
	if err != nil {
		return err
	}
	inside := run{job: r.job, values: values{stub: helper.Proc}, step: r.step}
	helper.Step(r.step)
	helper.Setns(stub.Num(3), unix.CLONE_NEWNET)
	err = raiseLoopback(&inside)
	network := slices.DeleteFunc(slices.Clone(r.cfg.Sysctls), func(s config.Sysctl) bool { return !strings.HasPrefix(s.Path, "net/") })
	if err == nil && len(network) > 0 {
		err = inside.writeSysctls(network)
	}
	if err == nil {
		err = inside.flush()
	}
	return errors.Join(err, helper.End())
}

// moveRestoredDevices moves the devices of linux.netDevices into the restored network
// namespace.
func (r *run) moveRestoredDevices() error {
	if len(r.cfg.NetDevices) == 0 {
		return nil
	}
	inside := run{job: r.job, values: values{child: r.restored}}
	r.atEnd(inside.release)
	err := moveDevices(&inside)
	r.mover = inside.mover
	return err
}

// finishRestored sets the limits, which must not apply to CRIU, before the processes run.
func (r *run) finishRestored() error {
	if r.unit == nil {
		if err := r.cgroup.Set(r.resources()); err != nil {
			return state.ExplainCgroup(err)
		}
	}
	return r.ctx.Err()
}

// verifyRestored kills the restored processes if the image has more than config.json
// allows, or other labels, and CRIU, which waits for them otherwise: it does not undo its
// work any more.
func (r *run) verifyRestored() error {
	if r.restored == nil {
		return errNoInit
	}
	err := checkpoint.Verify(r.restored.Pid, r.cfg, restoredLabels(r.cfg, r.images.LSMProfile))
	if err == nil {
		return r.ctx.Err()
	}
	err = errors.Join(err, r.restored.Kill())
	if len(r.state.Cgroups) > 0 {
		err = errors.Join(err, cgroups.Kill(r.cgroup, unix.SIGKILL))
	}
	return errors.Join(err, r.conn.Kill())
}

// undoRestored kills the restored init, and with it its pid namespace; undoCgroup kills
// other processes. It returns the network devices first.
func undoRestored(r *run) error {
	err := returnDevices(r)
	if r.restored == nil {
		return err
	}
	// CRIU, which traces the processes, must not outlive them.
	return errors.Join(err, r.child.Kill(), r.keepForDelete(r.restored.End()))
}
