package setup

import (
	"golang.org/x/sys/unix"
)

// startSession detaches the stub from the caller's session and terminal.
func startSession(r *run) error {
	r.stub.Setsid()
	r.stub.Umask(0)
	return nil
}

// joinKeyring joins the container's session keyring; the kernel makes it if it does
// not exist. With the caller's keyring the program could read the caller's keys, so
// EDQUOT is an error, although other processes of the same user can cause it.
func joinKeyring(r *run) error {
	r.stub.Label("join session keyring")
	// A kernel without CONFIG_KEYS has no keyring to share.
	r.stub.JoinSessionKeyring("_ses." + r.id).MayFail(unix.ENOSYS).Remedy(remedyKeyring)
	r.stub.Label("")
	return nil
}

// remedyKeyring explains an errno of KEYCTL_JOIN_SESSION_KEYRING (keyctl(2)).
func remedyKeyring(e unix.Errno) string {
	switch e {
	case unix.EDQUOT:
		return "the keys of the container's root and of other processes with the same user id on the host reach kernel.keys.maxkeys or kernel.keys.maxbytes; --no-new-keyring keeps the caller's keyring"
	case unix.EPERM, unix.EACCES:
		return "a seccomp filter can deny it; --no-new-keyring keeps the caller's keyring"
	}
	return ""
}
