package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// wanted is what a created container must have.
type wanted struct {
	sources  []string // of mounts
	masks    int
	readonly int
	copied   []string // sources of tmpfs with a file that must come from the root
	console  *console
	oomScore string
}

func (w *wanted) wantMount(source string) { w.sources = append(w.sources, source) }

// mask adds masked paths, and counts those that exist.
func (b *bundle) mask(paths ...string) {
	b.spec.Linux.MaskedPaths = append(b.spec.Linux.MaskedPaths, paths...)
	b.masks += b.existing(paths)
}

func (b *bundle) readonly(paths ...string) {
	b.spec.Linux.ReadonlyPaths = append(b.spec.Linux.ReadonlyPaths, paths...)
	b.wanted.readonly += b.existing(paths)
}

func (b *bundle) existing(paths []string) int {
	n := 0
	for _, path := range paths {
		if !strings.HasPrefix(path, "/proc/") && !strings.HasPrefix(path, "/sys/") {
			path = b.rootfs + path
		}
		if _, err := os.Lstat(path); err == nil {
			n++
		}
	}
	return n
}

// copyUp adds a tmpfs with a copy of what it covers.
func (b *bundle) copyUp(path string) {
	b.tmpfs(path, "tmpcopyup")
	b.copied = append(b.copied, "attacked"+path)
}

// mountLine is a line of mountinfo (proc_pid_mountinfo(5)).
type mountLine struct {
	id, parent                  string
	root, point, options, rest  string
	kind, source, superblockOpt string
}

func readMountinfo(pid string) ([]mountLine, error) {
	text, err := os.ReadFile("/proc/" + pid + "/mountinfo")
	if err != nil {
		return nil, err
	}
	var list []mountLine
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		end := slices.Index(f, "-")
		if end < 6 || len(f) < end+4 {
			return nil, fmt.Errorf("mountinfo: %q", line)
		}
		list = append(list, mountLine{
			id: f[0], parent: f[1], root: f[3], point: f[4], options: "," + f[5] + ",", rest: line,
			kind: f[end+1], source: f[end+2], superblockOpt: f[end+3],
		})
	}
	return list, nil
}

// inFilesystem returns a path of the host as mountinfo has it: from the root of its file
// system.
func inFilesystem(path string) (string, error) {
	list, err := readMountinfo("self")
	if err != nil {
		return "", err
	}
	best := mountLine{}
	for _, m := range list {
		if (m.point == "/" || path == m.point || strings.HasPrefix(path, m.point+"/")) && len(m.point) >= len(best.point) {
			best = m
		}
	}
	rest := strings.TrimPrefix(path, strings.TrimSuffix(best.point, "/"))
	return strings.TrimSuffix(best.root, "/") + rest, nil
}

// judge checks a created container.
func (w *work) judge(id, pid string) error {
	list, err := readMountinfo(pid)
	if err != nil {
		return err
	}
	root, err := inFilesystem(w.rootfs)
	if err != nil {
		return err
	}
	inside := strings.TrimSuffix(root, "/rootfs")
	masks, readonly := 0, 0
	for _, m := range list {
		switch {
		case m.root == root, strings.HasPrefix(m.root, inside+"/volumes/"), strings.HasPrefix(m.root, inside+"/limbo/"):
		case strings.HasPrefix(m.root, root+"/"):
			if strings.Contains(m.options, ",ro,") {
				readonly++
			}
		case strings.HasPrefix(m.root, inside):
			w.violation("%s: a mount of what is outside: %s", id, m.rest)
		case m.root == "/null", m.kind == "tmpfs" && strings.HasPrefix(m.superblockOpt, "ro,") && strings.Contains(m.superblockOpt, "mode=555"):
			masks++
		case m.root != "/" && (m.kind == "proc" || m.kind == "sysfs") && strings.Contains(m.options, ",ro,"):
			readonly++
		}
	}
	for _, source := range w.sources {
		if n := count(list, source); n != 1 {
			w.violation("%s: mounted %d times: %s", id, n, source)
		}
	}
	if masks != w.masks || readonly != w.wanted.readonly {
		w.violation("%s: %d paths are masked, not %d, and %d read-only, not %d", id, masks, w.masks, readonly, w.wanted.readonly)
	}
	w.judgePlaces(id, list)
	for _, source := range w.copied {
		if err := w.judgeCopy(id, pid, source); err != nil {
			return err
		}
	}
	w.judgeProcess(id, pid, list)
	return nil
}

// judgeNone checks that no mount exists when one could not be added.
func (w *work) judgeNone(id, pid string) error {
	list, err := readMountinfo(pid)
	for _, source := range w.sources {
		if n := count(list, source); n != 0 {
			w.violation("%s: mounted %d times, though another could not be: %s", id, n, source)
		}
	}
	return err
}

// is reports whether a mount has a source: a directory or file of the host, or a whole
// file system.
func (m *mountLine) is(source string) bool {
	if strings.HasPrefix(source, "/") {
		return m.root != "/" && strings.HasSuffix(source, m.root)
	}
	return m.root == "/" && m.source == source
}

// count returns how often a source is mounted.
func count(list []mountLine, source string) (n int) {
	for i := range list {
		if list[i].is(source) {
			n++
		}
	}
	return n
}

func (w *work) judgeProcess(id, pid string, list []mountLine) {
	if w.oomScore != "" {
		text, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
		if strings.TrimSpace(string(text)) != w.oomScore {
			w.violation("%s: oom_score_adj is %q, %v", id, text, err)
		}
	}
	if w.console != nil && !slices.ContainsFunc(list, func(m mountLine) bool { return m.kind == "devpts" && m.root != "/" }) {
		w.violation("%s: no terminal is bound on /dev/console", id)
	}
}

// judgePlaces checks that no mount of config.json is in a procfs.
func (w *work) judgePlaces(id string, list []mountLine) {
	for _, m := range list {
		in := slices.IndexFunc(list, func(p mountLine) bool { return p.id == m.parent })
		if in >= 0 && list[in].kind == "proc" && slices.ContainsFunc(w.sources, func(s string) bool { return m.is(s) }) {
			w.violation("%s: mounted in a procfs: %s", id, m.rest)
		}
	}
}

// judgeCopy checks that a copied file comes from the root. Its directory is the mount
// point, which the attacker moves: the ID of the mount identifies it.
func (w *work) judgeCopy(id, pid, source string) error {
	root, err := unix.Open("/proc/"+pid+"/root", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	for range 10000 {
		list, err := readMountinfo(pid)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(m mountLine) bool { return m.source == source })
		if at < 0 {
			return nil // reported already
		}
		text, found := readOn(root, list[at])
		if !found {
			continue
		}
		if text == secret {
			w.violation("%s: %s is a copy of a file outside", id, source)
		}
		return nil
	}
	return fmt.Errorf("%s: %s cannot be found", id, source)
}

// readOn reads the one file on a mount, if the mount is found.
func readOn(root int, m mountLine) (string, bool) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY, Resolve: unix.RESOLVE_IN_ROOT}
	dir, err := unix.Openat2(root, m.point, &how)
	if err != nil {
		return "", false
	}
	defer unix.Close(dir)
	var st unix.Statx_t
	if err := unix.Statx(dir, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil || fmt.Sprint(st.Mnt_id) != m.id {
		return "", false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/file", dir))
	return string(text), err == nil
}
