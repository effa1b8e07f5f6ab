package probe

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Admin reports whether this process has CAP_SYS_ADMIN in its effective set.
func Admin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	err := unix.Capget(&header, &sets[0])
	return err == nil && sets[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// userNamespaceSettings are the sysctls, with values, that deny user namespaces
// to unprivileged users: Debian's, and AppArmor's (Ubuntu 23.10).
var userNamespaceSettings = [...]struct{ name, file, denies string }{
	{"kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "0"},
	{"kernel.apparmor_restrict_unprivileged_userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"},
}

// UserNamespacesDenied returns the setting that denies user namespaces to
// unprivileged users as NAME=VALUE, or "".
func UserNamespacesDenied() string {
	for _, s := range userNamespaceSettings {
		text, err := sys.ReadFile(s.file)
		if err == nil && string(bytes.TrimSpace(text)) == s.denies {
			return s.name + "=" + s.denies
		}
	}
	return ""
}
