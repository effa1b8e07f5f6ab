package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Options are what dump and restore share; see libcontainer.CriuOptions.
type Options struct {
	Criu            string
	ImagesDir       string
	WorkDir         string
	TCPEstablished  bool
	TCPClose        bool
	ExtUnixSk       bool
	ShellJob        bool
	FileLocks       bool
	AutoDedup       bool
	LazyPages       bool
	ManageCgroups   string
	EmptyNamespaces []string
}

// cgroupMode returns the mode that ManageCgroups names.
func (o *Options) cgroupMode() (criu.CgroupMode, error) {
	switch o.ManageCgroups {
	case "":
		return criu.CgroupsDefault, nil
	case "ignore":
		return criu.CgroupsIgnore, nil
	case "soft":
		return criu.CgroupsSoft, nil
	case "full":
		return criu.CgroupsFull, nil
	case "strict":
		return criu.CgroupsStrict, nil
	}
	return 0, fmt.Errorf("invalid manage-cgroups-mode value %q (want soft, full, strict or ignore)", o.ManageCgroups)
}

// Check refuses values that CRIU would ignore.
func (o *Options) Check() error {
	if _, err := o.cgroupMode(); err != nil {
		return err
	}
	for _, name := range o.EmptyNamespaces {
		if name != "network" {
			return fmt.Errorf("namespace %q is not supported: only network can be empty", name)
		}
	}
	return nil
}

// Session is the files and options of one request.
type Session struct {
	criu.Options
	log string
}

// The names of the logs are the same as runc's.
const (
	dumpLog    = "dump.log"
	restoreLog = "restore.log"
	undoLog    = "undo.log"
)

// Open opens the directories and returns the options of a request. It makes missing
// directories, except the image of a restore. The container's root file system, its
// process and its mounts are the caller's to add.
func (o *Options) Open(cfg *config.Config, restores bool) (*Session, error) {
	mode, err := o.cgroupMode()
	if err != nil {
		return nil, err
	}
	s := &Session{Options: criu.Options{
		LogFile:        dumpLog,
		TCPEstablished: o.TCPEstablished, TCPClose: o.TCPClose, ExtUnixSk: o.ExtUnixSk, ShellJob: o.ShellJob,
		FileLocks: o.FileLocks, AutoDedup: o.AutoDedup, LazyPages: o.LazyPages,
		Cgroups: mode, OrphanPtsMaster: true,
	}}
	if restores {
		s.LogFile = restoreLog
	}
	if err := s.open(o, restores); err != nil {
		s.Close()
		return nil, err
	}
	if cfg.Namespaces.New&unix.CLONE_NEWNET != 0 || len(o.EmptyNamespaces) > 0 {
		s.EmptyNamespaces = unix.CLONE_NEWNET // hooks and network devices fill it
	}
	file, err := configFile(cfg.Annotations)
	s.ConfigFile = file
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Undo returns the options for a CRIU that only undoes the work of another one.
func (s *Session) Undo() *Session {
	u := *s
	u.LogFile, u.log = undoLog, filepath.Join(s.Work.Name(), undoLog)
	u.PageServer, u.Status, u.ParentImage, u.LazyPages, u.TrackMem = nil, nil, "", false, false
	return &u
}

func (s *Session) open(o *Options, restores bool) (err error) {
	if s.Images, err = openDir(o.ImagesDir, !restores); err != nil {
		return fmt.Errorf("open image: %w", err)
	}
	work := o.WorkDir
	if work == "" {
		work = o.ImagesDir
	}
	if s.Work, err = openDir(work, true); err != nil {
		return fmt.Errorf("open work directory: %w", err)
	}
	s.log = filepath.Join(s.Work.Name(), s.LogFile)
	return nil
}

// openDir opens a directory of the caller.
func openDir(path string, create bool) (*os.File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if create {
		if err := os.MkdirAll(path, 0o700); err != nil { //nolint:forbidigo // a path of the caller, not of a container
			return nil, err
		}
	}
	return sys.OpenFile(path, unix.O_DIRECTORY, 0)
}

// Reopen opens the directories in the mount namespace of a process, CRIU: it mounts in its
// work directory, and the kernel refuses that outside of CRIU's own mounts (EINVAL).
func (s *Session) Reopen(pid int) error {
	for _, dir := range []**os.File{&s.Images, &s.Work} {
		path, err := filepath.EvalSymlinks((*dir).Name())
		if err != nil {
			return err
		}
		there, err := sys.OpenFile(fmt.Sprintf("/proc/%d/root%s", pid, path), unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		(*dir).Close()
		*dir = there
	}
	return nil
}

// Close closes the directories.
func (s *Session) Close() {
	for _, f := range []*os.File{s.Images, s.Work} {
		if f != nil {
			f.Close()
		}
	}
}

// Explain adds the first error of CRIU's log to an error of CRIU.
func (s *Session) Explain(err error) error {
	var failed *criu.Error
	if errors.As(err, &failed) {
		failed.Explain(s.log)
	}
	return err
}

// configFiles have options for all containers.
var configFiles = [...]string{"/etc/criu/berth.conf", "/etc/criu/runc.conf"}

// configFile returns the file with more options for CRIU: that of the annotation or the
// first of configFiles that exists. It is empty if the annotation is.
func configFile(annotations map[string]string) (string, error) {
	if path, ok := annotations[config.CriuConfigAnnotation]; ok {
		if path == "" {
			return "", nil
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("annotation %s: %w", config.CriuConfigAnnotation, err)
		}
		return path, nil
	}
	for _, path := range configFiles {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("options of CRIU: %w", err)
		}
	}
	return "", nil
}
