package main

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// slice is a part of a schedule: one command runs until it has made a number of calls,
// and the others are held at their next calls.
type slice struct{ command, until int }

// Time limits of a slice. They end one if its command waits for a held one.
const (
	quiet     = 25 * time.Millisecond  // without a call
	longest   = 250 * time.Millisecond // in all
	beginning = 250 * time.Millisecond // before the first call
	polls     = 3                      // of the same lock
)

// reaches are the longest slices that are chosen with the same chance: an order of single
// calls, of steps, and of any parts of the commands.
var reaches = []int{4, 40, math.MaxInt}

// schedule returns random slices of commands that make these numbers of calls. Each command
// has two to four slices; after the last slice all run freely.
func schedule(random *rand.Rand, calls []int) []slice {
	left := make([]int, len(calls)) // slices of each command
	total := 0
	for i := range left {
		left[i] = 2 + random.IntN(3)
		total += left[i]
	}
	at := make([]int, len(calls))
	var list []slice
	for last := -1; total > 0; {
		i := random.IntN(len(calls))
		if left[i] == 0 || i == last && total > left[i] {
			continue
		}
		reach := min(reaches[random.IntN(len(reaches))], max(calls[i]-at[i], 0)+1)
		if at[i] == 0 {
			reach = calls[i] + 1 // the race may begin anywhere
		}
		at[i] += 1 + random.IntN(reach)
		list = append(list, slice{i, at[i]})
		left[i]--
		total--
		last = i
	}
	return list
}

// gate holds the commands of a race according to a schedule.
type gate struct {
	mu       sync.Mutex
	schedule []slice
	now      int // index of the slice
	began    time.Time
	last     time.Time // of the latest call in the slice
	count    []int     // calls by command
	ended    []bool
	changed  chan struct{} // closed at each change
	expired  int           // slices that ended by a time limit
}

func newGate(list []slice, commands int) *gate {
	g := &gate{schedule: list, count: make([]int, commands), ended: make([]bool, commands), changed: make(chan struct{})}
	g.next()
	return g
}

// next begins the next slice with something left to do.
func (g *gate) next() {
	for ; g.now < len(g.schedule); g.now++ {
		s := g.schedule[g.now]
		if !g.ended[s.command] && g.count[s.command] < s.until {
			break
		}
	}
	g.began = time.Now()
	g.last = g.began
	close(g.changed)
	g.changed = make(chan struct{})
}

// holds reports whether a command has to wait.
func (g *gate) holds(command int) bool {
	return g.now < len(g.schedule) && g.schedule[g.now].command != command
}

// late returns how long a waiting command waits at most.
func (g *gate) late() time.Duration {
	limit := quiet
	if g.count[g.schedule[g.now].command] == 0 {
		limit = beginning
	}
	return min(limit-time.Since(g.last), longest-time.Since(g.began))
}

// wait returns when the command may run.
func (g *gate) wait(command int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.holds(command) {
		limit, changed := g.late(), g.changed
		if limit <= 0 {
			g.expired++
			g.now++
			g.next()
			continue
		}
		g.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(limit):
		}
		g.mu.Lock()
	}
}

// call holds a call of a command until the command may make it, and counts it.
func (g *gate) call(command int, polling bool) {
	g.mu.Lock()
	if g.now < len(g.schedule) {
		switch s := g.schedule[g.now]; {
		case s.command != command:
		case polling:
			g.now++
			g.next()
		case g.count[command] >= s.until:
			g.next()
		}
	}
	g.mu.Unlock()
	g.wait(command)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count[command]++
	g.last = time.Now()
}

// end says that a command has ended.
func (g *gate) end(command int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended[command] = true
	if !g.holds(command) {
		g.next()
	}
}

// held is the fault of a command in a race: it waits at its calls.
type held struct {
	gate    *gate
	command int
}

func (h held) enter(c *call) action {
	h.gate.call(h.command, c.name == "flock" && c.nth >= polls)
	return action{}
}

func (held) leave(*call) action { return action{} }
