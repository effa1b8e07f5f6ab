package stub

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

func TestArchitectureWithoutStub(t *testing.T) {
	if _, err := targetOf("mips64"); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "mips64") {
		t.Error(err)
	}
	if _, err := targetOf(runtime.GOARCH); err != nil {
		t.Error(err)
	}
}
