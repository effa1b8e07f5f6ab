package setup

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOnlyAListenerIsSent sends another descriptor of the stub: its number comes from the
// region, which the container's process can change.
func TestOnlyAListenerIsSent(t *testing.T) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	self := os.NewFile(uintptr(fd), "pidfd")
	defer self.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	err = (&run{}).sendListener(nil, self, int(null.Fd()))
	if err == nil || !strings.Contains(err.Error(), `is not a seccomp listener: "/dev/null"`) {
		t.Errorf("error %v", err)
	}
}
