package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// stayFlag is for a program that stays: systemd removes the cgroup, with the limits, once
// the program has ended.
const stayFlag = "--stay"

// inside writes what a program can see of its protection to /out/view. The name of the
// file is complete once the file is.
func inside(args []string) error {
	var b strings.Builder
	for _, show := range []func(*strings.Builder){
		showFiles, showMounts, showNamespaces, showProcess, showKeyring, showDevices, showDescriptors, showNetwork,
	} {
		show(&b)
	}
	if err := os.WriteFile("/out/view.new", []byte(b.String()), 0o644); err != nil {
		return err
	}
	if err := os.Rename("/out/view.new", "/out/view"); err != nil {
		return err
	}
	if slices.Contains(args, stayFlag) {
		return unix.Pause()
	}
	return nil
}

// shown are files that the program reads whole.
var shown = []string{
	"/proc/self/limits", "/proc/self/cgroup", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups",
	"/proc/self/oom_score_adj", "/proc/self/attr/current", "/proc/sys/kernel/hostname",
	"/proc/sys/kernel/shm_rmid_forced", "/proc/sys/net/ipv4/ip_forward", "/proc/self/cmdline", "/proc/self/environ",
	// Masked.
	"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/proc/scsi",
	"/sys/firmware", "/sys/devices/virtual/powercap",
}

// fields are the lines of /proc/self/status to show.
var fields = regexp.MustCompile(`(?m)^(Umask|Uid|Gid|Groups|NSpid|Cap\w+|NoNewPrivs|Seccomp\w*|Speculation_\w+|Cpus_allowed|Mems_allowed|SigIgn|SigBlk):.*$`)

func showFiles(b *strings.Builder) {
	for _, path := range shown {
		text, err := os.ReadFile(path)
		if len(text) > 4096 {
			text = []byte("long")
		}
		fmt.Fprintf(b, "%s: %q %v\n", path, text, err)
	}
	status, err := os.ReadFile("/proc/self/status")
	for _, line := range fields.FindAllString(string(status), -1) {
		fmt.Fprintf(b, "%s\n", line)
	}
	fmt.Fprintf(b, "status: %v\n", err)
	for _, path := range []string{"/proc/sys/kernel/domainname", "/proc/sysrq-trigger", "/proc/irq", "/sys/kernel", "/", "/added"} {
		var s unix.Statfs_t
		err := unix.Statfs(path, &s)
		write := unix.Access(path, unix.W_OK)
		fmt.Fprintf(b, "%s: flags %#x %v, writable: %v\n", path, s.Flags, err, write)
	}
}

// numbers are the parts of mountinfo that differ from run to run: IDs and peer groups.
var numbers = regexp.MustCompile(`^\d+ \d+ \d+:\d+ |(shared|master|propagate_from):\d+`)

func showMounts(b *strings.Builder) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	fmt.Fprintf(b, "mounts: %v\n", err)
	for line := range strings.Lines(string(text)) {
		fmt.Fprint(b, "  ", numbers.ReplaceAllString(line, "$1 "))
	}
}

// readNamespaces returns the namespaces of this process.
func readNamespaces() (string, error) {
	var b strings.Builder
	for _, name := range []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		link, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&b, link)
	}
	return b.String(), nil
}

// showNamespaces prints which namespaces are the host's.
func showNamespaces(b *strings.Builder) {
	host, hostErr := os.ReadFile("/out/host")
	own, err := readNamespaces()
	fmt.Fprintf(b, "namespaces: %v %v\n", hostErr, err)
	for line := range strings.Lines(own) {
		name, _, _ := strings.Cut(line, ":")
		fmt.Fprintf(b, "  %s: the host's: %v\n", name, strings.Contains(string(host), line))
	}
}

func showProcess(b *strings.Builder) {
	cwd, err := os.Getwd()
	fmt.Fprintf(b, "cwd %s %v, uid %d, pid 1: %v\n", cwd, err, os.Getuid(), os.Getpid() == 1)
	for _, number := range []int{unix.PR_GET_SECUREBITS, unix.PR_GET_DUMPABLE, unix.PR_GET_PDEATHSIG, unix.PR_GET_CHILD_SUBREAPER} {
		r, _, errno := unix.RawSyscall(unix.SYS_PRCTL, uintptr(number), 0, 0)
		fmt.Fprintf(b, "prctl %d: %d %d\n", number, r, errno)
	}
	for _, number := range []uintptr{unix.SYS_PERSONALITY, unix.SYS_SCHED_GETSCHEDULER} {
		arg := uintptr(0)
		if number == unix.SYS_PERSONALITY {
			arg = 0xffffffff
		}
		r, _, errno := unix.RawSyscall(number, arg, 0, 0)
		fmt.Fprintf(b, "call %d: %#x %d\n", number, r, errno)
	}
}

var serial = regexp.MustCompile(`\d{6,}`)

func showKeyring(b *strings.Builder) {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, unix.KEY_SPEC_SESSION_KEYRING)
	fmt.Fprintf(b, "keyring: %s %v\n", serial.ReplaceAllString(text, "N"), err)
}

// showDevices prints /dev and which devices can be opened, and tries to make one.
func showDevices(b *strings.Builder) {
	entries, err := os.ReadDir("/dev")
	fmt.Fprintf(b, "devices: %v\n", err)
	for _, e := range entries {
		var s unix.Stat_t
		err := unix.Lstat("/dev/"+e.Name(), &s)
		fmt.Fprintf(b, "  %s %#o %#x %d:%d %v", e.Name(), s.Mode, s.Rdev, s.Uid, s.Gid, err)
		if s.Mode&unix.S_IFMT == unix.S_IFCHR {
			fd, err := unix.Open("/dev/"+e.Name(), unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
			_ = unix.Close(fd)
			fmt.Fprintf(b, " open: %v", err)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintln(b, "  mknod:", unix.Mknod("/out/mem", unix.S_IFCHR|0o600, 0x101))
}

var inode = regexp.MustCompile(`\[\d+\]`)

func showDescriptors(b *strings.Builder) {
	entries, err := os.ReadDir("/proc/self/fd")
	fmt.Fprintf(b, "descriptors: %v\n", err)
	for _, e := range entries {
		link, err := os.Readlink("/proc/self/fd/" + e.Name())
		// The directory itself, and those of Go.
		if err == nil && !strings.HasPrefix(link, "/proc/") && !strings.HasPrefix(link, "anon_inode:[event") {
			fmt.Fprintf(b, "  %s %s\n", e.Name(), inode.ReplaceAllString(link, "[]"))
		}
	}
}

// limitFiles are the files of a cgroup that are compared.
var limitFiles = []string{
	"devices.list", "pids.max", "memory.limit_in_bytes", "memory.max", "cpuset.cpus", "cpuset.mems", "cpu.shares",
	"freezer.state", "cgroup.freeze", "cgroup.type",
}

// limits returns the limits of the container's cgroups, from outside.
func (r *rig) limits() (string, error) {
	roots, err := hierarchies()
	var b strings.Builder
	for _, root := range roots {
		for _, name := range limitFiles {
			path := root + r.containerCgroup() + "/" + name
			if text, err := os.ReadFile(path); err == nil {
				fmt.Fprintf(&b, "%s: %s\n", path, text)
			}
		}
	}
	return b.String(), err
}

// view waits for the program's view, and adds the limits.
func (r *rig) view() (string, error) {
	deadline := time.Now().Add(patient(5 * time.Second))
	for {
		text, err := os.ReadFile(r.path("out/view"))
		if err == nil {
			limits, err := r.limits()
			return string(text) + limits, err
		}
		if !os.IsNotExist(err) || time.Now().After(deadline) {
			return "", err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// compare returns the lines of two views that differ.
func compare(got, want string) []string {
	var d []string
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range g {
		if !slices.Contains(w, line) {
			d = append(d, "has: "+line)
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			d = append(d, "lacks: "+line)
		}
	}
	if len(d) == 0 && got != want {
		d = append(d, "the order of lines differs")
	}
	return d
}
