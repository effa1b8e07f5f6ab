package checkpoint

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
)

func TestIsFilter(t *testing.T) {
	const log, weak, sync = unix.SECCOMP_FILTER_FLAG_LOG, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, unix.SECCOMP_FILTER_FLAG_TSYNC
	for _, test := range []struct {
		program      string
		image, flags uint32
		same         bool
	}{
		{"filter", 0, 0, true},
		{"filter", sync, weak, true},
		{"filter", weak, weak, true},
		{"filter", log, log, true},
		{"filter", log, 0, true},
		{"filters", 0, 0, false},
		{"Filter", 0, 0, false},
		{"", 0, 0, false},
		{"filter", weak, 0, false},
		{"filter", sync, log, false},
	} {
		if got := isFilter(criu.Filter{Program: []byte(test.program), Flags: test.image}, []byte("filter"), test.flags); got != test.same {
			t.Errorf("%+v: %t", test, got)
		}
	}
}
