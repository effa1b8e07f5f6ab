package systemd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// FuzzPlace finds the unit of a cgroupsPath: its name must be valid, its directory below
// the root, and checkUnit must know both again.
func FuzzPlace(f *testing.F) {
	for _, text := range []string{"", "a-b.slice:p:n", "-.slice:a:b", "a.slice:x:a-b.slice", ":: b+c/..", `x:\x2f:y`, "::::"} {
		f.Add(text, "id", true)
	}
	f.Fuzz(func(t *testing.T, text, id string, user bool) {
		p, err := placeOf(text, id, user)
		if err != nil {
			return
		}
		if p.dir == "/" && p.unit == "-.slice" {
			return // the root slice
		}
		if len(p.unit) > maxUnitName || strings.ContainsAny(p.unit, "/\x00\n ") || path.Base(p.dir) != p.unit ||
			path.Clean(p.dir) != p.dir || p.dir[0] != '/' || strings.Contains(p.dir+"/", "/../") {
			t.Errorf("%q, %q: %+v", text, id, p)
		}
		if err := checkUnit(p.unit, p.dir); err != nil {
			t.Errorf("%q, %q: %v", text, id, err)
		}
	})
}

// FuzzAnnotations reads properties of annotations.
func FuzzAnnotations(f *testing.F) {
	for _, value := range []string{"true", "'word'", "uint64 5", "@t 5", "[1, 2]", "{'a': <1>}", "5.5", "b'x'", "[[]]", "<", "1]", "[], 2", "['\\'[']"} {
		f.Add("TimeoutStopUSec", value)
	}
	f.Add("TimeoutStopSec", "uint64 18446744073709551615")
	f.Fuzz(func(t *testing.T, name, value string) {
		list, err := fromAnnotations(map[string]string{"org.systemd.property." + name: value})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		for _, p := range list {
			if checkName(p.name) != nil || p.value.Value() == nil {
				t.Errorf("%q = %q: %+v", name, value, p)
			}
			var b bytes.Buffer
			msg := dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
				dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(p.wire())),
			}, Body: []any{p.wire()}}
			if err := msg.EncodeTo(&b, binary.LittleEndian); err != nil {
				t.Errorf("%q = %q: %v", name, value, err)
			}
		}
	})
}

// FuzzBus answers each call with arbitrary bytes. A call must end.
func FuzzBus(f *testing.F) {
	for _, answer := range []*dbus.Message{
		{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)), dbus.FieldSignature: dbus.MakeVariant(dbus.ParseSignatureMust("v")),
		}, Body: []any{dbus.MakeVariant("x")}},
		{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath: dbus.MakeVariant(managerPath), dbus.FieldInterface: dbus.MakeVariant(managerInterface),
			dbus.FieldMember: dbus.MakeVariant("JobRemoved"), dbus.FieldSignature: dbus.MakeVariant(dbus.ParseSignatureMust("uoss")),
		}, Body: []any{uint32(1), managerPath, "x", "failed"}},
	} {
		var b bytes.Buffer
		if err := answer.EncodeTo(&b, binary.LittleEndian); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte("l\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		address := answeringBus(t, answer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		l := limits{call: 20 * time.Millisecond, job: 20 * time.Millisecond}
		b, err := connect(ctx, "unix:path="+address, false, l)
		if err != nil {
			return
		}
		defer b.close()
		_, _ = b.property(ctx, managerPath, managerInterface, "ControlGroup") // any error
		_ = b.runJob(ctx, "StopUnit", "x.scope", "replace")                   // as above
		if ctx.Err() != nil {
			t.Error("a call does not end")
		}
	})
}

// FuzzSignal judges a signal of arbitrary bytes.
func FuzzSignal(f *testing.F) {
	f.Add([]byte("l\x04\x01\x01"), "done")
	f.Fuzz(func(t *testing.T, wire []byte, result string) {
		if msg, err := dbus.DecodeMessage(bytes.NewReader(wire)); err == nil {
			name, _ := msg.Headers[dbus.FieldMember].Value().(string)
			over, err := jobResult(&dbus.Signal{Name: managerInterface + "." + name, Body: msg.Body}, managerPath)
			if !over && err != nil {
				t.Errorf("%q: %v", wire, err)
			}
		}
		over, err := jobResult(&dbus.Signal{Name: managerInterface + ".JobRemoved", Body: []any{uint32(1), managerPath, "u", result}}, managerPath)
		if !over || (err == nil) != (result == "done") {
			t.Errorf("%q: %v, %v", result, over, err)
		}
	})
}

// answeringBus listens, and answers the first call of one client with bytes. Then it
// closes the connection, which ends further calls.
func answeringBus(t *testing.T, answer []byte) (address string) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close() //nolint:errcheck // the client may have left
		in := bufio.NewReader(c)
		if ok, _ := authenticate(in, c); !ok {
			return
		}
		if _, err := dbus.DecodeMessage(in); err == nil {
			_, _ = c.Write(answer) // the client may have left
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return address
}
