package ociruntime_test

import (
	"errors"
	"io/fs"
	"os/exec"
	"testing"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// A missing program (of which Docker makes the exit code 127) is another error than one that
// cannot be executed (126).
func TestErrorsOfTheProgram(t *testing.T) {
	c := sleeping(t, nil)
	for _, test := range []struct {
		name string
		want error
	}{
		{"/missing", fs.ErrNotExist},
		{"missing", exec.ErrNotFound},
		{"/", fs.ErrPermission},
	} {
		process, err := c.NewProcess(test.name)
		if err != nil {
			t.Fatal(err)
		}
		var e *libcontainer.Error
		_, err = c.Exec(t.Context(), ociruntime.ExecOptions{Process: process})
		if !errors.As(err, &e) || e.Op != "exec" || e.Step != "find program" || !errors.Is(err, test.want) {
			t.Errorf("exec %s: %v (%+v)", test.name, err, e)
		}
	}
}
