package setup

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// argumentsError names the field that makes execve(2) answer E2BIG: a string of
// more than 32 pages or, of arguments and environment, the one that takes more.
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
				return config.FieldErrorf(fmt.Sprintf("%s[%d]", list.field, i), "%w: it has %d bytes, and the kernel takes %d", err, len(s), most-1)
			}
		}
	}
	field, ofArgs, ofEnv := "process.env", argumentsSize(args), argumentsSize(env)
	if ofArgs > ofEnv {
		field = "process.args"
	}
	return config.FieldErrorf(field, "%w: process.args takes %d bytes and process.env %d; the kernel takes a quarter of the stack limit (process.rlimits), and 6 MiB at most, for both", err, ofArgs, ofEnv)
}

// argumentsSize is what the kernel needs for strings and the pointers to them.
func argumentsSize(strs []string) int {
	size := 0
	for _, s := range strs {
		size += len(s) + 1 + 8
	}
	return size
}
