package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// snapshot describes everything that must not change: the tree outside, the volumes, the
// names in the directories around them and at the top of the host, its mounts, and its
// domain name.
func (b *bundle) snapshot() (map[string]string, error) {
	facts := map[string]string{}
	for _, tree := range []string{b.outside, b.volumes} {
		if err := describe(facts, tree); err != nil {
			return nil, err
		}
	}
	for _, dir := range []string{"/", "/dev", b.dir, b.limbo} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if dir != b.dir || e.Name() != "state" && e.Name() != "bundles" {
				facts["name "+filepath.Join(dir, e.Name())] = e.Type().String()
			}
		}
	}
	list, err := readMountinfo("self")
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		facts[strings.Join([]string{"mount", m.kind, m.root, m.point, m.options}, " ")] = "there"
	}
	var name unix.Utsname
	err = unix.Uname(&name)
	facts["domain name"] = unix.ByteSliceToString(name.Domainname[:])
	return facts, err
}

// describe adds a description of each file of a tree.
func describe(facts map[string]string, tree string) error {
	return filepath.WalkDir(tree, func(path string, _ os.DirEntry, err error) error {
		var st unix.Stat_t
		if err == nil {
			err = unix.Lstat(path, &st)
		}
		if err != nil {
			return err
		}
		content := ""
		if st.Mode&unix.S_IFMT == unix.S_IFREG {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = fmt.Sprintf("%x", sha256.Sum256(text))
		}
		facts[path] = fmt.Sprintf("inode %d mode %o owner %d:%d links %d size %d device %d modified %v changed %v content %.12s",
			st.Ino, st.Mode, st.Uid, st.Gid, st.Nlink, st.Size, st.Rdev, st.Mtim, st.Ctim, content)
		return nil
	})
}

// difference lists the differences of two snapshots.
func difference(before, after map[string]string) (changes []string) {
	for path, was := range before {
		if is, ok := after[path]; !ok {
			changes = append(changes, fmt.Sprintf("%s is gone", path))
		} else if is != was {
			changes = append(changes, fmt.Sprintf("%s was %s, is %s", path, was, is))
		}
	}
	for path, is := range after {
		if _, ok := before[path]; !ok {
			changes = append(changes, fmt.Sprintf("%s is new: %s", path, is))
		}
	}
	sort.Strings(changes)
	return changes
}
