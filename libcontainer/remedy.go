package libcontainer

import (
	"fmt"

	"github.com/berth-oci/berth/internal/probe"
)

// explainDenied adds to an error that the kernel, or a seccomp filter around this
// process, lacks system calls.
func explainDenied(err error) error {
	if text := probe.ExplainDenied(err); text != "" {
		return fmt.Errorf("%w (%s)", err, text)
	}
	return err
}
