package cgroupfs

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestPageSizes(t *testing.T) {
	for size, ok := range map[string]bool{
		"2MB": true, "64KB": true, "1GB": true, "1048576KB": true,
		"": false, "MB": false, "2M": false, "2B": false, "2MBB": false, "0MB": false, "02MB": false, "2mb": false, "2 MB": false, "2TB": false, "../2MB": false,
	} {
		_, err := HugetlbWrites("/nowhere", "max", []specs.LinuxHugepageLimit{{Pagesize: size}})
		if ok != (err == nil) {
			t.Errorf("%q: %v", size, err)
		}
	}
}
