package rootfs

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/libcontainer/config"
)

// TestDetachEach: the mounts of a failed "mounts add" may be 100,000, and so may the lines of
// their list.
func TestDetachEach(t *testing.T) {
	const n = 1000
	var ids []string
	for i := range n {
		ids = append(ids, strconv.Itoa(i))
	}
	// The container has moved one mount, and unmounted another, after the first reading.
	now := func(reads int) (list []mountinfo.Mount) {
		for i, id := range ids {
			m := mountinfo.Mount{ID: id, Point: "/" + id}
			switch {
			case reads > 1 && i == 500:
				m.Point = "/moved"
			case reads > 1 && i == 700:
				continue
			}
			list = append(list, m)
		}
		return list
	}
	reads := 0
	var detached []string
	err := detachEach(ids, func() ([]mountinfo.Mount, error) {
		reads++
		return now(reads), nil
	}, func(m mountinfo.Mount) error {
		if m.Point == "/500" || m.Point == "/700" {
			return errors.New("it is not there")
		}
		detached = append(detached, m.Point)
		return nil
	})
	if err != nil || reads != 2 || len(detached) != n-1 || detached[0] != "/999" || !slices.Contains(detached, "/moved") {
		t.Errorf("%v, read %d times, detached %d", err, reads, len(detached))
	}
	wrong := errors.New("no")
	if err := detachEach(ids[:1], func() ([]mountinfo.Mount, error) { return now(1), nil }, func(mountinfo.Mount) error { return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	if err := detachEach(ids[:1], func() ([]mountinfo.Mount, error) { return nil, wrong }, nil); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

func TestPoints(t *testing.T) {
	cfg := &config.Config{}
	for _, point := range []string{"/", "/a", "/ab", "/a/b", "/a/b/c", "/c/d", "/cd", "/e"} {
		cfg.Mounts = append(cfg.Mounts, config.Mount{Destination: point, Remount: point == "/e"})
	}
	var got []string
	for _, op := range Points(cfg) {
		got = append(got, op.(*pointOp).Destination)
	}
	if want := []string{"/a", "/ab", "/c/d", "/cd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyPoints counts nothing: a comparison of all mounts with all takes an hour.
func TestManyPoints(t *testing.T) {
	cfg := &config.Config{Mounts: make([]config.Mount, 200_000)}
	for i := range cfg.Mounts {
		cfg.Mounts[i].Destination = "/m/" + strconv.Itoa(i)
	}
	if n := len(Points(cfg)); n != len(cfg.Mounts) {
		t.Errorf("%d points", n)
	}
	var list []mountinfo.Mount
	for i := range 200_000 {
		list = append(list, mountinfo.Mount{ID: strconv.Itoa(i + 1), Parent: strconv.Itoa(i), Point: "/m"})
	}
	slices.Reverse(list)
	if found, top, ok := Find(list, "1", "0"); !ok || found.ID != "1" || top.ID != "200000" {
		t.Errorf("%v, %v, %v", found, top, ok)
	}
}
