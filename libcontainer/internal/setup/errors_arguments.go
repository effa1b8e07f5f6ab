package setup

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// argumentsError adds to E2BIG of execve(2) the field that caused it: a string of more
// than 32 pages, else the larger one of process.args and process.env.
func argumentsError(err error, args, env []string) error {
	if !errors.Is(err, unix.E2BIG) {
		return err
	}
	most := 32 * os.Getpagesize()
	for _, list := range []struct {
		field string
		strs  []string
	}{{"process.args", args}, {"process.env", env}} {
		for i, s := range list.strs {
			if len(s) >= most {
				return config.FieldErrorf(fmt.Sprintf("%s[%d]", list.field, i), "%w: it has %d bytes; the kernel accepts at most %d", err, len(s), most-1)
			}
		}
	}
	field, ofArgs, ofEnv := "process.env", argumentsSize(args), argumentsSize(env)
	if ofArgs > ofEnv {
		field = "process.args"
	}
	return config.FieldErrorf(field, "%w: process.args has %d bytes and process.env %d; for both together the kernel accepts a quarter of the stack limit (process.rlimits), at most 6 MiB", err, ofArgs, ofEnv)
}

// argumentsSize returns the bytes that the kernel needs for strings and their pointers.
func argumentsSize(strs []string) int {
	size := 0
	for _, s := range strs {
		size += len(s) + 1 + 8
	}
	return size
}
