package criu

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// The messages below were encoded by github.com/checkpoint-restore/go-criu, version 8.3.
const (
	encodedOptions = "08ffffffffffffffffff011087ad4b1801200128013001380140014804520864756d702e6c6f675a0c0a0831302e302e302e" +
		"31101b60016a052f726f6f7472042e2e2f707801800101900101ba010d0a052f6461746112042f737263c00101ca01060a00" +
		"12022f63d00101da010c0a08706970653a5b375d1005900205aa02086e65745b315d3a61aa020966696c655b313a325db002" +
		"8080808004ba02150a03757473120e2f70726f632f312f6e732f757473e202102f7379732f66732f6367726f75702f66f002" +
		"018003019003019a03062f6574632f63a00301aa030a61707061726d6f723a78fa0303637478800402" +
		"da0200da0203637075"
	encodedStage   = "080610012a140a1073657475702d6e616d65737061636573104d"
	encodedFailure = "08021000220b08ffffffffffffffffff0138344a1978204572726f722028637269752f612e633a31293a206e6f0a"
	encodedVersion = "080a1001521a08041001200132124261636b20746f2074686520467574757265"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fields returns the fields of a message, sorted.
func fields(t *testing.T, b []byte) []string {
	t.Helper()
	var list []string
	err := each(b, func(field int, number int64, bytes []byte) error {
		list = append(list, fmt.Sprintf("%d: %d %q", field, number, bytes))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestOptions(t *testing.T) {
	o := Options{
		LogFile: "dump.log", ConfigFile: "/etc/c", Pid: 1234567, Root: "/root", ParentImage: "../p", FreezeCgroup: "/sys/fs/cgroup/f",
		LeaveRunning: true, TCPEstablished: true, TCPSkipInFlight: true, TCPClose: true, ExtUnixSk: true, ShellJob: true,
		FileLocks: true, LinkRemap: true, AutoDedup: true, TrackMem: true, LazyPages: true, EvasiveDevices: true,
		OrphanPtsMaster: true, RestoreAsSibling: true, NetworkLock: LockNftables, Cgroups: CgroupsStrict,
		PageServer: &PageServer{"10.0.0.1", 27}, LSMProfile: "apparmor:x", LSMMountContext: "ctx",
		EmptyNamespaces: 0x40000000, External: []string{"net[1]:a", "file[1:2]"},
		ExternalMounts: []Pair{{"/data", "/src"}}, CgroupRoots: []Pair{{"", "/c"}},
		JoinNamespaces: []Pair{{"uts", "/proc/1/ns/uts"}}, Inherit: []Inherited{{"pipe:[7]", 5}}, Hierarchies: []string{"", "cpu"},
	}
	got, want := fields(t, o.encode()), fields(t, unhex(t, encodedOptions))
	for _, f := range want {
		if !slices.Contains(got, f) {
			t.Errorf("missing: %s", f)
		}
	}
	for _, f := range got {
		if !slices.Contains(want, f) {
			t.Errorf("unexpected: %s", f)
		}
	}
}

// Options that are not set are left out: CRIU's defaults apply.
func TestDefaultOptions(t *testing.T) {
	want := []string{`12: 1 ""`, `1: -1 ""`, `24: 1 ""`, `9: 4 ""`}
	slices.Sort(want)
	if got := fields(t, (&Options{}).encode()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReplies(t *testing.T) {
	for _, test := range []struct {
		text string
		want reply
	}{
		{encodedStage, reply{kind: notify, success: true, script: "setup-namespaces", pid: 77}},
		{encodedFailure, reply{kind: Restore, pid: -1, errno: 52, message: "x Error (criu/a.c:1): no\n"}},
		{encodedVersion, reply{kind: version, success: true, version: Version{4, 1, 1}}},
	} {
		b := unhex(t, test.text)
		if got, err := decode(b); err != nil || got != test.want {
			t.Errorf("got %+v, %v; want %+v", got, err, test.want)
		}
		for n := 1; n < len(b); n++ { // no part is read beyond its end
			if _, err := decode(b[:n]); err != nil && !errors.Is(err, errMalformed) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{encodedOptions, encodedStage, encodedFailure, encodedVersion} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		decode(b) //nolint:errcheck // it must only not panic
	})
}

func TestErrorOfTheLog(t *testing.T) {
	log := "(00.1) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n" +
		"(00.2)      1: Error (criu/files.c:1): Can't open\n(00.3) Error (criu/cr-dump.c:2): Dumping FAILED.\n"
	err := &Error{Kind: Dump, Errno: 3, Message: firstError(log), Log: "/w/dump.log"}
	const want = "criu failed: type DUMP errno 3: (criu/files.c:1): Can't open (log file: /w/dump.log)"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if got := firstError("(00.1) Warn  (criu/x.c:1): Error ignored\n"); got != "" {
		t.Errorf("a warning is taken for the error %q", got)
	}
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		v    Version
		less bool
	}{
		{Version{3, 16, 9}, true},
		{Version{2, 30, 0}, true},
		{Version{3, 17, 0}, false},
		{Version{4, 0, 0}, false},
	} {
		if got := test.v.less(Required); got != test.less {
			t.Errorf("%s: %t", test.v, got)
		}
	}
}
