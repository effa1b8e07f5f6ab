package rootfs

import (
	"slices"
	"testing"

	"github.com/berth-oci/berth/internal/mountinfo"
)

func TestOnRoot(t *testing.T) {
	const text = `19 20 0:9 / /early rw - tmpfs tmpfs rw
1 0 0:1 / / rw - rootfs rootfs rw
20 1 0:2 / / rw shared:1 - ext4 /dev/vda rw
21 20 0:3 / /proc rw - proc proc rw
22 21 0:4 / /proc rw - proc proc rw
23 20 0:5 / /a\040b\134c rw - tmpfs tmpfs rw
24 23 0:6 / /a\040b\134c/below rw - tmpfs tmpfs rw
25 22 0:7 / /proc/sys/fs/binfmt_misc rw - binfmt_misc none rw
`
	if got, want := onRoot(mountinfo.Parse(text)), []string{"early", "proc", "proc", `a b\c`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := onRoot(nil); len(got) != 0 {
		t.Errorf("empty list: %q", got)
	}
}
