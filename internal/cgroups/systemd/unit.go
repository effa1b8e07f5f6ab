package systemd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/godbus/dbus/v5"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// Names of errors that this package handles.
const (
	errUnitExists = "org.freedesktop.systemd1.UnitExists"
	errNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit"
)

// is reports whether err is the D-Bus error of that name.
func is(err error, name string) bool {
	var answer dbus.Error
	return errors.As(err, &answer) && answer.Name == name
}

// auxiliary is the type of units that StartTransientUnit could start with this
// one.
type auxiliary struct {
	Name       string
	Properties []wire
}

// startTransient starts the unit. It removes an ended unit of the same name,
// and leaves out an optional property that this systemd refuses. After an error of
// systemd's the unit does not exist.
func (m *Manager) startTransient(ctx context.Context, b *bus, props []property) error {
	deadline := time.Now().Add(m.retry)
	for {
		err := m.offer(props, func(w []wire) error {
			return b.runJob(ctx, "StartTransientUnit", m.unit.Name, "replace", w, []auxiliary{})
		})
		if !is(err, errUnitExists) || time.Now().After(deadline) {
			return err
		}
		if err := m.clearLeftover(ctx, b); err != nil {
			return err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil { // for systemd to forget it
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// clearLeftover makes systemd forget a unit in which no process runs: that of a
// runtime that died, or of a failed container. An active unit belongs to
// another container.
func (m *Manager) clearLeftover(ctx context.Context, b *bus) error {
	state, err := m.activeState(ctx, b)
	if err != nil || state == "inactive" {
		return err
	}
	return m.stopIfEmpty(ctx, b, state)
}

// stopIfEmpty stops the unit unless a process runs in it.
func (m *Manager) stopIfEmpty(ctx context.Context, b *bus, state string) error {
	dir := m.Paths()[""]
	there, err := cgroupfs.Exists(dir, "cgroup.procs")
	if there {
		err = cgroupfs.CheckEmpty(dir)
	}
	if err != nil {
		return fmt.Errorf("the unit exists and is %s: %w", state, err)
	}
	return m.stopUnit(ctx, b)
}

// activeState returns the state of the unit, "inactive" for a unit that systemd
// does not know.
func (m *Manager) activeState(ctx context.Context, b *bus) (string, error) {
	var object dbus.ObjectPath
	err := b.manager(ctx, "GetUnit", []any{m.unit.Name}, &object)
	if is(err, errNoSuchUnit) {
		return "inactive", nil
	}
	if err != nil {
		return "", err
	}
	v, err := b.property(ctx, object, unitInterface, "ActiveState")
	if err != nil {
		return "", err
	}
	state, _ := v.Value().(string)
	return state, nil
}

// stopUnit stops the unit and makes systemd forget a failure.
func (m *Manager) stopUnit(ctx context.Context, b *bus) error {
	err := b.runJob(ctx, "StopUnit", m.unit.Name, "replace")
	if is(err, errNoSuchUnit) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.manager(ctx, "ResetFailedUnit", []any{m.unit.Name}); !is(err, errNoSuchUnit) {
		return err
	}
	return nil
}

// setProperties changes the unit until the unit or the host stops.
func (m *Manager) setProperties(ctx context.Context, b *bus, props []property) error {
	const runtime = true
	return m.offer(props, func(w []wire) error {
		return b.manager(ctx, "SetUnitProperties", []any{m.unit.Name, runtime, w})
	})
}

// offer makes a call with properties, and again without those that systemd
// refuses, if they are only limits that this systemd does not know.
func (m *Manager) offer(props []property, call func([]wire) error) error {
	for {
		wires := make([]wire, len(props))
		for i, p := range props {
			wires[i] = p.wire()
		}
		err := call(wires)
		bad := refusedProperty(err, props)
		switch {
		case bad == nil:
			return err
		case bad.instead != nil:
			props = append(without(props, bad), *bad.instead)
			continue
		}
		m.warn("systemd refuses a property, which is left out: only the cgroup's files have its value", "unit", m.unit.Name, "property", bad.name, "error", err)
		props = without(props, bad)
	}
}

// without returns the properties without p and those that go with it.
func without(props []property, bad *property) []property {
	return slices.DeleteFunc(slices.Clone(props), bad.goesWith)
}

// goesWith reports whether other must be left out with p.
func (p *property) goesWith(other property) bool {
	return other.name == p.name || p.with != "" && other.with == p.with
}

// refusedProperty returns the property that an error is about, if it can be
// left out. systemd names it in the text: "Cannot set property AllowedCPUs, or
// unknown property."
func refusedProperty(err error, props []property) *property {
	var answer dbus.Error
	if !errors.As(err, &answer) {
		return nil
	}
	words := strings.FieldsFunc(answer.Error(), func(r rune) bool { return !unicode.IsLetter(r) })
	for i, p := range props {
		if (p.optional || p.instead != nil) && slices.Contains(words, p.name) {
			return &props[i]
		}
	}
	return nil
}
