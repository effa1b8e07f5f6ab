package state

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// TestOnlyReadableFilesAreWritten: in JSON, "<" has six bytes. A file that cannot be read would
// keep all commands, also delete, from working.
func TestOnlyReadableFilesAreWritten(t *testing.T) {
	for _, test := range []struct {
		n  int
		ok bool
	}{{maxFile/6 - 4096, true}, {maxFile/6 + 1, false}} {
		dir := t.TempDir()
		cfg := &config.Config{Annotations: map[string]string{"a": strings.Repeat("<", test.n)}}
		err := errors.Join(WriteConfig(dir, cfg), New("c", cfg).Write(dir))
		if test.ok {
			_, read := readFile(dir, configFile)
			_, other := readFile(dir, stateFile)
			if err := errors.Join(err, read, other); err != nil {
				t.Error(err)
			}
			continue
		}
		files, e := os.ReadDir(dir)
		if !errors.Is(err, unix.EFBIG) || len(files) > 0 || e != nil {
			t.Errorf("%v, %v, %v", err, files, e)
		}
	}
}
