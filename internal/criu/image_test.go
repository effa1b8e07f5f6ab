package criu

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// writeImage writes an image of messages, as CRIU does.
func writeImage(t *testing.T, dir, name string, magic uint32, list ...message) {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, commonMagic)
	b = binary.LittleEndian.AppendUint32(b, magic)
	for _, m := range list {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(m))), m...)
	}
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// made returns a message that a function has made.
func made(make func(*message)) (m message) {
	make(&m)
	return m
}

// process returns a pstree_entry.
func process(pid int64, tids ...int64) message {
	return made(func(m *message) {
		m.number(1, pid)
		for _, tid := range tids {
			m.number(5, tid)
		}
	})
}

// coreOf returns a core_entry: of a main thread if state is not 0, and with a filter unless
// it is -1.
func coreOf(state, filter int64) message {
	return made(func(m *message) {
		m.number(1, 1)
		if state != 0 {
			m.bytes(3, made(func(m *message) { m.number(1, state) }))
		}
		m.bytes(5, made(func(m *message) {
			if filter >= 0 {
				m.number(11, unix.SECCOMP_MODE_FILTER)
				m.number(12, filter)
			}
		}))
	})
}

// filterOf returns a seccomp_filter; prev is -1 if it has no other.
func filterOf(program string, prev, flags int64) message {
	return made(func(m *message) {
		m.bytes(1, []byte(program))
		if prev >= 0 {
			m.number(2, prev)
		}
		m.number(3, flags)
	})
}

// filtersOf returns a seccomp_entry.
func filtersOf(list ...message) message {
	return made(func(m *message) {
		for _, f := range list {
			m.bytes(1, f)
		}
	})
}

// standard writes an image of two processes, of which the first has two threads, and a
// zombie.
func standard(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeImage(t, dir, "pstree.img", pstreeMagic, process(1, 1, 3), process(2, 2), process(4, 4))
	const sync = unix.SECCOMP_FILTER_FLAG_TSYNC
	writeImage(t, dir, "seccomp.img", seccompMagic, filtersOf(
		filterOf("first", -1, sync), filterOf("own", 0, 0), filterOf("second", -1, sync)))
	writeImage(t, dir, "core-1.img", coreMagic, coreOf(1, 1))
	writeImage(t, dir, "core-3.img", coreMagic, coreOf(0, -1))
	writeImage(t, dir, "core-2.img", coreMagic, coreOf(1, 2))
	writeImage(t, dir, "core-4.img", coreMagic, coreOf(taskDead, -1))
	return dir
}

// read returns the programs of each thread.
func read(t *testing.T, path string) ([]string, error) {
	t.Helper()
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var list []string
	err = Threads(dir, func(thread Thread) error {
		text := ""
		for _, f := range thread.Filters {
			text += " " + string(f.Program)
		}
		list = append(list, string(rune('0'+thread.ID))+text)
		return nil
	})
	return list, err
}

func TestThreadsOfAnImage(t *testing.T) {
	got, err := read(t, standard(t))
	if want := []string{"1 own first", "3 first", "2 second"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// CRIU's decoder could read other values from these.
func TestMalformedImages(t *testing.T) {
	twice := func(m message) message { return append(slices.Clone(m), m...) }
	for name, change := range map[string]func(dir string){
		"a thread twice": func(dir string) { writeImage(t, dir, "core-1.img", coreMagic, twice(coreOf(1, 1))) },
		"a filter twice": func(dir string) {
			writeImage(t, dir, "seccomp.img", seccompMagic, filtersOf(twice(filterOf("first", -1, 0)), filterOf("own", 0, 0), filterOf("second", -1, 0)))
		},
		"a loop": func(dir string) {
			writeImage(t, dir, "seccomp.img", seccompMagic, filtersOf(filterOf("first", 1, 0), filterOf("own", 0, 0), filterOf("second", -1, 0)))
		},
		"no such filter": func(dir string) { writeImage(t, dir, "core-2.img", coreMagic, coreOf(1, 3)) },
		"a large number": func(dir string) { writeImage(t, dir, "core-2.img", coreMagic, coreOf(1, 1<<32+2)) },
		"an old field": func(dir string) {
			writeImage(t, dir, "core-2.img", coreMagic, made(func(m *message) {
				m.bytes(3, made(func(m *message) { m.number(1, 1); m.number(12, 0) }))
			}))
		},
		"a field that is the same in 32 bits": func(dir string) {
			writeImage(t, dir, "core-2.img", coreMagic, made(func(m *message) { m.bytes(1<<29+5, coreOf(1, 2)) }))
		},
		"another main thread": func(dir string) { writeImage(t, dir, "pstree.img", pstreeMagic, process(1, 3, 1)) },
		"no magic number":     func(dir string) { writeImage(t, dir, "seccomp.img", coreMagic) },
		"no file": func(dir string) {
			if err := os.Remove(filepath.Join(dir, "core-3.img")); err != nil {
				t.Fatal(err)
			}
		},
		"a thread that is listed twice": func(dir string) {
			writeImage(t, dir, "pstree.img", pstreeMagic, process(1, 1, 3, 3), process(2, 2))
		},
		"a thread of two processes": func(dir string) {
			writeImage(t, dir, "pstree.img", pstreeMagic, process(1, 1, 3), process(2, 2, 3))
		},
		"more filters than the kernel takes": func(dir string) {
			list := make([]message, filtersMost+1)
			for i := range list {
				list[i] = filterOf("f", int64(i)-1, 0)
			}
			writeImage(t, dir, "seccomp.img", seccompMagic, filtersOf(list...))
			writeImage(t, dir, "core-2.img", coreMagic, coreOf(1, filtersMost))
		},
		"truncated": func(dir string) {
			if err := os.Truncate(filepath.Join(dir, "seccomp.img"), 20); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := standard(t)
		change(dir)
		if got, err := read(t, dir); err == nil || !strings.HasPrefix(err.Error(), "read image: ") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzImage(f *testing.F) {
	f.Add([]byte(coreOf(1, 1)))
	f.Add([]byte(filtersOf(filterOf("first", -1, 1))))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := standard(t)
		writeImage(t, dir, "core-1.img", coreMagic, b)
		read(t, dir) //nolint:errcheck // it must only not panic
		dir = standard(t)
		writeImage(t, dir, "seccomp.img", seccompMagic, b)
		read(t, dir) //nolint:errcheck // the same
	})
}
