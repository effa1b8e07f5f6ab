package main

import "regexp"

// exception is a finding that is right.
type exception struct {
	trial, finding *regexp.Regexp
	reason         string
	config         string // of the task; every one if empty
}

// exceptions are all of them.
var exceptions = []exception{
	{
		regexp.MustCompile(`^(EPERM at stub|every) mknodat\b`),
		regexp.MustCompile(`^(has|lacks): .*(/dev/|devtmpfs|  (null|zero|full|random|urandom|tty|kmsg) )`),
		"where devices cannot be made, as in a user namespace, the host's are mounted", "",
	},
	{
		regexp.MustCompile(`^(every keyctl: ENOSYS|ENOSYS at stub keyctl)`),
		regexp.MustCompile(`^(has|lacks): keyring`),
		"a kernel without CONFIG_KEYS has no keyring to share (tolerated.txt)", "",
	},
	{
		regexp.MustCompile(`at stub (\w+\(socket:|mmap\()|every (mmap|read|write|sendto|accept4|close)\b`),
		regexp.MustCompile(`does not name the call: .*(ended unexpectedly|cannot start a container that has stopped|setns: no such process|container not running|start unit .*no such process|[ug]id_map: permission denied)`),
		"a stub that cannot talk to the runtime ends", "",
	},
	{
		regexp.MustCompile(`at runtime fstat\(/dev/null\)|every fstat: `),
		regexp.MustCompile(`^(has|lacks):   [012] `),
		"a standard file of an unknown type is passed on through a pipe", "",
	},
	{
		regexp.MustCompile(`at runtime newfstatat\(/proc/kcore\)`),
		regexp.MustCompile(`^has:   core `),
		"a /dev/core without a /proc/kcore leads nowhere", "",
	},
	{
		regexp.MustCompile(`^every write: `),
		regexp.MustCompile(`not one line: ""`),
		"without write there is no message", "",
	},
	{
		regexp.MustCompile(`^EPERM at runtime \w+\(/sys/fs/cgroup/`),
		regexp.MustCompile(`^lacks: /sys/fs/cgroup/.*/cgroup\.(freeze|type): `),
		"a container without limits has no cgroup where its user may not use that", "rootless",
	},
}

// unaccepted returns the findings that are no exceptions.
func (w *worker) unaccepted(t *trial, found []string) []string {
	var rest []string
	for _, line := range found {
		if !isException(w.task.config, t.name, line) {
			rest = append(rest, line)
		}
	}
	if len(rest) < len(found) {
		w.accepted++
	}
	return rest
}

func isException(config, trial, finding string) bool {
	for _, e := range exceptions {
		if (e.config == "" || e.config == config) && e.trial.MatchString(trial) && e.finding.MatchString(finding) {
			return true
		}
	}
	return false
}
