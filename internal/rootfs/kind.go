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

// asked is what statx(2) returned for a source.
type asked struct {
	stat *stub.Stat
	call *stub.Value
}

// AskSources queues the question which sources of bind mounts are directories:
// mount points that are missing are made of the same kind. The stub asks, not
// the runtime, which holds the container's lock: a file server may never answer.
func (t *Tree) AskSources(list []config.Mount) {
	t.sources = make(map[source]asked)
	for i := range list {
		m := &list[i]
		from := sourceOf(m)
		if _, known := t.sources[from]; known || !m.Bind {
			continue
		}
		// The kind of a file does not change: its server need not be asked.
		flags := unix.AT_STATX_DONT_SYNC
		if from.noFollow {
			flags |= unix.AT_SYMLINK_NOFOLLOW
		}
		t.p.Label("%s: source %q", m.Field, m.Source)
		var a asked
		a.stat, a.call = t.p.Statx(stub.Num(unix.AT_FDCWD), from.path, flags)
		a.call.Checked() // the mount itself fails for the same reason, and reports it
		t.p.Check(func() error {
			_ = a.call.Err()
			return nil
		})
		t.sources[from] = a
	}
	t.p.Label("")
}

// isFile reports whether the source of a bind mount is known not to be a
// directory. The runtime asks itself only where the stub could not: it lacks the
// right to get there, or has left the host's tree.
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
