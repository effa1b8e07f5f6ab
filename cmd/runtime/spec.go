package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/specconv"
)

func (a *app) specCommand() command {
	return command{
		usage: "write a config.json to start from",
		flags: []flag{
			{name: "bundle", short: "b", usage: "write it to `DIR` (default: the current directory)"},
			{name: "rootless", kind: truth, usage: "write a configuration for an unprivileged user"},
		},
		run: func(_ context.Context, l *line) error {
			if err := exactArgs(l, 0); err != nil {
				return err
			}
			return writeSpec(filepath.Join(l.text("bundle"), "config.json"), specconv.DefaultOptions{
				CgroupNamespace: pureV2(),
				Rootless:        l.truth("rootless"),
				UID:             uint32(os.Geteuid()),
				GID:             uint32(os.Getegid()),
			})
		},
	}
}

// writeSpec writes the default configuration to a file that must not exist.
func writeSpec(path string, o specconv.DefaultOptions) error {
	b, err := json.MarshalIndent(specconv.Default(o), "", "\t")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("file %s exists: remove it first", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // a partial file would make the next try fail
	}
	return nil
}

// pureV2 reports whether the host has cgroup v2 only.
func pureV2() bool {
	var st unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}
