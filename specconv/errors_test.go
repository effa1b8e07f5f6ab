package specconv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
)

// contexts are the other fields that the fields below a path need to have a
// meaning: a merge patch (RFC 7386) to the default configuration.
var contexts = []struct{ path, patch string }{
	{"process.consoleSize", `{"process": {"terminal": true, "consoleSize": {"height": 24, "width": 80}}}`},
	{"process.execCPUAffinity", `{"process": {"execCPUAffinity": {"initial": "0", "final": "0"}}}`},
	{"process.ioPriority", `{"process": {"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}}}`},
	{"process.rlimits", `{"process": {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}]}}`},
	{"process.scheduler", `{"process": {"scheduler": {"policy": "SCHED_OTHER", "nice": 1, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}}}`},
	{"process.scheduler.priority", `{"process": {"scheduler": {"policy": "SCHED_FIFO", "nice": null, "priority": 1}}}`},
	{"process.scheduler.runtime", deadline},
	{"process.scheduler.deadline", deadline},
	{"process.scheduler.period", deadline},
	{"hooks.prestart", `{"hooks": {"prestart": [{"path": "/bin/true"}]}}`},
	{"hooks.createRuntime", `{"hooks": {"createRuntime": [{"path": "/bin/true"}]}}`},
	{"hooks.createContainer", `{"hooks": {"createContainer": [{"path": "/bin/true"}]}}`},
	{"hooks.startContainer", `{"hooks": {"startContainer": [{"path": "/bin/true"}]}}`},
	{"hooks.poststart", `{"hooks": {"poststart": [{"path": "/bin/true"}]}}`},
	{"hooks.poststop", `{"hooks": {"poststop": [{"path": "/bin/true"}]}}`},
	{"mounts", `{"mounts": [{"destination": "/data", "source": "/src", "options": ["bind"]}]}`},
	{"mounts[0].type", `{"mounts": [{"destination": "/data", "source": "none", "type": "tmpfs"}]}`},
	{"mounts[0].uidMappings", idmapped},
	{"mounts[0].gidMappings", idmapped},
	{"linux.uidMappings", userNamespace},
	{"linux.gidMappings", userNamespace},
	{"linux.timeOffsets", `{"hostname": null, "linux": {"namespaces": [{"type": "mount"}, {"type": "time"}], "timeOffsets": {"monotonic": {"secs": 1}}}}`},
	{"linux.devices", `{"linux": {"devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]}}`},
	{"linux.namespaces[0].path", `{"linux": {"namespaces": [{"type": "network"}, {"type": "mount"}]}}`},
	{"linux.sysctl", `{"linux": {"sysctl": {"net.ipv4.ip_forward": "1"}}}`},
	{"linux.netDevices", `{"linux": {"netDevices": {"eth0": {"name": "eth1"}}}}`},
	{"linux.intelRdt", `{"linux": {"intelRdt": {"closID": "a"}}}`},
	{"linux.personality", `{"linux": {"personality": {"domain": "LINUX"}}}`},
	{"linux.memoryPolicy", `{"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}}}`},
	{"linux.seccomp", `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}}}`},
	{"linux.resources.unified", `{"linux": {"resources": {"unified": {"memory.high": "max"}}}}`},
	{"linux.resources.rdma", `{"linux": {"resources": {"rdma": {"mlx5_0": {"hcaHandles": 1}}}}}`},
}

const (
	deadline      = `{"process": {"scheduler": {"policy": "SCHED_DEADLINE", "nice": null, "runtime": 1000000, "deadline": 2000000, "period": 2000000}}}`
	idmapped      = `{"mounts": [{"destination": "/data", "source": "/src", "options": ["bind", "idmap"], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]}`
	userNamespace = `{"hostname": null, "linux": {"namespaces": [{"type": "mount"}, {"type": "user"}], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}}`
)

// breach is one way to break a field of config.json.
type breach struct {
	*place
	what  string // "absent" or "= 5"
	value any    // nil: absent
}

func (b breach) String() string { return b.place.String() + " " + b.what }

// harmless returns the reason why a breach of the schema is not an error, empty
// if it should be one.
func (b breach) harmless() string {
	path, text := b.place.String(), ""
	if value, ok := b.value.(string); ok {
		text = value
	}
	switch {
	case b.value == nil && (b.Type == "integer" || b.Type == "boolean"):
		return "an absent number is 0, an absent boolean false"
	case strings.HasPrefix(path, "linux.resources."):
		return "the cgroup driver checks it, for update too"
	case strings.HasPrefix(path, "annotations") && text != "":
		return "an annotation is any text"
	case strings.HasSuffix(path, ".fileMode") && b.what == "= 512":
		return "engines copy the mode from stat(2), with more than the schema knows"
	}
	return ""
}

// contextOf returns a configuration in which a place has a meaning.
func contextOf(t *testing.T, p *place) any {
	t.Helper()
	text, err := json.Marshal(Default(DefaultOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	whole := decodeAny(t, string(text))
	for _, context := range contexts {
		if strings.HasPrefix(p.String(), context.path) {
			whole = mergePatch(whole, decodeAny(t, context.patch))
		}
	}
	return whole
}

func decodeAny(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// mergePatch implements RFC 7386.
func mergePatch(target, patch any) any {
	members, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for key, value := range members {
		if value == nil {
			delete(merged, key)
		} else {
			merged[key] = mergePatch(merged[key], value)
		}
	}
	return merged
}

// TestErrorsNameTheField breaks every field of the specification's schema in
// turn: the error must name it, or a field of the same section that is refused
// by name. testdata/errors.txt shows the messages, for review.
func TestErrorsNameTheField(t *testing.T) {
	s := newSchemas(t)
	var messages bytes.Buffer
	breaches := s.breaches()
	if len(breaches) < 500 {
		t.Errorf("only %d breaches", len(breaches))
	}
	for _, b := range breaches {
		whole := contextOf(t, b.place)
		b.put(s, whole, b.value)
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		message, ok := verdict(b, text)
		if !ok {
			t.Errorf("%s\n\t%s\nin %s", b, message, text)
		}
		fmt.Fprintf(&messages, "%s\n\t%s\n", b, message)
	}
	if strconv.IntSize == 64 { // the messages have the ranges of integers
		goldenText(t, "errors.txt", messages.Bytes())
	}
}

// breaches returns every way to break every field.
func (s *schemas) breaches() (all []breach) {
	for _, p := range s.places(&place{schema: s.at("config-schema.json")})[1:] {
		if p.up.Type == "object" && slices.Contains(p.up.Required, fmt.Sprint(p.key)) {
			all = append(all, breach{p, "absent", nil})
		}
		for _, value := range p.broken() {
			text, _ := json.Marshal(value)
			all = append(all, breach{p, "= " + string(text), value})
		}
	}
	return all
}

// verdict describes the result for a config.json with a breach, and reports
// whether it is allowed.
func verdict(b breach, text []byte) (message string, ok bool) {
	path := b.place.String()
	c, err := convertText(text)
	switch {
	case err != nil:
		return err.Error(), oneLine(err) && (strings.Contains(err.Error(), path) || refusedInSection(err, path))
	case len(c.Process.Warnings) > 0:
		return "warning: " + c.Process.Warnings[0], strings.HasPrefix(c.Process.Warnings[0], path)
	}
	return "accepted: " + b.harmless(), b.harmless() != ""
}

// oneLine reports whether an error is about config.json, in one line.
func oneLine(err error) bool {
	return errors.Is(err, config.ErrInvalid) && !strings.ContainsAny(err.Error(), "\n\x00")
}

// refusedInSection reports whether an error refuses by name a field of the same
// section: for example that of the namespace that a field needs.
func refusedInSection(err error, path string) bool {
	var field *config.FieldError
	if !errors.As(err, &field) || !strings.Contains(err.Error(), linuxOnly) {
		return false
	}
	section := func(path string) string { return path[:strings.IndexAny(path+".", ".[")] }
	return section(field.Field) == section(path)
}

// convertText calls Load and Convert, as create does.
func convertText(text []byte) (*config.Config, error) {
	spec, err := Load(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return Convert(spec, Options{Bundle: "/bundle"})
}
