package rootfs

import (
	"testing"

	"github.com/berth-oci/berth/internal/mountinfo"
)

func TestFind(t *testing.T) {
	const text = `20 1 254:0 / / rw - ext4 /dev/vda rw
30 20 254:0 /b/rootfs /b/rootfs rw - ext4 /dev/vda rw
31 30 0:5 / /b/rootfs/proc rw - proc proc rw
32 30 0:6 / /b/rootfs rw - tmpfs stacked rw
33 32 0:7 / /b/rootfs rw - tmpfs again rw
40 20 0:8 / /c rw - tmpfs others rw
`
	list := mountinfo.Parse(text)
	for _, c := range []struct {
		id, parent, found, top string
	}{
		{"30", "20", "30", "33"},
		{"31", "30", "31", "31"},
		{"40", "20", "40", "40"},
		{"30", "1", "", ""},
		{"50", "20", "", ""},
	} {
		found, top, ok := Find(list, c.id, c.parent)
		if found.ID != c.found || top.ID != c.top || ok != (c.found != "") {
			t.Errorf("%s on %s: %s, on top %s, %t", c.id, c.parent, found.ID, top.ID, ok)
		}
	}
}
