package state

import (
	"path/filepath"
	"testing"
)

func FuzzValidateID(f *testing.F) {
	f.Add("a.b_c+d-1")
	f.Add("..")
	f.Add("a/b")
	f.Fuzz(func(t *testing.T, id string) {
		if ValidateID(id) == nil && (filepath.Base(id) != id || id == "." || id == "..") {
			t.Errorf("%q cannot name a directory", id)
		}
	})
}
