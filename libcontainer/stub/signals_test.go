package stub

import (
	"os/signal"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestIgnoredSignals(t *testing.T) {
	const sig = unix.SIGTTOU
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
