package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// task is one of the parts, on one bed, with one configuration and one command of berth.
type task struct {
	part, bed, config, command string
	// noReap: the pid namespace's init leaves zombies.
	noReap bool
}

func (t task) String() string {
	text := strings.Join([]string{t.part, t.bed, t.config, t.command}, "/")
	if t.noReap {
		text += "/no-reap"
	}
	return text
}

// shows reports whether a program shows what the command has made.
func (t task) shows() bool {
	return t.part != "kills" && slices.Contains([]string{"create", "start", "run", "exec"}, t.command)
}

// parseTask is the inverse of String.
func parseTask(text string) (task, error) {
	words := strings.Split(text, "/")
	noReap := len(words) == 5 && words[4] == "no-reap"
	if len(words) != 4 && !noReap {
		return task{}, fmt.Errorf("no task %q", text)
	}
	t := task{words[0], words[1], words[2], words[3], noReap}
	if _, ok := operations[t.command]; !ok || partOf[t.part] == nil {
		return task{}, fmt.Errorf("no task %q", text)
	}
	return t, nil
}

// operation is a command of berth with what must come before.
type operation struct {
	before [][]string // commands
	args   []string
}

// Words that arguments replaces.
const (
	idWord      = "ID"
	bundleWord  = "BUNDLE"  // the flags of create and run
	programWord = "PROGRAM" // what exec executes
	mountsWord  = "MOUNTS"
	imageWord   = "IMAGE" // the flags for the directory of an image, and for CRIU's log
)

var (
	created = [][]string{{"create", bundleWord, idWord}}
	started = append(slices.Clone(created), []string{"start", idWord})
	paused  = append(slices.Clone(started), []string{"pause", idWord})
	mounted = append(slices.Clone(started), []string{"mounts", "add", idWord, mountsWord})
	saved   = append(slices.Clone(started), []string{"checkpoint", imageWord, idWord})
)

// operations are the commands of berth.
var operations = map[string]operation{
	"create":        {nil, []string{"create", bundleWord, idWord}},
	"start":         {created, []string{"start", idWord}},
	"run":           {nil, []string{"run", bundleWord, idWord}},
	"exec":          {started, []string{"exec", idWord, programWord}},
	"delete":        {started, []string{"delete", "--force", idWord}},
	"update":        {started, []string{"update", "--pids-limit", "50", idWord}},
	"pause":         {started, []string{"pause", idWord}},
	"resume":        {paused, []string{"resume", idWord}},
	"kill":          {started, []string{"kill", idWord, "KILL"}},
	"mounts-add":    {started, []string{"mounts", "add", idWord, mountsWord}},
	"mounts-remove": {mounted, []string{"mounts", "remove", idWord, mountsWord}},
	"checkpoint":    {started, []string{"checkpoint", imageWord, idWord}},
	"save":          {started, []string{"checkpoint", imageWord, "--leave-running", idWord}},
	"restore":       {saved, []string{"restore", "--detach", bundleWord, imageWord, idWord}},
}

// rig is a place where commands of berth are run.
type rig struct {
	task    task
	runtime string
	self    string // this program
	dir     string
	id      string    // of the container
	cgroup  string    // parent of the container's, with another name than the container's default
	user    *user     // that runs the commands
	session *exec.Cmd // the user's commands run in its cgroup under systemd
	// ownCgroup is that of this process.
	ownCgroup string
	config    object
	console   *console
	golden    string // the view of a run without a fault
	calm      census // nothing runs
}

// newRig makes a rig in an empty directory.
func newRig(runtime, name, dir string) (r *rig, err error) {
	r = &rig{}
	if r.task, err = parseTask(name); err != nil {
		return nil, err
	}
	unix.Umask(0o022)
	if r.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if err := r.checkBed(); err != nil {
		return nil, err
	}
	if r.runtime, err = filepath.Abs(runtime); err != nil {
		return nil, err
	}
	if r.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	r.id = "faults-" + filepath.Base(r.dir)
	r.cgroup, r.ownCgroup = "/"+r.id+"-rig", cgroupOf(os.Getpid())
	if r.task.bedOf().systemd {
		r.cgroup = "/" + unitSlice
	}
	if r.task.config == "rootless" {
		if err := r.makeUser(); err != nil {
			return nil, err
		}
	}
	if err := r.makeBundle(); err != nil {
		return nil, err
	}
	if err := r.makeCgroup(); err != nil {
		return nil, err
	}
	if r.console, err = listenConsole(r.path("console")); err != nil {
		return nil, err
	}
	return r, errors.Join(r.writeFiles(), r.restore())
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// writeFiles writes the list of mounts and the host's namespaces.
func (r *rig) writeFiles() error {
	mounts := fmt.Sprintf(`[{"destination": "/added", "type": "none", "source": %q, "options": ["bind", "ro"]}]`, r.path("added"))
	if err := os.WriteFile(r.path("mounts.json"), []byte(mounts), 0o644); err != nil {
		return err
	}
	namespaces, err := readNamespaces()
	if err != nil {
		return err
	}
	return os.WriteFile(r.path("out/host"), []byte(namespaces), 0o644)
}

// hierarchies are the roots of all mounted cgroup hierarchies.
func hierarchies() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.HasPrefix(f[2], "cgroup") {
			found = append(found, f[1])
		}
	}
	return found, nil
}

// makeCgroup makes the parent of the container's cgroup.
func (r *rig) makeCgroup() error {
	if r.task.bedOf().systemd {
		return r.startSlice()
	}
	roots, err := hierarchies()
	for _, root := range roots {
		err = errors.Join(err, os.MkdirAll(root+r.cgroup, 0o755))
	}
	return errors.Join(err, r.delegate(roots))
}

// restore makes again what the end of a container ends, too, and removes what a command
// is to make.
func (r *rig) restore() error {
	if r.task.bed == "criu" {
		return r.prepareCriu()
	}
	if r.task.config == "full" {
		return makeNetDevice()
	}
	return nil
}

// prepareCriu removes an image, and enables the network, with which CRIU tries TCP.
func (r *rig) prepareCriu() error {
	out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return errors.Join(os.RemoveAll(r.path("image")), os.RemoveAll(r.path("criu")))
}

// close removes what newRig has made outside of the directory.
func (r *rig) close() error {
	err := errors.Join(r.console.close(), r.closeSession())
	if r.task.bedOf().systemd {
		return err
	}
	roots, e := hierarchies()
	err = errors.Join(err, e)
	for _, root := range roots {
		err = errors.Join(err, removeCgroup(root+r.cgroup))
	}
	return err
}

// removeCgroup removes a cgroup and those below.
func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, removeCgroup(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(err, os.Remove(dir))
}

// arguments returns the command line of a command.
func (r *rig) arguments(words []string) []string {
	args := []string{r.runtime, "--root", r.path("state")}
	if r.task.bedOf().systemd {
		args = append(args, "--systemd-cgroup")
	}
	for _, word := range words {
		switch word {
		case idWord:
			args = append(args, r.id)
		case bundleWord:
			args = append(args, "--bundle", r.path("bundle"))
			if r.config["process"].(object)["terminal"] == true {
				args = append(args, "--console-socket", r.path("console"))
				if words[0] == "run" {
					args = append(args, "--detach")
				}
			}
		case programWord:
			args = append(args, r.executed()...)
		case imageWord:
			args = append(args, "--image-path", r.path("image"), "--work-path", r.path("criu"))
		case mountsWord:
			args = append(args, r.path("mounts.json"))
		default:
			args = append(args, word)
		}
	}
	return args
}

// executed is the program of exec.
func (r *rig) executed() []string {
	if r.task.part == "kills" {
		return []string{"/bin/true"}
	}
	return []string{"/bin/faults", "inside"}
}

// result is the result of a command.
type result struct {
	outcome
	stderr string
}

// failed reports whether the command has failed or was killed.
func (r result) failed() bool { return r.status != 0 }

func (r result) String() string {
	how := fmt.Sprintf("exit status %d", r.status.ExitStatus())
	if r.status.Signaled() {
		how = fmt.Sprint("killed by ", r.status.Signal())
	}
	return fmt.Sprintf("%s after %s: %s", how, r.took.Round(time.Millisecond), strings.TrimSpace(r.stderr))
}

// call runs a command of berth, traced with a fault unless it is nil. The output goes
// to a file, as a container that stays would hold a pipe open.
func (r *rig) call(words []string, f fault, timeout time.Duration) (result, error) {
	null, err := os.Open("/dev/null")
	if err != nil {
		return result{}, err
	}
	defer null.Close()
	out, err := os.Create(r.path("stdout"))
	if err != nil {
		return result{}, err
	}
	defer out.Close()
	stderr, err := os.Create(r.path("stderr"))
	if err != nil {
		return result{}, err
	}
	defer stderr.Close()
	c := command{args: r.arguments(words), files: [3]uintptr{null.Fd(), out.Fd(), stderr.Fd()}, timeout: timeout, user: r.user}
	var res result
	if f == nil {
		res.outcome, err = runCommand(c)
	} else {
		if s, ok := f.(*lackingSet); ok {
			c.around = s.around(r.self)
		}
		res.outcome, err = trace(c, f, [][2]string{{r.dir, "DIR"}, {r.id, "ID"}})
	}
	if err != nil {
		return result{}, err
	}
	text, err := os.ReadFile(r.path("stderr"))
	res.stderr = string(text)
	return res, err
}

// must runs commands that have to succeed.
func (r *rig) must(list [][]string) error {
	for _, words := range list {
		res, err := r.call(words, nil, patient(30*time.Second))
		if err == nil && res.failed() {
			err = errors.New(res.String())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(words, " "), err)
		}
	}
	return nil
}

// patience multiplies deadlines, as in tests/integration.
var patience = func() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("PATIENCE")); err == nil {
		return time.Duration(n)
	}
	return 12
}()

func patient(d time.Duration) time.Duration { return d * patience }

// console receives terminals.
type console struct {
	listener *net.UnixListener
	got      chan []int
}

func listenConsole(path string) (*console, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		return nil, err
	}
	c := &console{listener: l, got: make(chan []int, 16)}
	go c.accept()
	return c, nil
}

func (c *console) accept() {
	for {
		conn, err := c.listener.AcceptUnix()
		if err != nil {
			return // closed
		}
		rights := make([]byte, unix.CmsgSpace(4*4))
		_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 4096), rights)
		_ = conn.Close()
		if err != nil {
			continue // the runtime was killed
		}
		messages, _ := unix.ParseSocketControlMessage(rights[:n])
		for i := range messages {
			if fds, err := unix.ParseUnixRights(&messages[i]); err == nil {
				c.got <- fds
			}
		}
	}
}

// hangUp closes the terminals.
func (c *console) hangUp() {
	for {
		select {
		case fds := <-c.got:
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		default:
			return
		}
	}
}

func (c *console) close() error {
	c.hangUp()
	return c.listener.Close()
}
