package cgroupfs

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSharesToWeight(t *testing.T) {
	for shares, want := range map[uint64]uint64{
		0: 1, 1: 1, 2: 1, 100: 17, 512: 59, 1024: 100, 2048: 174, 262144: 10000, 1 << 40: 10000,
	} {
		if got := SharesToWeight(shares); got != want {
			t.Errorf("SharesToWeight(%d) = %d, want %d", shares, got, want)
		}
	}
	last := uint64(0)
	for s := uint64(2); s <= MaxShares; s += 7 {
		got := SharesToWeight(s)
		if got < last || got < 1 || got > 10000 {
			t.Fatalf("SharesToWeight(%d) = %d after %d", s, got, last)
		}
		last = got
	}
}

func TestIOWeight(t *testing.T) {
	for w, want := range map[uint16]uint64{10: 1, 100: 910, 500: 4950, 1000: 10000} {
		if got := IOWeight(w); got != want {
			t.Errorf("IOWeight(%d) = %d, want %d", w, got, want)
		}
	}
}

func TestSwapLimit(t *testing.T) {
	for _, c := range []struct{ swap, memory, want int64 }{
		{300, 100, 200}, {100, 100, 0}, {-1, 100, -1}, {-1, -1, -1},
	} {
		if got, err := SwapLimit(c.swap, c.memory); got != c.want || err != nil {
			t.Errorf("SwapLimit(%d, %d) = %d, %v, want %d", c.swap, c.memory, got, err, c.want)
		}
	}
	for _, c := range []struct{ swap, memory int64 }{{99, 100}, {100, -1}} {
		if _, err := SwapLimit(c.swap, c.memory); !errors.Is(err, unix.EINVAL) {
			t.Errorf("SwapLimit(%d, %d): error %v, want EINVAL", c.swap, c.memory, err)
		}
	}
}

func TestPidsLimit(t *testing.T) {
	for n, want := range map[int64]string{-1: "max", -5: "max", 0: "1", 1: "1", 32771: "32771"} {
		if got := PidsLimit(n); got != want {
			t.Errorf("PidsLimit(%d) = %q, want %q", n, got, want)
		}
	}
}
