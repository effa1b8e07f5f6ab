package probe

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

func TestInUserNamespace(t *testing.T) {
	link, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		t.Skip(err)
	}
	if want := link != "user:[4026531837]"; InUserNamespace() != want {
		t.Errorf("InUserNamespace of %s: %t", link, !want)
	}
	if notInitial("/proc/does-not-exist") {
		t.Error("without a procfs: true")
	}
}

// A map of all ids to themselves does not make a user namespace the initial one.
func TestIdentityMapIsNotTheInitialUserNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to map all ids")
	}
	ids := uint32(1<<32 - 1)
	if int64(int(ids)) != int64(ids) {
		t.Skip("package syscall has no map of all ids on a 32-bit system")
	}
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: int(ids)}}
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all}
	if err := cmd.Start(); err != nil {
		t.Skip("no user namespace with all ids: ", err)
	}
	defer func() {
		cmd.Process.Kill() //nolint:errcheck // it is waited for
		cmd.Wait()         //nolint:errcheck // it was killed
	}()
	if !notInitial("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/ns/user") {
		t.Error("taken for the initial user namespace")
	}
}
