package specconv

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/config"
)

// convertIntelRdt checks linux.intelRdt (config-linux.md, IntelRdt).
func convertIntelRdt(out *config.Config, rdt *specs.LinuxIntelRdt) error {
	if rdt == nil {
		return nil
	}
	if rdt.ClosID != "" && rdt.ClosID != "/" {
		if err := intelrdt.CheckName(rdt.ClosID); err != nil {
			return fieldErr("linux.intelRdt.closID", "%w", err)
		}
	}
	for _, line := range intelrdt.Lines(rdt) {
		if err := checkSchema(line); err != nil {
			return err
		}
	}
	out.IntelRdt = rdt
	return nil
}

// beginnings are the allowed beginnings of lines by field; lines of
// linux.intelRdt.schemata may have any resource.
var beginnings = [...]struct {
	field string
	begin []string
	want  string
}{
	{"linux.intelRdt.l3CacheSchema", []string{"L3:", "L3CODE:", "L3DATA:"}, `"L3:", "L3CODE:" or "L3DATA:"`},
	{"linux.intelRdt.memBwSchema", []string{"MB:"}, `"MB:"`},
}

// checkSchema checks a line for a schemata file. The hardware decides which
// values are valid.
func checkSchema(line intelrdt.Line) error {
	if err := text(line.Field, line.Text); err != nil {
		return err
	}
	if strings.Contains(line.Text, "\n") {
		return fieldErr(line.Field, `%s: has more than one line (each is an element of "schemata")`, config.Quote(line.Text))
	}
	for _, s := range beginnings {
		allowed := func(begin string) bool { return strings.HasPrefix(line.Text, begin) }
		if s.field == line.Field && !slices.ContainsFunc(s.begin, allowed) {
			return fieldErr(line.Field, `%s: want a line that begins with %s (others go into "schemata")`, config.Quote(line.Text), s.want)
		}
	}
	if err := intelrdt.CheckLine(line.Text); err != nil {
		return fieldErr(line.Field, "%w", err)
	}
	return nil
}
