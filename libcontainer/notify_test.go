package libcontainer

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// The container may have write access to the directory of the socket.
func TestOpenToAllFollowsNoLink(t *testing.T) {
	path := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := os.Symlink(outside, filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(outside, filepath.Join(path, "file")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "file", "none"} {
		if err := openToAll(dir, name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	sock, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(sock)
	if err := unix.Bind(sock, state.Address(dir, "socket")); err != nil {
		t.Fatal(err)
	}
	if err := openToAll(dir, "socket"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]os.FileMode{outside: 0o600, filepath.Join(path, "socket"): os.ModeSocket | 0o777} {
		if st, err := os.Stat(name); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}
