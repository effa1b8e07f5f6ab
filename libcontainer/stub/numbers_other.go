//go:build !386

package stub

import "golang.org/x/sys/unix"

// Numbers of the calls that 386 has in two forms.
const (
	sysFstatfs   = unix.SYS_FSTATFS
	sysFtruncate = unix.SYS_FTRUNCATE
	sysLseek     = unix.SYS_LSEEK
	sysSetgroups = unix.SYS_SETGROUPS
	sysSetresgid = unix.SYS_SETRESGID
	sysSetresuid = unix.SYS_SETRESUID
	sysUtimensat = unix.SYS_UTIMENSAT
)
