package libcontainer

import (
	"errors"
	"sync"
)

// group is work that goes on beside the walk down the step table.
type group struct {
	wg  sync.WaitGroup
	mu  sync.Mutex
	err error
}

// Go begins some work.
func (g *group) Go(work func() error) {
	g.wg.Go(func() {
		if err := work(); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.err = errors.Join(g.err, err)
		}
	})
}

// Wait waits for all that was begun, and tells what failed of it.
func (g *group) Wait() error {
	g.wg.Wait()
	return g.err
}
