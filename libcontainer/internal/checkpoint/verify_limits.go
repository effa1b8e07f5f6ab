package checkpoint

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// verifyLimits compares a thread with process.rlimits and process.oomScoreAdj, unless the
// capability that exceeds them is allowed.
func verifyLimits(tid int, p *config.Process) error {
	if all(&p.Capabilities)&(1<<unix.CAP_SYS_RESOURCE) != 0 {
		return nil
	}
	for _, want := range p.Rlimits {
		var got unix.Rlimit
		if err := unix.Prlimit(tid, want.Resource, nil, &got); err != nil {
			return fmt.Errorf("%s: prlimit: %w", want.Field, err)
		}
		if got.Max > want.Hard {
			return fmt.Errorf("%s: its hard limit is %d, not %d", want.Field, got.Max, want.Hard)
		}
	}
	if p.OOMScoreAdj == nil {
		return nil
	}
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", tid))
	if err != nil {
		return err
	}
	got, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil && got < *p.OOMScoreAdj {
		err = fmt.Errorf("process.oomScoreAdj: it has %d, not %d", got, *p.OOMScoreAdj)
	}
	return err
}
