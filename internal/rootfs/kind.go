package rootfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// source is the source of a bind mount.
type source struct {
	path     string
	noFollow bool
}

func sourceOf(m *config.Mount) source { return source{m.Source, m.SourceNoFollow} }

// statResult is the result of statx(2) for a source.
type statResult struct {
	stat *stub.Stat
	call *stub.Value
}

// StatSources queues statx(2) for the sources of bind mounts, since missing
// mount points are made as files or directories like them. The stub makes the
// calls, not the runtime, which holds the container's lock: a file server may
// never answer.
func (t *Tree) StatSources(list []config.Mount) {
	t.sources = make(map[source]statResult)
	for i := range list {
		m := &list[i]
		from := sourceOf(m)
		if _, known := t.sources[from]; known || !m.Bind {
			continue
		}
		// The type of a file does not change, so statx(2) need not contact its
		// server.
		flags := unix.AT_STATX_DONT_SYNC
		if from.noFollow {
			flags |= unix.AT_SYMLINK_NOFOLLOW
		}
		t.p.Label("%s: source %q", m.Field, m.Source)
		var a statResult
		a.stat, a.call = t.p.Statx(stub.Num(unix.AT_FDCWD), from.path, flags)
		a.call.Checked() // the mount fails with the same error and reports it
		t.p.Check(func() error {
			_ = a.call.Err()
			return nil
		})
		t.sources[from] = a
	}
	t.p.Label("")
}

// isFile reports whether the source of a bind mount is known not to be a
// directory. The runtime calls stat(2) itself only if the stub could not: it
// was denied access, or has left the host's tree.
func (t *Tree) isFile(m *config.Mount) bool {
	if a, known := t.sources[sourceOf(m)]; known && !errors.Is(a.call.Err(), unix.EACCES) {
		return a.call.Err() == nil && a.stat.Mode()&unix.S_IFMT != unix.S_IFDIR
	}
	stat := os.Stat
	if m.SourceNoFollow {
		stat = os.Lstat
	}
	st, err := stat(m.Source)
	return err == nil && !st.IsDir()
}
