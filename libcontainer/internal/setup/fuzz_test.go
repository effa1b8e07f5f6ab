package setup

import (
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/specconv"
)

// answers are the results of a hostile stub, chosen by a repeated sequence of bytes.
// Many are those of an honest stub, to reach later steps.
type answers struct {
	bytes []byte
	at    int
	calls int
	rec   *stub.Recorder
}

// enoughCalls limits the calls, as a hostile stub could keep a loop running.
const enoughCalls = 5000

func (a *answers) next() byte {
	a.at++
	return a.bytes[a.at%len(a.bytes)]
}

func (a *answers) result(call, _ string) (int64, bool) {
	if a.calls++; a.calls > enoughCalls {
		return -int64(unix.EIO), true
	}
	counts := slices.Contains([]string{"read", "readlinkat", "getdents64", "fgetxattr", "flistxattr", "lseek", "sendfile", "getpid", "getcwd"}, call)
	switch choice := a.next(); {
	case choice%64 == 0:
		return -int64(a.next()), true
	case call == "getdents64" && choice%4 != 1:
		return int64(choice&1) * 24, true
	case counts && choice%4 == 1: // any number
		return int64(a.next())<<56 | int64(a.next())<<16 | int64(a.next()), true
	case counts:
		return int64(a.next()), true
	}
	return 0, false // success
}

func (a *answers) output(call, args string) []byte {
	if a.next()%8 != 0 {
		if b := honest(a.rec, call, args); b != nil {
			return b
		}
		if call == "getdents64" { // a struct linux_dirent64 of 24 bytes
			return []byte{16: 24, 19: 'a' + a.next()%4, 23: 0}
		}
	}
	b := make([]byte, 300)
	for i := range b {
		b[i] = a.next()
	}
	return b
}

// FuzzHostileStub takes the steps of each operation with a stub that returns arbitrary
// results: any error is allowed, but no panic and no endless loop.
func FuzzHostileStub(f *testing.F) {
	f.Add([]byte{7})
	f.Add([]byte{1, 0xff, 0xec, 0x79})
	f.Add([]byte{3, 2, 7, 9, 200, 7, 5, 8, 1, 0xff, 16})
	f.Add([]byte("a longer text, with many bytes; \x00 and \xff among them, and then some"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 {
			return
		}
		for _, user := range []bool{false, true} {
			for _, op := range operations {
				p, rec := newRecorder()
				r := recorded(t, everything(user), op, p)
				r.hook = hookOf(op)
				a := &answers{bytes: text, rec: rec}
				rec.Answer, rec.Output = a.result, a.output
				if op == inAddMounts {
					r.cfg.Mounts = slices.DeleteFunc(r.cfg.Mounts, func(m config.Mount) bool { return m.CopySymlink || m.Type == "cgroup" })
				}
				if _, err := takeAll(r, func(*step) {}); err != nil {
					_ = err.Error()
				}
				r.release()
			}
		}
	})
}

func hookOf(op operation) *specs.Hook {
	if op&inHooks == 0 {
		return nil
	}
	return &specs.Hook{Path: "/hook"}
}

// everything returns a configuration that exercises as many steps as possible.
func everything(user bool) *specs.Spec {
	spec := specconv.Default(specconv.DefaultOptions{CgroupNamespace: true})
	spec.Process.Terminal = false // goes over a socket
	spec.Process.Args, spec.Process.Cwd, spec.Process.NoNewPrivileges = []string{"sh"}, "/a/b", false
	spec.Mounts = append(spec.Mounts,
		specs.Mount{Destination: "/copied", Type: "tmpfs", Source: "t", Options: []string{"tmpcopyup"}},
		specs.Mount{Destination: "/link", Type: "bind", Source: "/proc/self", Options: []string{"bind", "copy-symlink"}},
		specs.Mount{Destination: "/dir/bound", Type: "bind", Source: "/", Options: []string{"rbind", "ro"}},
		specs.Mount{Destination: "/over", Type: "overlay", Source: "o", Options: []string{"lowerdir=/a:/b"}},
	)
	spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x/fuse", Type: "c", Major: 10, Minor: 229}}
	spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
	spec.Linux.Seccomp = denyGetppid()
	if user {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 100000, Size: 1000}}
		spec.Linux.GIDMappings = spec.Linux.UIDMappings
		spec.Linux.Devices = nil
	}
	return spec
}
