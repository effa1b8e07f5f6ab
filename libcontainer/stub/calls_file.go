package stub

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// words encodes a struct of 64-bit fields.
func words(fields ...uint64) []byte {
	b := make([]byte, 0, 8*len(fields))
	for _, f := range fields {
		b = binary.NativeEndian.AppendUint64(b, f)
	}
	return b
}

// Openat queues openat(2).
func (p *Proc) Openat(dir *Value, path string, flags int, mode uint32) *Value {
	return p.queue("openat", unix.SYS_OPENAT, val(dir), p.str(path), hex(flags), num(mode))
}

// Openat2 queues openat2(2) with RESOLVE_* flags. Below a directory, the kernel
// returns EAGAIN on the way through ".." if anything on the host was renamed or
// mounted meanwhile: the stub tries the call again.
func (p *Proc) Openat2(dir *Value, path string, flags int, resolve uint64) *Value {
	how := data(words(uint64(flags), 0, resolve))
	how.s = "{flags=" + hex(flags).String() + ", resolve=" + hex(resolve).String() + "}"
	return p.queue("openat2", unix.SYS_OPENAT2, val(dir), p.str(path), how, num(unix.SizeofOpenHow)).flag(flagAgain)
}

// OpenInRoot opens a path in the container: as if root were "/", and through no
// magic link of procfs. RESOLVE_IN_ROOT alone may allow those one day
// (openat2(2)).
func (p *Proc) OpenInRoot(root *Value, path string, flags int) *Value {
	return p.Openat2(root, path, flags|unix.O_CLOEXEC, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
}

// CloseFd queues close(2).
func (p *Proc) CloseFd(fd *Value) *Value { return p.queue("close", unix.SYS_CLOSE, val(fd)) }

// CloseRange queues close_range(2); last -1 is the highest possible.
func (p *Proc) CloseRange(first, last int) *Value {
	return p.queue("close_range", unix.SYS_CLOSE_RANGE, num(first), num(uint32(last)), num(0))
}

// Dup3 queues dup3(2).
func (p *Proc) Dup3(from, to *Value, flags int) *Value {
	return p.queue("dup3", unix.SYS_DUP3, val(from), val(to), hex(flags))
}

// Fcntl queues fcntl(2) with an integer argument.
func (p *Proc) Fcntl(fd *Value, cmd, arg int) *Value {
	return p.queue("fcntl", unix.SYS_FCNTL, val(fd), num(cmd), num(arg))
}

// Write queues write(2) of all of s.
func (p *Proc) Write(fd *Value, s string) *Value {
	return p.queue("write", unix.SYS_WRITE, val(fd), p.str(s), num(len(s)))
}

// WriteBytes queues write(2) of all of b, which may have any bytes.
func (p *Proc) WriteBytes(fd *Value, b []byte) *Value {
	return p.queue("write", unix.SYS_WRITE, val(fd), data(b), num(len(b)))
}

// Read queues read(2); dst is filled by Do.
func (p *Proc) Read(fd *Value, dst []byte) *Value {
	return p.queue("read", unix.SYS_READ, val(fd), output(dst), num(len(dst)))
}

// Getdents64 queues getdents64(2); dst is filled by Do.
func (p *Proc) Getdents64(fd *Value, dst []byte) *Value {
	return p.queue("getdents64", unix.SYS_GETDENTS64, val(fd), output(dst), num(len(dst)))
}

// Ioctl queues ioctl(2) with a struct that the kernel reads and writes.
func (p *Proc) Ioctl(fd *Value, request uint, b []byte) *Value {
	return p.queue("ioctl", unix.SYS_IOCTL, val(fd), hex(uint64(request)), inout(b))
}

// IoctlInt queues ioctl(2) with an integer argument.
func (p *Proc) IoctlInt(fd *Value, request uint, arg int) *Value {
	return p.queue("ioctl", unix.SYS_IOCTL, val(fd), hex(uint64(request)), num(arg))
}

// Mkdirat queues mkdirat(2).
func (p *Proc) Mkdirat(dir *Value, path string, mode uint32) *Value {
	return p.queue("mkdirat", unix.SYS_MKDIRAT, val(dir), p.str(path), num(mode))
}

// Mknodat queues mknodat(2).
func (p *Proc) Mknodat(dir *Value, path string, mode uint32, dev uint64) *Value {
	return p.queue("mknodat", unix.SYS_MKNODAT, val(dir), p.str(path), hex(mode), hex(dev))
}

// Symlinkat queues symlinkat(2).
func (p *Proc) Symlinkat(target string, dir *Value, path string) *Value {
	return p.queue("symlinkat", unix.SYS_SYMLINKAT, p.str(target), val(dir), p.str(path))
}

// Unlinkat queues unlinkat(2).
func (p *Proc) Unlinkat(dir *Value, path string, flags int) *Value {
	return p.queue("unlinkat", unix.SYS_UNLINKAT, val(dir), p.str(path), hex(flags))
}

// Fchownat queues fchownat(2); -1 leaves an id as it is.
func (p *Proc) Fchownat(dir *Value, path string, uid, gid int, flags int) *Value {
	return p.queue("fchownat", unix.SYS_FCHOWNAT, val(dir), p.str(path), num(uint32(uid)), num(uint32(gid)), hex(flags))
}

// Fchmodat queues fchmodat(2), which follows a symbolic link.
func (p *Proc) Fchmodat(dir *Value, path string, mode uint32) *Value {
	return p.queue("fchmodat", unix.SYS_FCHMODAT, val(dir), p.str(path), hex(mode))
}

// Readlinkat queues readlinkat(2); dst is filled by Do.
func (p *Proc) Readlinkat(dir *Value, path string, dst []byte) *Value {
	return p.queue("readlinkat", unix.SYS_READLINKAT, val(dir), p.str(path), output(dst), num(len(dst)))
}

// Faccessat2 queues faccessat2(2).
func (p *Proc) Faccessat2(dir *Value, path string, mode uint32, flags int) *Value {
	return p.queue("faccessat2", unix.SYS_FACCESSAT2, val(dir), p.str(path), num(mode), hex(flags))
}

// Getcwd queues getcwd(2); dst is filled by Do.
func (p *Proc) Getcwd(dst []byte) *Value {
	return p.queue("getcwd", unix.SYS_GETCWD, output(dst), num(len(dst)))
}

// Chdir queues chdir(2).
func (p *Proc) Chdir(path string) *Value { return p.queue("chdir", unix.SYS_CHDIR, p.str(path)) }

// Fchdir queues fchdir(2).
func (p *Proc) Fchdir(fd *Value) *Value { return p.queue("fchdir", unix.SYS_FCHDIR, val(fd)) }

// Stat is the result of Statx.
type Stat struct {
	raw [256]byte
}

// Statx queues statx(2) for the basic fields; the Stat is filled by Do.
func (p *Proc) Statx(dir *Value, path string, flags int) (*Stat, *Value) {
	st := new(Stat)
	return st, p.queue("statx", unix.SYS_STATX, val(dir), p.str(path), hex(flags), hex(unix.STATX_BASIC_STATS), output(st.raw[:]))
}

// StatxMount queues statx(2) of the file that fd refers to, for the ID of its
// mount.
func (p *Proc) StatxMount(fd *Value) *Stat {
	st := new(Stat)
	p.queue("statx", unix.SYS_STATX, val(fd), p.str(""), hex(unix.AT_EMPTY_PATH), hex(unix.STATX_MNT_ID), output(st.raw[:]))
	return st
}

// MountID returns the ID of the mount, as in mountinfo (Linux 5.8).
func (s *Stat) MountID() uint64 { return binary.NativeEndian.Uint64(s.raw[144:]) }

// Mode returns the type and permissions, as st_mode.
func (s *Stat) Mode() uint32 { return uint32(binary.NativeEndian.Uint16(s.raw[28:])) }

// UID returns the owner.
func (s *Stat) UID() uint32 { return binary.NativeEndian.Uint32(s.raw[20:]) }

// GID returns the owning group.
func (s *Stat) GID() uint32 { return binary.NativeEndian.Uint32(s.raw[24:]) }

// Rdev returns the major and minor number of a device node.
func (s *Stat) Rdev() (major, minor uint32) {
	return binary.NativeEndian.Uint32(s.raw[128:]), binary.NativeEndian.Uint32(s.raw[132:])
}

// sizeofStatfs64 is the size of struct statfs64, in bytes.
const sizeofStatfs64 = 84

// Statfs is the result of Fstatfs.
type Statfs struct {
	raw [120]byte
}

// Fstatfs queues fstatfs(2); the Statfs is filled by Do.
func (p *Proc) Fstatfs(fd *Value) (*Statfs, *Value) {
	st := new(Statfs)
	args := []arg{val(fd), output(st.raw[:])}
	if p.narrow {
		args = []arg{val(fd), num(sizeofStatfs64), output(st.raw[:])}
	}
	return st, p.queue("fstatfs", sysFstatfs, args...)
}

// Type returns the magic number of the file system. It comes first, and has 32
// bits (386, s390x) or 64, of which the second half is empty (little-endian ones).
func (s *Statfs) Type() uint32 { return binary.NativeEndian.Uint32(s.raw[:]) }

// Flags returns the mount's flags (ST_*).
func (s *Statfs) Flags() uint64 {
	var st unix.Statfs_t
	if _, err := binary.Decode(s.raw[:], binary.NativeEndian, &st); err != nil {
		return 0
	}
	return uint64(st.Flags)
}
