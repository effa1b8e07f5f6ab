package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// swap is one exchange that the attacker repeats: of A and B, or, if B ends in a slash,
// a move of A into the directory B under a new name.
type swap struct{ A, B string }

// held is a swap with open directories: the attacker may exchange their parents too.
type held struct {
	fromDir, toDir int
	from, to       string
}

func (s swap) hold() (h held, err error) {
	if h.fromDir, err = unix.Open(filepath.Dir(s.A), unix.O_PATH|unix.O_DIRECTORY, 0); err != nil {
		return h, fmt.Errorf("open the directory of %q: %w", s.A, err)
	}
	h.from = filepath.Base(s.A)
	to := strings.TrimSuffix(s.B, "/")
	if to == s.B {
		to, h.to = filepath.Split(s.B)
	}
	if h.toDir, err = unix.Open(to, unix.O_PATH|unix.O_DIRECTORY, 0); err != nil {
		return h, fmt.Errorf("open %q: %w", to, err)
	}
	return h, nil
}

func (h held) do(n, index int) error {
	if h.to != "" {
		return unix.Renameat2(h.fromDir, h.from, h.toDir, h.to, unix.RENAME_EXCHANGE)
	}
	err := unix.Renameat2(h.fromDir, h.from, h.toDir, fmt.Sprintf("%d-%d", n, index), unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOENT) {
		return nil // no create has made it again yet
	}
	return err
}

// awayEvery is the number of rounds between two moves: a path that is always missing is
// never mounted on.
const awayEvery = 1000

// swapForever is the attacker. It prints the number of exchanges.
func swapForever(stdin io.Reader) error {
	var swaps []swap
	in := json.NewDecoder(stdin)
	if err := in.Decode(&swaps); err != nil {
		return err
	}
	list := make([]held, len(swaps))
	for i, s := range swaps {
		var err error
		if list[i], err = s.hold(); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	go func() {
		in.Decode(&swaps) //nolint:errcheck // it waits for the end of the input
		close(ended)
	}()
	for n := 0; ; n++ {
		select {
		case <-ended:
			_, err := fmt.Println(n * len(list))
			return err
		default:
		}
		for i, h := range list {
			if h.to == "" && n%awayEvery != 0 {
				continue
			}
			if err := h.do(n, i); err != nil {
				return fmt.Errorf("swap %+v: %w", swaps[i], err)
			}
		}
	}
}

// attacker is the process that swaps.
type attacker struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *strings.Builder
}

func startAttacker(swaps []swap) (*attacker, error) {
	path, err := self()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "swap")
	a := &attacker{cmd: cmd, out: new(strings.Builder)}
	cmd.Stdout, cmd.Stderr = a.out, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	a.stdin = stdin
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return a, json.NewEncoder(stdin).Encode(swaps)
}

// stop ends the attacker and returns the number of exchanges.
func (a *attacker) stop() (int, error) {
	if err := errors.Join(a.stdin.Close(), a.cmd.Wait()); err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(a.out.String()))
}
