package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestSchedulesDependOnTheSeedAlone(t *testing.T) {
	of := func(seed uint64) []slice { return schedule(rand.New(rand.NewPCG(seed, 0)), []int{100, 50, 3}) }
	if !slices.Equal(of(1), of(1)) || slices.Equal(of(1), of(2)) {
		t.Error("the schedule does not depend on the seed alone")
	}
}

func TestSchedulesAlternate(t *testing.T) {
	for seed := range uint64(200) {
		list := schedule(rand.New(rand.NewPCG(seed, 0)), []int{100, 0})
		at := []int{0, 0}
		for i, s := range list {
			if s.until <= at[s.command] {
				t.Errorf("seed %d: slice %d of %v is empty", seed, i, list)
			}
			at[s.command] = s.until
		}
		if at[0] == 0 || at[1] == 0 || list[0].command == list[1].command {
			t.Errorf("seed %d: %v does not alternate", seed, list)
		}
	}
}

// TestGateKeepsTheSchedule runs commands that only count.
func TestGateKeepsTheSchedule(t *testing.T) {
	list := []slice{{0, 2}, {1, 3}, {0, 5}, {1, 4}, {0, 6}}
	g := newGate(list, 2)
	var mu sync.Mutex
	var got strings.Builder
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			g.wait(i)
			for range 6 {
				g.call(i, false)
				mu.Lock()
				fmt.Fprint(&got, i)
				mu.Unlock()
			}
			g.end(i)
		})
	}
	all.Wait()
	if g.expired > 0 {
		t.Skip("too busy a machine: a slice expired")
	}
	if want := "001110001011"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestGateEndsTheSliceOfAWaitingCommand(t *testing.T) {
	for name, stuck := range map[string]func(*gate){
		"silent":  func(*gate) {},
		"polling": func(g *gate) { go g.call(0, true) },
		"ended":   func(g *gate) { g.end(0) },
	} {
		g := newGate([]slice{{0, 5}, {1, 5}}, 2)
		stuck(g)
		g.wait(1) // hangs without a limit
		if expired := g.expired > 0; expired != (name == "silent") {
			t.Errorf("%s: expired: %v", name, expired)
		}
	}
}

func TestResultsAreJudged(t *testing.T) {
	line := func(level, text string) string { return fmt.Sprintf("time=\"now\" level=%s msg=%q\n", level, text) }
	bad := func(text string) finish {
		return finish{result: result{outcome: outcome{status: 1 << 8}, stderr: text}}
	}
	rc := &racer{
		worker: &worker{rig: &rig{id: "c1", dir: "/dir"}}, tally: map[string]int{}, usual: map[string]bool{"usual": true},
		contest: pair(nil, create.or(exists), create.or(exists)).one(),
	}
	refused := line("error", `create "c1": reserve state: container with given ID already exists (delete it first, or choose another ID)`)
	good := finish{result: result{stderr: line("warning", "usual")}}
	for name, test := range map[string]struct {
		first, second finish
		findings      int
	}{
		"one":             {good, bad(refused), 0},
		"both":            {good, good, 1},
		"none":            {bad(refused), bad(refused), 1},
		"another error":   {good, bad(line("error", `create "c1": mount: no`)), 1},
		"two lines":       {good, bad(refused + "more\n"), 1},
		"a panic":         {good, bad("panic: x\n"), 1},
		"another warning": {finish{result: result{stderr: line("warning", "odd")}}, bad(refused), 1},
		"late":            {good, finish{result: result{outcome: outcome{status: 9, timeout: true}}}, 1},
	} {
		if found := rc.judge([]finish{test.first, test.second}); len(found) != test.findings {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func TestContestsCanBeRun(t *testing.T) {
	for name, c := range contests {
		if len(c.rivals) < 2 || strings.Count(strings.TrimPrefix(name, "hooks-"), "+") < len(c.rivals)-1 {
			t.Errorf("%s has %d rivals", name, len(c.rivals))
		}
	}
	list := heats()
	if len(list) < len(raceBeds)*(len(contests)-10) {
		t.Errorf("%d contests, but %d heats", len(contests), len(list))
	}
}

func TestStatesOfThreads(t *testing.T) {
	if got := stateOf(1 << 30); got != 0 {
		t.Errorf("no thread: %c", got)
	}
	if got := stateOf(1); got == 0 {
		t.Error("init has no state")
	}
}
