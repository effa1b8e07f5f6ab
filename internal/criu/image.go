package criu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Filter is a seccomp filter in an image.
type Filter struct {
	// Program is the program as seccomp(2) takes it.
	Program []byte
	// Flags are SECCOMP_FILTER_FLAG_*.
	Flags uint32
	prev  int // index of the next filter of its thread, -1 for the last one
}

// Thread is a thread in an image.
type Thread struct {
	ID      int
	Filters []Filter
}

// Threads calls visit for the threads of the image in a directory, except those of zombies,
// until it returns an error. Threads demands what CRIU writes: CRIU's own decoder must not read
// other values from the image. It returns no list: in a small image ten thousand threads can
// have thousands of filters each.
func Threads(dir *os.File, visit func(Thread) error) error {
	processes, err := readProcesses(dir)
	if err != nil {
		return err
	}
	filters, err := readFilters(dir)
	if err != nil {
		return err
	}
	for _, tids := range processes {
		if err := readThreads(dir, tids, filters, visit); err != nil {
			return err
		}
	}
	return nil
}

// Magic numbers at the beginning of images (criu/include/magic.h).
const (
	commonMagic  = 0x54564319
	coreMagic    = 0x55053847
	pstreeMagic  = 0x50273030
	seccompMagic = 0x64413049
)

// maxImage is the limit for one of these images, in bytes, maxCore that for the image of a
// thread: there may be thousands.
const (
	maxImage = 256 << 20
	maxCore  = 4 << 20
)

// image is the rest of an image after its magic numbers: messages, each after its size.
type image struct {
	path string
	rest []byte
}

func openImage(dir *os.File, name string, magic uint32, most int) (*image, error) {
	path := filepath.Join(dir.Name(), name)
	fd, err := sys.Open(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	defer unix.Close(fd)
	text, err := sys.ReadFrom(fd, path, 0, most)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	i := &image{path, nil}
	if len(text) < 8 || binary.LittleEndian.Uint32(text) != commonMagic || binary.LittleEndian.Uint32(text[4:]) != magic {
		return nil, i.malformed()
	}
	i.rest = text[8:]
	return i, nil
}

func (i *image) malformed() error {
	return fmt.Errorf("read image: %q is not as CRIU writes it", i.path)
}

// next returns the next message, io.EOF at the end.
func (i *image) next() (message, error) {
	if len(i.rest) == 0 {
		return nil, io.EOF
	}
	if len(i.rest) < 4 {
		return nil, i.malformed()
	}
	size := binary.LittleEndian.Uint32(i.rest)
	if uint64(size) > uint64(len(i.rest)-4) {
		return nil, i.malformed()
	}
	m := message(i.rest[4 : 4+size])
	i.rest = i.rest[4+size:]
	return m, nil
}

// fieldsOf decodes the fields of a message that may occur once: numbers, and bytes.
func fieldsOf(m message, numbers map[int]*int, bytes map[int]*[]byte) error {
	seen := map[int]bool{}
	return each(m, func(field int, n int64, b []byte) error {
		number, text := numbers[field], bytes[field]
		switch {
		case number == nil && text == nil:
			return nil
		case seen[field], (text != nil) != (b != nil), n < 0, n > math.MaxInt32:
			return errMalformed
		case text != nil:
			*text = b
		default:
			*number = int(n)
		}
		seen[field] = true
		return nil
	})
}

// readProcesses returns the threads of each process (pstree_entry), the main thread first.
func readProcesses(dir *os.File) (list [][]int, err error) {
	i, err := openImage(dir, "pstree.img", pstreeMagic, maxImage)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for {
		m, err := i.next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		tids, err := tidsOf(m)
		if err != nil {
			return nil, i.malformed()
		}
		for _, tid := range tids {
			if seen[tid] { // its image would be read again
				return nil, i.malformed()
			}
			seen[tid] = true
		}
		list = append(list, tids)
	}
}

// tidsOf returns the threads of a process.
func tidsOf(m message) (tids []int, err error) {
	pid := 0
	if err := fieldsOf(m, map[int]*int{1: &pid}, nil); err != nil {
		return nil, err
	}
	err = each(m, func(field int, n int64, b []byte) error {
		switch {
		case field != 5:
			return nil
		case b != nil, n <= 0, n > math.MaxInt32:
			return errMalformed
		}
		tids = append(tids, int(n))
		return nil
	})
	if err == nil && (len(tids) == 0 || tids[0] != pid) {
		err = errMalformed
	}
	return tids, err
}

// readFilters returns the filters of all threads (seccomp_entry).
func readFilters(dir *os.File) (list []Filter, err error) {
	i, err := openImage(dir, "seccomp.img", seccompMagic, maxImage)
	if err != nil {
		return nil, err
	}
	m, err := i.next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = each(m, func(field int, _ int64, b []byte) error {
		if field != 1 {
			return nil
		}
		f := Filter{prev: -1}
		flags := 0
		err := fieldsOf(b, map[int]*int{2: &f.prev, 3: &flags}, map[int]*[]byte{1: &f.Program})
		f.Flags = uint32(flags)
		list = append(list, f)
		return err
	})
	if err != nil {
		return nil, i.malformed()
	}
	return list, nil
}

// core has the fields of core_entry that berth reads.
type core struct {
	dead   bool
	filter int // index of its filter; -1 if it has no filter
}

// taskDead is the state of a zombie (compel/include/uapi/task-state.h).
const taskDead = 2

func readCore(dir *os.File, tid int) (c core, err error) {
	i, err := openImage(dir, fmt.Sprintf("core-%d.img", tid), coreMagic, maxCore)
	if err != nil {
		return c, err
	}
	m, err := i.next()
	if err != nil {
		return c, i.malformed()
	}
	var task, thread []byte
	state, mode := 0, 0
	oldMode, oldFilter := -1, -1 // of CRIU before 3.0, which replace those of the thread
	c.filter = -1
	err = fieldsOf(m, nil, map[int]*[]byte{3: &task, 5: &thread})
	if err == nil {
		err = fieldsOf(task, map[int]*int{1: &state, 11: &oldMode, 12: &oldFilter}, nil)
	}
	if err == nil {
		err = fieldsOf(thread, map[int]*int{11: &mode, 12: &c.filter}, nil)
	}
	if err != nil || oldMode != -1 || oldFilter != -1 {
		return c, i.malformed()
	}
	if mode != unix.SECCOMP_MODE_FILTER {
		c.filter = -1
	}
	c.dead = state == taskDead
	return c, nil
}

// readThreads calls visit for the threads of a process. A thread without filters has those that
// the main thread installs in all threads (SECCOMP_FILTER_FLAG_TSYNC).
func readThreads(dir *os.File, tids []int, filters []Filter, visit func(Thread) error) error {
	var shared []Filter
	for _, tid := range tids {
		c, err := readCore(dir, tid)
		if err != nil {
			return err
		}
		if c.dead {
			continue
		}
		own, err := chain(filters, c.filter)
		if err != nil {
			return fmt.Errorf("read image: thread %d: %w", tid, err)
		}
		if tid == tids[0] {
			shared = slices.DeleteFunc(slices.Clone(own), func(f Filter) bool { return f.Flags&unix.SECCOMP_FILTER_FLAG_TSYNC == 0 })
		}
		if c.filter == -1 {
			own = shared
		}
		if err := visit(Thread{tid, own}); err != nil {
			return err
		}
	}
	return nil
}

// filtersMost is how many filters a thread can have: the kernel counts four instructions for
// each, plus its own, and takes 32768 (MAX_INSNS_PER_PATH in kernel/seccomp.c).
const filtersMost = 32768/5 + 1

// chain returns a filter and those that are installed with it.
func chain(filters []Filter, index int) (list []Filter, err error) {
	for index != -1 {
		if index >= len(filters) || len(list) == filtersMost {
			return nil, errMalformed
		}
		list = append(list, filters[index])
		index = filters[index].prev
	}
	return list, nil
}
