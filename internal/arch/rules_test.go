package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// root is the top of the checkout.
const root = "../.."

// listed is a package in the output of "go list -json".
type listed struct {
	ImportPath string
	Doc        string
	Imports    []string
	CgoFiles   []string
}

// name is the path below the module.
func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// goOutput runs the go command at the top of the checkout.
func goOutput(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	// With cgo enabled, go list also lists files that need it.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go " + strings.Join(args, " ") + ": " + err.Error() + ": " + stderr.String())
	}
	return out, nil
}

var listOnce = sync.OnceValues(func() ([]listed, error) {
	out, err := goOutput("list", "-json=ImportPath,Doc,Imports,CgoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var all []listed
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// packages are all packages of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	all, err := listOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryPackageHasADocComment(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// Two packages may use unsafe: a review of memory safety needs to read only those.
func TestOnlyTwoPackagesUseUnsafe(t *testing.T) {
	users := []string{"internal/sys", "libcontainer/stub"}
	for _, p := range packages(t) {
		if slices.Contains(p.Imports, "unsafe") && !slices.Contains(users, p.name()) {
			t.Errorf("%s imports unsafe; only %s may", p.ImportPath, strings.Join(users, " and "))
		}
	}
}

// cgo costs 0.7 ms at every start, a C compiler at every build, and a libc
// that the static binary would have to bring.
func TestNoCgo(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo: %s", p.ImportPath, strings.Join(p.CgoFiles, " "))
		}
	}
}

// goMod is the output of "go mod edit -json".
type goMod struct {
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct{ Old struct{ Path string } }
	Exclude []struct{ Path string }
}

func readGoMod(t *testing.T) goMod {
	t.Helper()
	out, err := goOutput("mod", "edit", "-json")
	if err != nil {
		t.Fatal(err)
	}
	var mod goMod
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	return mod
}

// Importers do not get the replace and exclude directives of berth.
func TestGoModIsWhatImportersGet(t *testing.T) {
	mod := readGoMod(t)
	for _, replaced := range mod.Replace {
		t.Errorf("go.mod replaces %s", replaced.Old.Path)
	}
	for _, excluded := range mod.Exclude {
		t.Errorf("go.mod excludes %s", excluded.Path)
	}
}

// docs/dependencies.md has the reason for each dependency, and its cost.
func TestEveryDependencyIsExplained(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, required := range readGoMod(t).Require {
		if !bytes.Contains(text, []byte("`"+required.Path+"`")) {
			t.Errorf("docs/dependencies.md does not explain %s", required.Path)
		}
	}
}

// Generated files are in the repository for readers; they must be up to date.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	cmd := exec.Command("hack/generate-check")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
