package stub

import "golang.org/x/sys/unix"

// Mount queues mount(2); empty strings are passed as null pointers.
func (p *Proc) Mount(source, target, fstype string, flags uint64, data string) *Value {
	return p.queue("mount", unix.SYS_MOUNT, p.optional(source), p.str(target), p.optional(fstype), hex(flags), p.optional(data))
}

// optional is a string that may be absent.
func (p *Proc) optional(s string) arg {
	if s == "" {
		return arg{kind: argHex}
	}
	return p.str(s)
}

// Umount2 queues umount2(2).
func (p *Proc) Umount2(path string, flags int) *Value {
	return p.queue("umount2", unix.SYS_UMOUNT2, p.str(path), hex(flags))
}

// PivotRoot queues pivot_root(2).
func (p *Proc) PivotRoot(newRoot, putOld string) *Value {
	return p.queue("pivot_root", unix.SYS_PIVOT_ROOT, p.str(newRoot), p.str(putOld))
}

// Chroot queues chroot(2).
func (p *Proc) Chroot(path string) *Value { return p.queue("chroot", unix.SYS_CHROOT, p.str(path)) }

// OpenTree queues open_tree(2).
func (p *Proc) OpenTree(dir *Value, path string, flags uint) *Value {
	return p.queue("open_tree", unix.SYS_OPEN_TREE, val(dir), p.str(path), hex(uint64(flags)))
}

// MoveMount queues move_mount(2) of the mount at fd onto the target.
func (p *Proc) MoveMount(fd, target *Value) *Value {
	return p.queue("move_mount", unix.SYS_MOVE_MOUNT, val(fd), p.str(""), val(target), p.str(""),
		hex(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
}

// MountSetattr queues mount_setattr(2) on the mount at fd; flags are
// AT_EMPTY_PATH with or without AT_RECURSIVE.
func (p *Proc) MountSetattr(fd *Value, flags int, set, clear, propagation uint64) *Value {
	attr := data(words(set, clear, propagation, 0))
	attr.s = "{set=" + hex(set).String() + ", clr=" + hex(clear).String() + ", propagation=" + hex(propagation).String() + "}"
	return p.queue("mount_setattr", unix.SYS_MOUNT_SETATTR, val(fd), p.str(""), hex(flags|unix.AT_EMPTY_PATH), attr, num(32))
}

// Fsopen queues fsopen(2).
func (p *Proc) Fsopen(fstype string) *Value {
	return p.queue("fsopen", unix.SYS_FSOPEN, p.str(fstype), hex(unix.FSOPEN_CLOEXEC))
}

// FsconfigString queues fsconfig(2) for a parameter with a value.
func (p *Proc) FsconfigString(fs *Value, key, value string) *Value {
	return p.queue("fsconfig", unix.SYS_FSCONFIG, val(fs), num(unix.FSCONFIG_SET_STRING), p.str(key), p.str(value), num(0))
}

// FsconfigFlag queues fsconfig(2) for a parameter without a value.
func (p *Proc) FsconfigFlag(fs *Value, key string) *Value {
	return p.queue("fsconfig", unix.SYS_FSCONFIG, val(fs), num(unix.FSCONFIG_SET_FLAG), p.str(key), hex(0), num(0))
}

// FsconfigCreate queues fsconfig(2) with FSCONFIG_CMD_CREATE.
func (p *Proc) FsconfigCreate(fs *Value) *Value {
	return p.queue("fsconfig", unix.SYS_FSCONFIG, val(fs), num(unix.FSCONFIG_CMD_CREATE), hex(0), hex(0), num(0))
}

// FsconfigReconfigure queues fsconfig(2) with FSCONFIG_CMD_RECONFIGURE.
func (p *Proc) FsconfigReconfigure(fs *Value) *Value {
	return p.queue("fsconfig", unix.SYS_FSCONFIG, val(fs), num(unix.FSCONFIG_CMD_RECONFIGURE), hex(0), hex(0), num(0))
}

// Fspick queues fspick(2) of the file system with its root at fd.
func (p *Proc) Fspick(fd *Value) *Value {
	return p.queue("fspick", unix.SYS_FSPICK, val(fd), p.str(""), hex(unix.FSPICK_CLOEXEC|unix.FSPICK_EMPTY_PATH))
}

// Fsmount queues fsmount(2) with MOUNT_ATTR_* flags.
func (p *Proc) Fsmount(fs *Value, attr uint64) *Value {
	return p.queue("fsmount", unix.SYS_FSMOUNT, val(fs), hex(unix.FSMOUNT_CLOEXEC), hex(attr))
}
