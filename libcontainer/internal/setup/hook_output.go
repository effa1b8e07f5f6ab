package setup

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// hookOutput has the files to which the runtime copies the hooks' standard output and
// standard error; each may be nil.
type hookOutput [2]*os.File

// openHookOutput opens the files that the configuration names, if it has hook commands
// of this kind. A FIFO without a reader is an error: open would wait for one.
func openHookOutput(cfg *config.Config, kind config.HookKind) (o hookOutput, err error) {
	if len(kind.Commands(cfg.Hooks)) == 0 {
		return o, nil
	}
	for i, path := range cfg.HookOutput {
		if path == "" {
			continue
		}
		o[i], err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NONBLOCK|unix.O_NOCTTY, 0o600)
		if err == nil {
			err = unix.SetNonblock(int(o[i].Fd()), false)
		}
		if err != nil {
			o.close()
			name := [...]string{config.HookStdoutAnnotation, config.HookStderrAnnotation}[i]
			return hookOutput{}, &config.FieldError{Field: fmt.Sprintf("annotations[%q]", name), Err: remedyOutput(err)}
		}
	}
	return o, nil
}

// remedyOutput explains why an output file cannot be opened.
func remedyOutput(err error) error {
	if errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%w (a FIFO without a reader)", err)
	}
	return err
}

// writers returns the files as writers; nil for a file that is not set.
func (o hookOutput) writers() (w [2]io.Writer) {
	for i, f := range o {
		if f != nil {
			w[i] = f
		}
	}
	return w
}

func (o hookOutput) close() {
	for _, f := range o {
		if f != nil {
			f.Close()
		}
	}
}
