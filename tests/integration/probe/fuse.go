package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// mountFuse mounts a FUSE file system on a directory and returns the descriptor of its
// server.
func mountFuse(dir string) (int, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR, 0)
	if err != nil {
		return -1, err
	}
	return fd, unix.Mount("probe", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd))
}

// stall mounts a file system on a directory that never answers: its server sleeps.
func stall(dir string) error {
	if _, err := mountFuse(dir); err != nil {
		return err
	}
	fmt.Println("mounted")
	for {
		time.Sleep(time.Hour)
	}
}

// Calls of linux/fuse.h.
const (
	fuseLookup  = 1
	fuseForget  = 2
	fuseGetattr = 3
	fuseOpen    = 14
	fuseStatfs  = 17
	fuseInit    = 26
	fuseIoctl   = 39
)

// silent mounts a file system on a directory. Its server answers for the root, and reads
// but does not answer any other call: a process that looks up a name waits, and cannot
// be killed.
func silent(dir string) error {
	return serveFuse(dir, func(call uint32, node uint64) ([]byte, bool) {
		known := call == fuseInit || call == fuseGetattr && node == 1
		return answerFuse(call, node, 0), known
	})
}

// fakeTerminals mounts a file system on a directory. Every name exists in it, as a file
// on which all ioctls return a number.
func fakeTerminals(dir, number string) error {
	result, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return err
	}
	return serveFuse(dir, func(call uint32, node uint64) ([]byte, bool) { return answerFuse(call, node, uint32(result)), true })
}

// serveFuse mounts a file system on a directory and answers its calls, except those for
// which answer returns false.
func serveFuse(dir string, answer func(call uint32, node uint64) ([]byte, bool)) error {
	fd, err := mountFuse(dir)
	if err != nil {
		return err
	}
	fmt.Println("mounted")
	request := make([]byte, 256<<10)
	for {
		n, err := unix.Read(fd, request)
		if err != nil || n < 40 {
			return fmt.Errorf("read %d bytes: %w", n, err)
		}
		ne := binary.NativeEndian
		call, node := ne.Uint32(request[4:]), ne.Uint64(request[16:])
		text, known := answer(call, node)
		if call == fuseForget {
			continue
		}
		if !known {
			fmt.Println("unanswered", ne.Uint32(request[32:])) // the thread that waits
			continue
		}
		head := ne.AppendUint32(nil, uint32(16+len(text)))
		head = ne.AppendUint32(head, 0) // no error
		head = append(head, request[8:16]...)
		if _, err := unix.Write(fd, append(head, text...)); err != nil && err != unix.ENOENT {
			return err
		}
	}
}

// answerFuse returns the struct that answers a call.
func answerFuse(call uint32, node uint64, result uint32) []byte {
	ne := binary.NativeEndian
	attr := func(node uint64) []byte { // struct fuse_attr
		mode := uint32(unix.S_IFREG | 0o666)
		if node == 1 {
			mode = unix.S_IFDIR | 0o777
		}
		b := make([]byte, 88)
		ne.PutUint64(b, node)
		ne.PutUint32(b[60:], mode)
		ne.PutUint32(b[64:], 1) // links
		return b
	}
	switch call {
	case fuseInit:
		b := make([]byte, 64)
		ne.PutUint32(b, 7)
		ne.PutUint32(b[4:], 31)
		ne.PutUint32(b[20:], 4096) // max_write
		return b
	case fuseLookup:
		b := make([]byte, 40)
		ne.PutUint64(b, 2)
		return append(b, attr(2)...)
	case fuseGetattr:
		return append(make([]byte, 16), attr(node)...)
	case fuseOpen:
		return make([]byte, 16)
	case fuseStatfs:
		return make([]byte, 80)
	case fuseIoctl:
		return append(ne.AppendUint32(nil, result), make([]byte, 12)...)
	}
	return nil
}
