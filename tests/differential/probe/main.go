// Command probe prints what a process sees of itself and its surroundings, one
// fact a line, for the differential test.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	umask := syscall.Umask(0)
	groups, err := syscall.Getgroups()
	must(err)
	slices.Sort(groups)
	fact("ids", syscall.Getuid(), syscall.Geteuid(), syscall.Getgid(), syscall.Getegid(), groups)
	fact("umask", fmt.Sprintf("%04o", umask))
	cwd, err := os.Getwd()
	must(err)
	fact("cwd", cwd)
	host, err := os.Hostname()
	must(err)
	fact("hostname", host)
	fact("args", fmt.Sprintf("%q", os.Args[1:]))
	env := os.Environ()
	slices.Sort(env)
	for _, e := range env {
		fact("env", e)
	}
	lines("/proc/self/status", "status", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp:", "SigBlk", "SigIgn")
	lines("/proc/self/limits", "limit", "Max")
	content("oom", "/proc/self/oom_score_adj")
	content("cgroup", "/proc/self/cgroup")
	lines("/proc/self/mountinfo", "mount", "")
	for _, ns := range []string{"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"} {
		link, err := os.Readlink("/proc/self/ns/" + ns)
		must(err)
		fact("ns", ns, link)
	}
	tree("/dev")
	fds()
	for _, path := range os.Args[1:] {
		reach(path)
	}
}

// fds prints the open descriptors, but for the one that lists them.
func fds() {
	dir, err := os.Open("/proc/self/fd")
	must(err)
	names, err := dir.Readdirnames(-1)
	must(err)
	slices.Sort(names)
	for _, n := range names {
		if link, err := os.Readlink("/proc/self/fd/" + n); err == nil && !strings.HasSuffix(link, "/fd") && !strings.HasPrefix(link, "anon_inode") {
			fact("fd", n)
		}
	}
}

// tree prints the files below a directory.
func tree(dir string) {
	must(filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			fact("file", path, err)
			return nil
		}
		var st syscall.Stat_t
		must(syscall.Lstat(path, &st))
		link, _ := os.Readlink(path)
		fact("file", path, fmt.Sprintf("%o", st.Mode), st.Uid, st.Gid, st.Rdev, link)
		return nil
	}))
}

// reach prints what can be done with a path.
func reach(path string) {
	_, err := os.ReadFile(path)
	if st, e := os.Stat(path); e == nil && st.IsDir() {
		var list []os.DirEntry
		list, err = os.ReadDir(path)
		fact("reach", path, "entries", len(list) > 0)
		e = os.Mkdir(path+"/probe-was-here", 0o755)
		fact("reach", path, "mkdir", reason(e))
		if e == nil {
			must(os.Remove(path + "/probe-was-here"))
		}
	} else {
		f, e := os.OpenFile(path, os.O_WRONLY, 0)
		fact("reach", path, "write", reason(e))
		f.Close()
	}
	fact("reach", path, "read", reason(err))
}

func reason(err error) string {
	if err == nil {
		return "yes"
	}
	return err.Error()
}

// lines prints the lines of a file that begin with one of the words.
func lines(file, name string, words ...string) {
	f, err := os.Open(file)
	must(err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		for _, w := range words {
			if strings.HasPrefix(s.Text(), w) {
				fact(name, s.Text())
				break
			}
		}
	}
}

func content(name, file string) {
	b, err := os.ReadFile(file)
	must(err)
	for l := range strings.Lines(string(b)) {
		fact(name, strings.TrimSpace(l))
	}
}

func fact(name string, values ...any) { fmt.Println(append([]any{name}, values...)...) }

func must(err error) {
	if err != nil {
		fmt.Println("probe:", err)
		os.Exit(1)
	}
}
