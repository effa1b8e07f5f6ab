package specconv

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
)

// switches are pairs of options of which the last one counts, with the attribute.
var switches = []struct {
	on, off string
	attr    uint64
}{
	{"ro", "rw", unix.MOUNT_ATTR_RDONLY},
	{"nosuid", "suid", unix.MOUNT_ATTR_NOSUID},
	{"nodev", "dev", unix.MOUNT_ATTR_NODEV},
	{"noexec", "exec", unix.MOUNT_ATTR_NOEXEC},
	{"nosymfollow", "symfollow", unix.MOUNT_ATTR_NOSYMFOLLOW},
}

// FuzzMountOptions converts a mount with options, one a line, and compares the attributes
// with the last options about each.
func FuzzMountOptions(f *testing.F) {
	f.Add("bind\nro\nrw,nosuid", "/a", "/b", "")
	f.Add("rbind\nrro\nrslave\nidmap=uids=0-1-10;gids=0-1-10", "/a", "x", "bind")
	f.Add("mode=755,size=64k\nnoexec,exec\ntmpcopyup", "/t", "tmpfs", "tmpfs")
	f.Add(`lowerdir=a\:b:/c,upperdir=u`, "o", "overlay", "overlay")
	f.Add("remount\nnostrictatime,noatime\nrelatime", "/", "", "")
	f.Add(`context="a,b"`, "/..", "x", "proc")
	f.Fuzz(func(t *testing.T, options, destination, source, kind string) {
		m := specs.Mount{Destination: destination, Source: source, Type: kind, Options: strings.Split(options, "\n")}
		out, err := ConvertMounts([]specs.Mount{m}, &config.Config{Bundle: "/bundle"})
		if err != nil {
			checkError(t, err)
			return
		}
		checkPath(t, out[0].Destination)
		if out[0].Bind && !out[0].Remount {
			checkPath(t, out[0].Source)
		}
		var words []string
		for _, option := range m.Options {
			words = append(words, splitOption(option)...)
		}
		for _, s := range switches {
			on, off := last(words, s.on), last(words, s.off)
			if set, cleared := out[0].Attr.Set&s.attr != 0, out[0].Attr.Clear&s.attr != 0; set != (on > off) || cleared && set {
				t.Errorf("%q: %s is %v, and %s is %v", words, s.on, set, s.off, cleared)
			}
		}
		if slices.ContainsFunc(out[0].Flags, func(f string) bool { return lookupOption(f) == nil }) {
			t.Errorf("flags %q", out[0].Flags)
		}
	})
}

// last returns the index of the last of equal words, -1 if none is equal.
func last(words []string, word string) int {
	for i, w := range slices.Backward(words) {
		if w == word {
			return i
		}
	}
	return -1
}

// FuzzSplitOption joins the words of an option again.
func FuzzSplitOption(f *testing.F) {
	f.Add(`a,b=c,"d,e",f\,g,`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, option string) {
		words := splitOption(option)
		for _, word := range words {
			if word == "" {
				t.Errorf("%q: an empty word in %q", option, words)
			}
		}
		if again := splitOption(strings.Join(words, ",")); !slices.Equal(again, words) {
			t.Errorf("%q: %q, joined and split again %q", option, words, again)
		}
	})
}

// FuzzProcess reads a process to execute and converts it.
func FuzzProcess(f *testing.F) {
	for _, file := range []string{
		`{"args":["a"],"cwd":"/"}`,
		`{"args":["a",""],"cwd":"/../x","env":["A=b","c"],"user":{"uid":1,"gid":2,"additionalGids":[3],"umask":18},"terminal":true,"consoleSize":{"height":1,"width":2}}`,
		`{"args":[],"rlimits":[{"type":"RLIMIT_NOFILE","soft":2,"hard":1}],"capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_KILL"]},"oomScoreAdj":-1001}`,
		`{"cwd":"/","args":["x"],"scheduler":{"policy":"SCHED_FIFO","priority":100},"ioPriority":{"class":"IOPRIO_CLASS_RT","priority":9},"execCPUAffinity":{"initial":"0-3,7","final":"x"},"selinuxLabel":"a","apparmorProfile":"b"}`,
		"null", "{}", "[", "", `{"user":null,"args":null}`,
	} {
		f.Add([]byte(file))
	}
	own := &config.Process{Cwd: "/", Umask: 0o22}
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := LoadProcess(bytes.NewReader(file))
		if err != nil {
			checkError(t, err)
			return
		}
		out, err := ConvertExec(p, own)
		if err != nil {
			checkError(t, err)
			return
		}
		checkPath(t, out.Cwd)
		if len(out.Args) == 0 {
			t.Errorf("%q: no arguments", file)
		}
		for _, text := range append(slices.Clone(out.Args), out.Env...) {
			if strings.ContainsRune(text, 0) {
				t.Errorf("%q: a NUL in %q", file, text)
			}
		}
	})
}
