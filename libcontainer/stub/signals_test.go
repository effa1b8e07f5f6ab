package stub

import (
	"os"
	"os/signal"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestIgnoredSignals(t *testing.T) {
	const sig = unix.SIGTTOU
	t.Cleanup(func() {
		// Reset alone leaves the kernel's action as it is.
		signal.Notify(make(chan os.Signal, 1), sig)
		signal.Reset(sig)
	})
	for _, want := range []bool{false, true} {
		if want {
			signal.Ignore(sig)
		}
		ignored, err := ignoredSignals()
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(ignored, int(sig)); got != want {
			t.Errorf("%s ignored: %t, want %t (%v)", sig, got, want, ignored)
		}
	}
}
