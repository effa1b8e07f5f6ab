package mountinfo

import (
	"fmt"
	"strings"
	"testing"
)

// escaped is a path as the kernel prints it (seq_path_root with " \t\n\\").
func escaped(path string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(path)
}

// FuzzParse parses a line with a mount point among arbitrary text.
func FuzzParse(f *testing.F) {
	f.Add("/no-break\u00a0space\r", "", "")
	f.Add("/a b", "", "25 1 0:1 / / rw - x y z\n")
	f.Add("/a\\040\n\t", "1 2 3\n - \n", "")
	f.Add("/é/"+strings.Repeat("x", 300), "1 - 2\n", "3 - ")
	f.Fuzz(func(t *testing.T, point, before, after string) {
		Parse(before + after)
		if !strings.HasPrefix(point, "/") || strings.ContainsRune(point, 0) {
			return
		}
		line := fmt.Sprintf("25 1 0:22 / %s rw,relatime shared:7 - tmpfs dev rw\n", escaped(point))
		before = strings.TrimSuffix(before, "\n") + "\n"
		found := false
		for _, m := range Parse(before + line + after) {
			found = found || m == Mount{ID: "25", Parent: "1", Device: "0:22", Root: "/", Point: point, Options: "rw,relatime", Type: "tmpfs"}
		}
		if !found {
			t.Errorf("%q is not among %+v", point, Parse(before+line+after))
		}
	})
}
