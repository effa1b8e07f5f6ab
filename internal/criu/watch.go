package criu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-oci/berth/internal/sys"
)

// stallTime is how long CRIU may make no progress before it is killed: it can wait for ever,
// for a server that does not answer or for an init that waits for CRIU, and the caller
// holds a container's lock. A variable for tests.
var stallTime = time.Minute

// looks is how often its progress is measured in that time.
const looks = 60

// watch observes a CRIU that has not answered.
type watch struct {
	conn *Conn
	work uint64    // at the last progress
	at   time.Time // of it
	// exiting is since when init exits; zero if it does not.
	exiting time.Time
}

// exitTime is how long CRIU may take to report that the restored init ends. CRIU kills it
// after an error, and waits for it; a traced child, which only CRIU can reap, keeps init
// from ending.
const exitTime = 2 * time.Second

// hopeless returns the reason why CRIU will not answer, "" if it may.
func (w *watch) hopeless() string {
	now := time.Now()
	switch {
	case !w.conn.initExits():
		w.exiting = time.Time{}
	case w.exiting.IsZero():
		w.exiting = now
	case now.Sub(w.exiting) >= exitTime:
		return "init waited for it, and it for init"
	}
	if n := w.conn.work(); n != w.work || w.conn.serving {
		w.work, w.at = n, now
	}
	if now.Sub(w.at) < stallTime {
		return ""
	}
	return fmt.Sprintf("it made no progress for %s", stallTime)
}

// initExits reports whether the restored init ends before it runs.
func (c *Conn) initExits() bool {
	if c.init == 0 {
		return false
	}
	p, err := sys.ReadProcStat(c.init)
	return err == nil && p.Exiting
}

// work returns a number that grows with the progress of CRIU, its children and the
// processes that it restores: their CPU time, and what they have read and written.
func (c *Conn) work() (sum uint64) {
	pids := []int{c.criu.Pid}
	if c.init != 0 {
		pids = append(pids, c.init)
	}
	for i := 0; i < len(pids); i++ {
		sum += workOf(pids[i])
		for _, child := range childrenOf(pids[i]) {
			if !slices.Contains(pids, child) {
				pids = append(pids, child)
			}
		}
	}
	return sum
}

// workOf is 0 for a process that has ended. The kernel shows what a process has read and
// written only to users that may trace it.
func workOf(pid int) uint64 {
	p, err := sys.ReadProcStat(pid)
	if err != nil {
		return 0
	}
	sum := p.CPU
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return sum
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil && (name == "rchar" || name == "wchar") {
			sum += n
		}
	}
	return sum
}

// childrenOf returns the children of a process's first thread: CRIU has no other threads.
func childrenOf(pid int) (list []int) {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for word := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(word); err == nil {
			list = append(list, child)
		}
	}
	return list
}
