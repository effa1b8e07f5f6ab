package stub

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Sendfile queues sendfile(2) from the current offset of the descriptor in.
func (p *Proc) Sendfile(out, in *Value, count uint64) *Value {
	return p.queue("sendfile", unix.SYS_SENDFILE, val(out), val(in), hex(0), num(count))
}

// Lseek queues lseek(2); Int64 returns the offset.
func (p *Proc) Lseek(fd *Value, offset int64, whence int) *Value {
	if !p.narrow {
		return p.queue("lseek", sysLseek, val(fd), num(offset), num(whence))
	}
	at := make([]byte, 8)
	v := p.queue("lseek", sysLseek, val(fd), num(uint32(offset>>32)), num(uint32(offset)), output(at), num(whence))
	v.wide = at
	return v
}

// Ftruncate queues ftruncate(2).
func (p *Proc) Ftruncate(fd *Value, size int64) *Value {
	if p.narrow {
		return p.queue("ftruncate", sysFtruncate, val(fd), num(uint32(size)), num(uint32(size>>32)))
	}
	return p.queue("ftruncate", sysFtruncate, val(fd), num(size))
}

// Linkat queues linkat(2), which follows no symbolic link at the end of a path.
func (p *Proc) Linkat(dir *Value, path string, newDir *Value, newPath string) *Value {
	return p.queue("linkat", unix.SYS_LINKAT, val(dir), p.str(path), val(newDir), p.str(newPath), num(0))
}

// Utimensat queues utimensat(2) with the times of a Stat.
func (p *Proc) Utimensat(dir *Value, path string, st *Stat, flags int) *Value {
	times := data(append(st.time(atimeAt), st.time(mtimeAt)...))
	return p.queue("utimensat", sysUtimensat, val(dir), p.str(path), times, hex(flags))
}

// Flistxattr queues flistxattr(2); dst is filled by Do.
func (p *Proc) Flistxattr(fd *Value, dst []byte) *Value {
	return p.queue("flistxattr", unix.SYS_FLISTXATTR, val(fd), output(dst), num(len(dst)))
}

// Fgetxattr queues fgetxattr(2); dst is filled by Do.
func (p *Proc) Fgetxattr(fd *Value, name string, dst []byte) *Value {
	return p.queue("fgetxattr", unix.SYS_FGETXATTR, val(fd), p.str(name), output(dst), num(len(dst)))
}

// Fsetxattr queues fsetxattr(2).
func (p *Proc) Fsetxattr(fd *Value, name string, value []byte) *Value {
	return p.queue("fsetxattr", unix.SYS_FSETXATTR, val(fd), p.str(name), data(value), num(len(value)), num(0))
}

// Offsets in struct statx.
const (
	atimeAt = 64
	mtimeAt = 112
)

// time returns a time as the struct timespec of a 64-bit kernel.
func (s *Stat) time(at int) []byte {
	ne := binary.NativeEndian
	return words(ne.Uint64(s.raw[at:]), uint64(ne.Uint32(s.raw[at+8:])))
}

// Size returns the size in bytes.
func (s *Stat) Size() int64 { return int64(binary.NativeEndian.Uint64(s.raw[40:])) }

// Blocks returns the number of blocks of 512 bytes that the file takes.
func (s *Stat) Blocks() int64 { return int64(binary.NativeEndian.Uint64(s.raw[48:])) }

// Nlink returns the number of hard links.
func (s *Stat) Nlink() uint32 { return binary.NativeEndian.Uint32(s.raw[16:]) }

// Inode identifies the file: device and inode number.
func (s *Stat) Inode() [3]uint64 {
	ne := binary.NativeEndian
	return [3]uint64{uint64(ne.Uint32(s.raw[136:])), uint64(ne.Uint32(s.raw[140:])), ne.Uint64(s.raw[32:])}
}
