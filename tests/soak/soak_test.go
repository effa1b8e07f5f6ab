package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestGrowthIsFound(t *testing.T) {
	before := size{"unreclaimable slab": 1000, "dying cgroups": 5}
	if found := compareSizes(10000, before, size{"unreclaimable slab": 1000 + 64<<10, "dying cgroups": 205}); len(found) != 0 {
		t.Errorf("within the limits: %q", found)
	}
	leak := size{"unreclaimable slab": 1000 + 10000*10, "dying cgroups": 5 + 10000}
	if found := compareSizes(10000, before, leak); len(found) != 2 {
		t.Errorf("10 KiB and a cgroup for each container: %q", found)
	}
	if found := compareCounts(count{"mounts": 3, "keys": 0}, count{"mounts": 4, "keys": 0}); len(found) != 1 {
		t.Errorf("a mount: %q", found)
	}
}

func TestSomeAreKilled(t *testing.T) {
	killed := 0
	for i := range uint64(800) {
		if d := killTime(rand.New(rand.NewPCG(1, i))); d > 0 {
			killed++
			if d > 40*time.Millisecond {
				t.Errorf("after %s", d)
			}
		}
	}
	if killed < 50 || killed > 150 {
		t.Errorf("%d of 800 are killed", killed)
	}
}

func TestMedian(t *testing.T) {
	if got := median([]time.Duration{3 * time.Second, time.Second, 2 * time.Second}); got != 2*time.Second {
		t.Errorf("got %s", got)
	}
}
