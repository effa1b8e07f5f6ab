// Package metrics converts statistics to the messages that containerd's clients read.
package metrics

import (
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

// unified reports whether the host has cgroup v2 only. The kind of message tells clients
// the version.
var unified = sync.OnceValue(func() bool {
	var st unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
})

// Message returns the message for the cgroup version of the host.
func Message(s *cgroups.Stats) proto.Message {
	if unified() {
		return v2(s)
	}
	return v1(s)
}

// fill sets the fields of a message that are counters of memory.stat. Renamed has the
// names of counters that differ from those of the fields.
func fill(m proto.Message, raw map[string]uint64, renamed map[protoreflect.Name]string) {
	message := m.ProtoReflect()
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		key := string(field.Name())
		if other, ok := renamed[field.Name()]; ok {
			key = other
		}
		value, ok := raw[key]
		if ok && field.Kind() == protoreflect.Uint64Kind {
			message.Set(field, protoreflect.ValueOfUint64(value))
		}
	}
}
