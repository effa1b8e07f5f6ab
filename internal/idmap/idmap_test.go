package idmap

import (
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func ranges(n ...uint32) Mapping {
	var m Mapping
	for ; len(n) >= 3; n = n[3:] {
		m = append(m, specs.LinuxIDMapping{ContainerID: n[0], HostID: n[1], Size: n[2]})
	}
	return m
}

func TestToHost(t *testing.T) {
	m := ranges(0, 1000, 1, 1, 100000, 10, 4000000000, 5, 100)
	for _, c := range []struct {
		id, want uint32
		ok       bool
	}{{0, 1000, true}, {1, 100000, true}, {10, 100009, true}, {11, 0, false}, {4000000099, 104, true}, {4000000100, 0, false}} {
		if got, ok := ToHost(m, c.id); got != c.want || ok != c.ok {
			t.Errorf("%d: %d, %v", c.id, got, ok)
		}
	}
}

func TestEqual(t *testing.T) {
	cases := []struct {
		a, b Mapping
		want bool
	}{
		{ranges(0, 1, 2, 2, 3, 5), ranges(0, 1, 7), true},
		{ranges(2, 3, 5, 0, 1, 2), ranges(0, 1, 7), true},
		{ranges(0, 1, 2, 2, 4, 5), ranges(0, 1, 7), false},
		{ranges(0, 1, 2), ranges(0, 1, 3), false},
		{nil, nil, true},
	}
	for _, c := range cases {
		if Equal(c.a, c.b) != c.want {
			t.Errorf("%v, %v: %v", c.a, c.b, !c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	m, err := decode("         0     100000      65536\n     65536 4294967295          1\n")
	if err != nil || !reflect.DeepEqual(m, ranges(0, 100000, 65536, 65536, 4294967295, 1)) {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := decode("0 1 1\nx 1 1\n"); err == nil || !strings.Contains(err.Error(), `"x 1 1\n"`) {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := decode(encode(m)); err != nil || !Equal(m, ranges(0, 100000, 65536, 65536, 4294967295, 1)) {
		t.Errorf("%v, %v", m, err)
	}
}

func TestString(t *testing.T) {
	if got := String(ranges(0, 1000, 1, 1, 100000, 10)); got != "0 is 1000, 1-10 is 100000-100009" {
		t.Error(got)
	}
	if got := String(nil); got != "nothing" {
		t.Error(got)
	}
}

func TestGrants(t *testing.T) {
	text := "a:100000:65536\n# a:1:1\nb:1:1\n\na:300000:10\n1000:5:6\na:x:1\na:1\n"
	got := grants(text, "a", "1000")
	if want := ranges(0, 100000, 65536, 0, 300000, 10, 0, 5, 6); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		r    Mapping
		want bool
	}{
		{ranges(0, 100000, 65536), true},
		{ranges(0, 100000, 65537), false},
		{ranges(0, 300009, 1), true},
		{ranges(0, 99999, 2), false},
	} {
		if covered(got, c.r[0]) != c.want {
			t.Errorf("%v: %v", c.r, !c.want)
		}
	}
}
