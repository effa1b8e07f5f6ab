package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
)

// VerifyFilters refuses an image with a thread that lacks the container's filter, with its
// instructions and flags. The thread may have more filters: each can only deny more. It
// must be the same filter, not one of the same meaning, which is hard to decide.
func VerifyFilters(images *os.File, filter []byte, flags uint32) error {
	return criu.Threads(images, func(t criu.Thread) error {
		if !slices.ContainsFunc(t.Filters, func(f criu.Filter) bool { return isFilter(f, filter, flags) }) {
			return fmt.Errorf("thread %d of the image: linux.seccomp: it lacks the filter of config.json as this runtime compiles it: "+
				"restore it with the config.json and the version of the runtime that it was saved with", t.ID)
		}
		return nil
	})
}

// isFilter compares a filter. Flags that an image adds must not weaken it, and the kernel
// reports one flag alone to CRIU, that of the log.
func isFilter(f criu.Filter, filter []byte, flags uint32) bool {
	const weaker, reported = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, unix.SECCOMP_FILTER_FLAG_LOG
	return bytes.Equal(f.Program, filter) && f.Flags&weaker&^flags == 0 && flags&reported&^f.Flags == 0
}
