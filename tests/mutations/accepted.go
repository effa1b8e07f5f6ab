package main

import "regexp"

// harmlessMutations are mutations that no test can or need notice, with the reason.
var harmlessMutations = []struct {
	name   *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`steps_seccomp.go:\d+: no flag: os.O_EXCL`), "create has made the directory, which only root can write to"},
	{regexp.MustCompile(`no call: r.atEnd\((conn.Close|r.tree.Release)\)`), "the files stay open until the runtime ends, or the garbage collector closes them"},
	{regexp.MustCompile(`steps_seccomp.go:\d+: never: if err != nil$`), "the stub fails all the same, some seconds later"},
	{regexp.MustCompile(`protect.go:\d+: never: if m.at.Err\(\) != nil`), "calls that lack the descriptor are not made"},
	{regexp.MustCompile(`steps.go:\d+: not inStartHook: "close descriptors"`), "execve closes them, too"},
	{regexp.MustCompile(`steps_labels.go:\d+: never: if len\(writes\) == 0`), "it saves calls"},
	{regexp.MustCompile(`(remount|protect).go:\d+: never: if (d.FS != nil|r.Destination != "/"|empty != nil)`), "a later step closes all descriptors"},
	{regexp.MustCompile(`v1.go:\d+: never: if (d.major != anyNumber|l.allow|l.exceptions\[d\] == 0)`), "it saves time, or lines that allow nothing new"},
	{regexp.MustCompile(`attach.go:\d+: no flag: unix.O_(CLOEXEC|DIRECTORY)`), "the path is a cgroup's, and stubs close all descriptors but their own"},
	{regexp.MustCompile(`attach.go:\d+: never: if e == nil`), "the verifier refuses a program twice"},
	{regexp.MustCompile(`program.go:\d+: (never: if bigEndian|no flag: reg(<<|>>)4)`), "on a machine that is not big-endian"},
}

// reasonFor returns the reason why a mutation is harmless, "" if it is not.
func reasonFor(name string) string {
	for _, h := range harmlessMutations {
		if h.name.MatchString(name) {
			return h.reason
		}
	}
	return ""
}
