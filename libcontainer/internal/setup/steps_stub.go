package setup

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/console"
	"github.com/berth-oci/berth/internal/devices"
	"github.com/berth-oci/berth/internal/network"
	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// enterCgroup has the stub move itself into the v1 cgroups.
func enterCgroup(r *run) error {
	for _, file := range r.cgroup.Entry().Files {
		r.stub.Label("%s", file)
		f := r.stub.Openat(stub.Num(unix.AT_FDCWD), file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		r.stub.Write(f, "0")
		r.stub.CloseFd(f)
	}
	r.stub.Label("")
	return nil
}

func joinNamespaces(r *run) error {
	r.forgetGroups()
	r.plan.Join(r.stub)
	return nil
}

func unshareNamespaces(r *run) error {
	r.stub.Unshare(r.plan.Unshare)
	return nil
}

func unshareCgroup(r *run) error {
	r.stub.Unshare(unix.CLONE_NEWCGROUP)
	return nil
}

// startSession leaves the caller's session and terminal.
func startSession(r *run) error {
	r.stub.Setsid()
	r.stub.Umask(0)
	return nil
}

// joinKeyring queues the joining of the container's session keyring, which is
// made unless it exists. In the caller's, the program could read the caller's
// keys: a quota of keys that is used up, as others with the same user ID can
// bring about, is an error.
func joinKeyring(r *run) error {
	r.stub.Label("join session keyring")
	// A kernel without CONFIG_KEYS has no keyring to share.
	r.stub.JoinSessionKeyring("_ses." + r.id).MayFail(unix.ENOSYS).Remedy(remedyKeyring)
	r.stub.Label("")
	return nil
}

// remedyKeyring says what the kernel's answer means (keyctl(2)).
func remedyKeyring(e unix.Errno) string {
	switch e {
	case unix.EDQUOT:
		return "the keys of the container's root, and of whoever has the same user id on the host, take all that kernel.keys.maxkeys or kernel.keys.maxbytes allows; --no-new-keyring keeps the caller's keyring"
	case unix.EPERM, unix.EACCES:
		return "a seccomp filter can deny it; --no-new-keyring keeps the caller's keyring"
	}
	return ""
}

func raiseLoopback(r *run) error {
	network.LoopbackUp(r.stub)
	return nil
}

func setHostname(r *run) error {
	if r.cfg.Hostname != "" {
		r.stub.Sethostname(r.cfg.Hostname)
	}
	if r.cfg.Domainname != "" {
		r.stub.Setdomainname(r.cfg.Domainname)
	}
	return nil
}

func setOOMScore(r *run) error {
	r.stub.Label("process.oomScoreAdj")
	proc := procfs.Mount(r.stub)
	f := procfs.Write(r.stub, proc.Root, "self/oom_score_adj", strconv.Itoa(*r.cfg.Process.OOMScoreAdj))
	r.stub.CloseFd(proc.Root)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		err := proc.Err()
		if err == nil {
			err = f.Err()
		}
		if err != nil {
			return &config.FieldError{Field: "process.oomScoreAdj", Err: err}
		}
		return nil
	})
	return nil
}

// raiseOOMScore is for those who may not mount a procfs. The stub is still
// where the runtime itself is, so the host's can be used; for a moment it must
// be dumpable to own its files there.
func raiseOOMScore(r *run) error {
	score := *r.cfg.Process.OOMScoreAdj
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	f := r.stub.Openat(stub.Num(unix.AT_FDCWD), "/proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	wrote := r.stub.Write(f, strconv.Itoa(score)).Checked() // the remedy is added
	r.stub.CloseFd(f)
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0)
	r.stub.Label("") // the field is in the error
	r.stub.Check(func() error {
		if err := wrote.Err(); err != nil {
			return config.FieldErrorf("process.oomScoreAdj", "%d: %w (to lower it needs CAP_SYS_RESOURCE; leave it out, or ask for no less than /proc/self/oom_score_adj has)", score, err)
		}
		return nil
	})
	return nil
}

func isolateMounts(r *run) error {
	return rootfs.Isolate(r.stub, r.cfg.RootfsPropagation, r.cfg.Rootfs)
}

func openRoot(r *run) error {
	r.tree = rootfs.Open(r.child, r.cfg.Rootfs)
	r.atEnd(r.tree.Release)
	r.tree.AskSources(r.cfg.Mounts)
	return nil
}

func openRootHere(r *run) error {
	r.tree = rootfs.OpenWorkingDirectory(r.child, r.cfg.Rootfs)
	r.atEnd(r.tree.Release)
	r.tree.AskSources(r.cfg.Mounts)
	return nil
}

func mountFilesystems(r *run) error {
	paths := r.state.Cgroups
	if len(paths) < len(r.planned) { // some may not be used: the runtime's own is shown
		own, err := manager.Own("")
		if err != nil {
			return err
		}
		maps.Copy(own, paths)
		paths = own
	}
	return r.tree.Run(rootfs.Mounts(r.cfg, rootfs.CgroupHost{Root: manager.DefaultRoot, Paths: paths}))
}

// makeDevices makes the device nodes. A runtime that is in a user namespace, or
// lacks CAP_MKNOD, binds those of the host.
func makeDevices(r *run) error {
	err := r.tree.Run(rootfs.Devices(r.cfg, r.kcore))
	if errors.Is(err, unix.EPERM) {
		return bindDevices(r)
	}
	return err
}

// bindDevices binds the device nodes of the host.
func bindDevices(r *run) error {
	for i := range r.cfg.Devices {
		warning, err := devices.OnHost(&r.cfg.Devices[i])
		if err != nil {
			return err
		}
		if warning != "" && r.log != nil {
			r.log.Warn(warning)
		}
	}
	return r.tree.Run(rootfs.BoundDevices(r.cfg, r.kcore))
}

func makeWorkingDirectory(r *run) error { return r.tree.MakeDir(r.cfg.Process.Cwd) }

func protectPaths(r *run) error {
	return r.tree.Protect(r.cfg.ReadonlyPaths, r.cfg.MaskedPaths)
}

func makeDevReadonly(r *run) error {
	r.tree.ReadonlyDev()
	return nil
}

func makeRootReadonly(r *run) error {
	r.tree.Readonly()
	return nil
}

func pivotRoot(r *run) error {
	r.tree.Pivot()
	rootfs.Propagate(r.stub, r.cfg.RootfsPropagation)
	return nil
}

func moveRoot(r *run) error {
	if err := r.tree.Move(r.cfg.RootfsPropagation); err != nil {
		return err
	}
	rootfs.Propagate(r.stub, r.cfg.RootfsPropagation)
	return nil
}

// openTerminal makes the program's terminal, which is /dev/console too, and
// hands its master side out.
func openTerminal(r *run) error {
	if err := r.adoptTerminal(r.tree.OpenPtmx(), r.tree.BindConsole); err != nil {
		return err
	}
	console.Control(r.stub)
	return nil
}

// openContainersTerminal makes a terminal in the container's own devpts.
func openContainersTerminal(r *run) error {
	r.stub.Label("process.terminal: open /dev/pts/ptmx")
	ptmx := r.stub.Openat2(stub.Num(unix.AT_FDCWD), "/dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, unix.RESOLVE_NO_MAGICLINKS)
	return r.adoptTerminal(ptmx, func(*stub.Value) { r.stub.Label("") })
}

// adoptTerminal makes the terminal that ptmx, just opened, is the master side
// of, the stub's. Also is queued for its other side.
func (r *run) adoptTerminal(ptmx *stub.Value, also func(slave *stub.Value)) error {
	if r.Console == nil {
		return errors.New("process.terminal is set, but CreateOptions has no Console that takes the terminal")
	}
	master, err := console.Fetch(r.child, ptmx)
	if err != nil {
		return err
	}
	slave := console.Open(r.stub, ptmx, r.cfg.Process.ConsoleSize)
	r.stub.Fchownat(slave, "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH)
	also(slave)
	console.Adopt(r.stub, slave)
	r.stub.CloseFd(ptmx)
	r.stub.CloseFd(slave)
	if err := r.flush(); err != nil {
		return errors.Join(err, master.Close())
	}
	return r.Console(master)
}

func closeDescriptors(r *run) error {
	r.child.CloseOthers(3 + len(r.ExtraFiles))
	return nil
}

// warn tells what of the process is left out, as the specification wants.
func (r *run) warn() {
	if r.log == nil || r.hook != nil {
		return
	}
	for _, w := range r.cfg.Process.Warnings {
		r.log.Warn(w)
	}
	if r.cfg.KeepGroups && len(r.cfg.Process.AdditionalGIDs) > 0 {
		r.log.Warn(fmt.Sprintf("process.user.additionalGids: not set, as annotations[%q] keeps the groups of the caller", config.KeepGroupsAnnotation))
	}
}

// dropPrivileges makes the stub the program's user. The working directory is
// tried as root first: one that only root can reach is no error.
func dropPrivileges(r *run) error {
	last, err := probe.LastCap()
	if err != nil {
		return err
	}
	proc := &r.cfg.Process
	r.warn()
	caps := capabilities.Known(proc.Capabilities, last)
	// As the program's user it is tried again: a directory may be out of root's
	// reach (FUSE, NFS), or one of /proc/self that exists after the fork.
	r.entered = r.stub.Chdir(proc.Cwd).MayFail(unix.EACCES, unix.EPERM, unix.ENOENT, unix.ENOTDIR)
	capabilities.LimitBounding(r.stub, caps.Bounding, last)
	capabilities.KeepOverSetuid(r.stub)
	if !r.noGroups && !r.cfg.KeepGroups {
		r.setGroups()
	}
	r.stub.Setresgid(proc.GID)
	r.stub.Setresuid(proc.UID)
	if keepsAdmin(r.cfg) {
		caps = capabilities.WithAdmin(caps)
		r.stub.Label("linux.seccomp without process.noNewPrivileges takes CAP_SYS_ADMIN")
	}
	capabilities.Apply(r.stub, caps)
	r.stub.Label("")
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0) // a change of user has made it what fs.suid_dumpable says
	if proc.NoNewPrivileges {
		r.stub.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	r.stub.Umask(proc.Umask)
	return nil
}

// enterWorkingDirectory goes to process.cwd and asks where it is: a descriptor
// of the host's could lead out of the root (CVE-2024-21626).
func enterWorkingDirectory(r *run) error {
	cwd := r.cfg.Process.Cwd
	again := r.stub.Chdir(cwd).Checked() // the directory may have been entered as root
	where := make([]byte, unix.PathMax)
	r.stub.Getcwd(where)
	r.stub.Check(func() error {
		if err := again.Err(); err != nil && r.entered.Err() != nil {
			return fmt.Errorf("process.cwd: chdir to %q: %w", cwd, err)
		}
		if where[0] != '/' {
			return fmt.Errorf("process.cwd: %q is outside of the container's root: possible container breakout", cwd)
		}
		return nil
	})
	return nil
}
